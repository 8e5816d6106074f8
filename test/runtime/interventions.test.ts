import { describe, expect, it } from "vitest";

import type { CommandEntry } from "../../src/protocol/agent.ts";
import type { Escalation, TaskView } from "../../src/protocol/task-view.ts";
import { Executor, call, ended, eventually, log, submit, view } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { accepted, newSubject } from "./task-world.ts";

/* Stepping in, from outside: what an orchestrator, a person or another agent does with a running task. */

interface Page<Item> {
  items: Item[];
}

const QUICK_RETRIES = { max_retries: 2, retry_delay: 1, backoff_multiplier: 1 };

/** A task that only this executor can take, claimed and started. */
async function running(name: string, task: Record<string, unknown> = {}): Promise<Executor> {
  const executor = await new Executor(name).register();
  await submit({ requires: { capabilities: [name] }, ...task });
  await executor.claim();
  await executor.start();
  return executor;
}

const escalate = (executor: Executor, more: Record<string, unknown> = {}) =>
  executor.notify("task_escalated", {
    escalation_reason: "Two readings are possible",
    escalation_level: "human",
    question: "Which one?",
    urgency: "high",
    ...more,
  });

const resolve = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  call<Escalation & { code?: string }>("POST", `/v1/escalations/${id}/resolve`, body, headers);

async function keyOf(...scopes: string[]): Promise<{ authorization: string }> {
  const { body } = await call<{ key: string }>("POST", "/v1/keys", { name: "test", scopes });
  return { authorization: `Bearer ${body.key}` };
}

const inbox = (query: string, headers: Record<string, string> = {}) =>
  call<Page<Escalation>>("GET", `/v1/escalations?${query}`, undefined, headers);

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
    const alerts = (await receiver.log()).map(({ headers }) => headers["x-notification-type"]);
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

    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
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

describe("a failed attempt that suggests a change", () => {
  it("is retried with the suggested timeout, and succeeds", async () => {
    const executor = await running("rules-56", {
      timeout: 60,
      execution_options: { retry_policy: QUICK_RETRIES },
    });
    await executor.fail({
      error_type: "timeout",
      root_cause: { class: "timeout", detail: "60 s are not enough", evidence: "" },
      suggested_modifications: { timeout: 600, priority: "critical" },
    });
    const retry = await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();

    expect(retry).toMatchObject({ timeout: 600, priority: "normal", attempt: 2 });
    expect(await ended(executor.task_id)).toMatchObject({ status: "completed" });
    const planned = (await log(executor.task_id)).find(({ type }) => type === "retry_scheduled");
    expect(planned?.data).toMatchObject({
      patch: { timeout: 600 },
      ignored_suggestions: [{ pointer: "/priority" }],
    });
  });
});

describe("a command over HTTP", () => {
  const order = (task_id: string, body: unknown) =>
    call("POST", `/v1/tasks/${task_id}/commands`, body);

  it("set_priority lets a waiting task overtake another", async () => {
    const requires = { capabilities: ["rules-21a"] };
    const first = await submit({ requires });
    const second = await submit({ requires });

    await order(second.task_id, { command: "set_priority", priority: "critical" });
    const executor = await new Executor("rules-21a").register();
    await executor.claim();

    expect(executor.task_id).toBe(second.task_id);
    expect((await view(first.task_id)).phase).toBe("queued");
  });

  it("grant_resources raises the budget and the timeout of a running task", async () => {
    const beat = (executor: Executor, tokens: number) =>
      call(
        "POST",
        `/v1/tasks/${executor.task_id}/heartbeat`,
        { usage: { tokens } },
        executor.lease,
      );
    const task = { timeout: 100, contract: { budget: { max_tokens: 1_000 } } };
    const poor = await running("rules-21b", task);
    const rich = await running("rules-21c", task);
    const before: TaskView = await view(rich.task_id);

    await order(rich.task_id, {
      command: "grant_resources",
      grant: { tokens: 500, duration_s: 200 },
    });
    await beat(poor, 1_200);
    await beat(rich, 1_200);

    const after = await view(rich.task_id);
    expect((await view(poor.task_id)).end_reason).toBe("resource_exhausted");
    expect(after.phase).toBe("executing");
    expect(Date.parse(after.deadline_at ?? "") - Date.parse(before.deadline_at ?? "")).toBe(
      200_000,
    );
  });

  it("is listed with who gave it, why, and what was spent until it was confirmed", async () => {
    const executor = await running("rules-cmd");
    await order(executor.task_id, { command: "cancel", reason: "No longer needed" });
    const cancelling = await call<Page<CommandEntry>>(
      "GET",
      `/v1/tasks/${executor.task_id}/commands`,
    );
    await executor.end("cancelled");
    const confirmed = await call<Page<CommandEntry>>(
      "GET",
      `/v1/tasks/${executor.task_id}/commands`,
    );

    expect(cancelling.body.items).toMatchObject([
      { command: "cancel", state: "requested", reason: "No longer needed", spent_since: null },
    ]);
    expect(confirmed.body.items).toMatchObject([
      { state: "confirmed", actor: { kind: "operator" }, spent_since: { tokens: 0, cost_usd: 0 } },
    ]);
    expect((await call("GET", "/v1/tasks/unknown/commands")).status).toBe(404);
  });
});

describe("a silent executor", () => {
  it("is asked for news exactly once, and its progress is the answer", async () => {
    const subject = await newSubject();
    await subject.execute({ timeout: 3_600 });
    for (let part = 0; part < 5; part += 1) {
      await subject.pass(50_000);
      accepted(await subject.beat());
    }

    const asked = accepted(await subject.beat()).commands;
    accepted(await subject.notify("task_progress", { progress_percentage: 20 }));
    const afterwards = accepted(await subject.beat()).commands;

    expect(asked).toMatchObject([{ command: "request_update" }]);
    expect(asked[0]?.reason).toMatch(/^rule overrun|^rule stalled/);
    expect(afterwards).toEqual([]);
    const types = await subject.types();
    expect(types.filter((type) => type === "command_issued")).toHaveLength(1);
    expect(types.filter((type) => type === "command_acknowledged")).toHaveLength(1);
  });

  it("is not disturbed by an eviction: the rule is remembered with the log", async () => {
    const subject = await newSubject();
    await subject.execute({ timeout: 3_600, heartbeat_timeout: 3_600, progress_interval: 20 });
    await subject.pass(70_000);
    await subject.evict();
    await subject.pass(60_000);

    expect((await subject.types()).filter((type) => type === "command_issued")).toHaveLength(1);
    const plan = JSON.parse(accepted(await subject.stub.explain())).waiting_for;
    expect(plan).toContainEqual(expect.objectContaining({ kind: "plan" }));
  });
});
