import { describe, expect, it } from "vitest";

import type { Escalation } from "../../src/protocol/task-view.ts";
import { Executor, call, ended, eventually, log, submit, view } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { escalate, inbox, keyOf, resolve, running } from "./stepping-in.ts";

const QUICK_RETRIES = { max_retries: 2, retry_delay: 1, backoff_multiplier: 1 };

describe("a task whose attempts all fail", () => {
  it("is escalated to a person, changed by the answer, and completed", async () => {
    const receiver = newReceiver();
    await call("POST", "/v1/webhooks", { url: receiver.url, events: ["error_event"] });
    const executor = await new Executor("rules-20").register();
    const { task_id } = await submit({
      requires: { capabilities: ["rules-20"] },
      execution_options: { retry_policy: QUICK_RETRIES, escalate_on: ["retries_exhausted"] },
    });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await eventually(
        () => view(task_id),
        ({ phase }) => phase === "queued",
      );
      await executor.claim();
      await executor.start();
      await executor.fail();
    }

    const open = await eventually(
      () => inbox(`state=open&kind=handover&urgency=high&task_id=${task_id}`),
      ({ body }) => body.items.length === 1,
    );
    const id = open.body.items[0]?.escalation_id ?? "";
    expect(await view(task_id)).toMatchObject({ status: "escalated", phase: "awaiting_input" });
    expect((await call<Escalation>("GET", `/v1/escalations/${id}`)).body).toMatchObject({
      state: "open",
      options: ["resume", "change", "cancel"],
      evidence: { context: { last_error: { type: "broken" } }, level: "human" },
    });

    const answer = { decision: "change", patch: { timeout: 900 }, answer: "Take your time" };
    expect((await resolve(id, answer)).body).toMatchObject({ state: "resolved" });
    const given = await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();

    expect(given).toMatchObject({ timeout: 900, attempt: 4 });
    expect(await ended(task_id)).toMatchObject({ status: "completed", end_reason: "success" });
    const alerts = await eventually(
      async () => (await receiver.log()).map(({ headers }) => headers["x-notification-type"]),
      (types) => types.includes("task_escalated"),
    );
    expect(alerts.filter((type) => type === "task_escalated")).toHaveLength(1);
  });
});

describe("an escalation over HTTP", () => {
  it("takes one of two answers that come at the same time", async () => {
    const executor = await running("rules-57");
    await escalate(executor);
    const id = `esc_1_${executor.task_id}`;

    const answers = await Promise.all([
      resolve(id, { decision: "resume", answer: "left" }),
      resolve(id, { decision: "cancel", answer: "right" }),
    ]);

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe("escalation_closed");
    const resolved = (await log(executor.task_id)).filter(
      ({ type }) => type === "escalation_resolved",
    );
    expect(resolved).toHaveLength(1);
  });

  it("asked of agents is answered by another agent, never by its own, and says by whom", async () => {
    const [own, other] = [await keyOf("execute"), await keyOf("execute")];
    const registration = { capabilities: ["rules-asker"], task_types: ["research"], slots: 2 };
    await call("PUT", "/v1/agents/rules-asker", registration, own);
    await submit({ requires: { capabilities: ["rules-asker"] } });
    const executor = new Executor("rules-asker");
    await executor.claim();
    await executor.start();
    await escalate(executor, { escalation_level: "agent", recommended_actions: ["Skip it"] });
    const id = `esc_1_${executor.task_id}`;

    const seen = await eventually(
      () => inbox(`task_id=${executor.task_id}`, other),
      ({ body }) => body.items.length === 1,
    );
    const [byItself, byOther] = [
      await resolve(id, { decision: "resume" }, own),
      await resolve(id, { decision: "resume", answer: "Skip it" }, other),
    ];

    expect(seen.body.items[0]).toMatchObject({ escalation_id: id, options: ["Skip it"] });
    expect([byItself.status, byItself.body.code]).toEqual([403, "forbidden"]);
    expect(byOther).toMatchObject({ status: 200, body: { state: "resolved", answer: "Skip it" } });
    const resolved = (await log(executor.task_id)).find(
      ({ type }) => type === "escalation_resolved",
    );
    expect(resolved?.actor.kind).toBe("executor");
  });

  it("asked of people is hidden from agents", async () => {
    const other = await keyOf("execute");
    const executor = await running("rules-hidden");
    await escalate(executor);
    const id = `esc_1_${executor.task_id}`;

    const answered = await resolve(id, { decision: "resume" }, other);
    const read = await call("GET", `/v1/escalations/${id}`, undefined, other);

    expect([answered.status, read.status]).toEqual([404, 404]);
  });

  it("is kept, and listed as resolved, when a later one has taken its place", async () => {
    const executor = await running("rules-past");
    await escalate(executor);
    const id = `esc_1_${executor.task_id}`;
    await resolve(id, { decision: "resume", answer: "left" });
    await executor.claim();
    await executor.start();
    await escalate(executor);

    const listed = await eventually(
      () => inbox(`task_id=${executor.task_id}`),
      ({ body }) => body.items.length === 2,
    );
    expect(listed.body.items.map(({ state }) => state).toSorted()).toEqual(["open", "resolved"]);
    expect((await call("GET", `/v1/escalations/${id}`)).body).toMatchObject({
      state: "resolved",
      answer: "left",
    });
    expect((await resolve(id, { decision: "resume" })).body.code).toBe("escalation_closed");
    expect((await call("GET", `/v1/escalations/esc_9_${executor.task_id}`)).status).toBe(404);
  });

  it("refuses a filter that does not exist, with what would be right", async () => {
    const { status, body } = await call<{ errors: { pointer: string; expected: string }[] }>(
      "GET",
      "/v1/escalations?kind=riddle",
    );

    expect(status).toBe(400);
    expect(body.errors).toMatchObject([
      { pointer: "/query/kind", expected: '"question" | "approval" | "handover"' },
    ]);
  });
});
