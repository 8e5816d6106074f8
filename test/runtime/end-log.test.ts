import { describe, expect, it } from "vitest";

import { accepted, newSubject } from "./task-world.ts";

describe("the log line of an end", () => {
  it("is there once, with what a log is searched by", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.beat(subject.token, { usage: { cost_usd: 0.25, tokens: 40 } }));

    accepted(await subject.end("failure"));
    await subject.pass(60_000);

    const { origin } = await subject.inside((_instance, { storage }) => {
      const row = storage.sql.exec<{ body: string }>("SELECT body FROM record WHERE id = 1").one();
      return JSON.parse(row.body) as { origin: { tenant: string } };
    });
    const lines = subject.neighbours.lines.filter(({ event }) => event === "task_ended");
    expect(lines).toEqual([
      {
        level: "info",
        event: "task_ended",
        fields: {
          tenant: origin.tenant,
          task_id: "task-1",
          correlation_id: "trace-1",
          reason: "failure",
          severity: "error",
          told_as: "task_failed",
          completion_status: "failure",
          finalization: "complete",
          task_type: "general",
          attempts: 1,
          duration_s: expect.any(Number),
          cost_usd: 0.25,
          tokens: 40,
          debts: 0,
        },
      },
    ]);
  });

  it("counts what the end left undone", async () => {
    const subject = await newSubject();
    await subject.execute();
    subject.neighbours.release = () => Promise.reject(new Error("the pool is gone"));

    accepted(await subject.end("success"));
    await subject.pass(60_000);

    const line = subject.neighbours.lines.find(({ event }) => event === "task_ended");
    expect(line?.fields).toMatchObject({
      reason: "success",
      severity: "info",
      finalization: "partial",
      debts: 1,
    });
  });
});
