import { describe, expect, it } from "vitest";

import { accepted, codeOf, newSubject } from "./task-world.ts";

describe("a task of large messages", () => {
  it("takes a result as large as a request may be", async () => {
    const subject = await newSubject();
    await subject.execute();

    accepted(await subject.notify("task_completed", { result: { text: "x".repeat(1_040_000) } }));

    expect((await subject.view()).end_reason).toBe("success");
  });

  it("hands its log on in portions that fit a call", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 600 });
    subject.neighbours.publish = async () => {
      throw new Error("away");
    };
    for (let turn = 1; turn <= 40; turn += 1) {
      const blob = `${turn}`.padEnd(900_000, "x");
      accepted(
        await subject.notify(
          "task_progress",
          { progress_percentage: turn, intermediate_results: { blob } },
          { notification_id: `n${turn}` },
        ),
      );
    }
    subject.neighbours.publish = () => undefined;
    await subject.pass(120_000);

    const sizes = subject.neighbours.published.map((news) => JSON.stringify(news).length);
    expect(Math.max(...sizes)).toBeLessThan(16_000_000);
    const record = accepted(await subject.stub.record(0));
    expect(record.length).toBeLessThan(16_000_000);
    accepted(await subject.stub.events(0, 200));
  });
});

describe("the largest figures that the contract takes, attempt after attempt", () => {
  it("leave the task readable", async () => {
    const subject = await newSubject();
    await subject.execute({
      execution_options: { retry_policy: { max_retries: 5, retry_delay: 1 } },
    });
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      accepted(
        await subject.beat(subject.token, {
          usage: { cost_usd: 1e9, tokens: 1e12 },
        }),
      );
      accepted(await subject.notify("task_failed", {}, { notification_id: `f${attempt}` }));
      await subject.pass(20_000);
      await subject.assign(attempt + 1);
      accepted(await subject.notify("task_started", {}, { notification_id: `s${attempt}` }));
    }
    await subject.evict();

    const { usage } = await subject.view();
    expect(usage.tokens).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
    expect(Number.isFinite(usage.cost_usd)).toBe(true);
    expect(codeOf(await subject.beat())).toBeNull();
  });
});

describe("more commands than a task remembers", () => {
  it("do not make it forget that it is to be cancelled", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 600 });
    accepted(await subject.order("cancel"));

    for (let turn = 0; turn < 205; turn += 1) accepted(await subject.order("request_update"));
    await subject.pass(40_000);

    expect((await subject.view()).end_reason).toBe("cancelled");
  });
});
