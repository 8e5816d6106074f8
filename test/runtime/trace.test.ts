import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { Span, Trace } from "../../src/protocol/trace.ts";
import { call, ended, eventually, Executor, submit, view } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { newTenant } from "./tenant.ts";

/* Traces through the Worker itself: what comes in, what goes out, and the tree in between. */

const CALLER = "00f067aa0ba902b7";

const newTraceId = () => crypto.randomUUID().replaceAll("-", "");

const traceOf = async (task_id: string) =>
  (await call<Trace>("GET", `/v1/tasks/${task_id}/trace`)).body;

/** The span that a header names. */
function named(traceparent: string | null | undefined): { trace_id: string; span_id: string } {
  const [, trace_id = "", span_id = ""] = (traceparent ?? "").split("-");
  return { trace_id, span_id };
}

function kindsAbove({ spans }: Trace, span: Span | undefined): string[] {
  const parent = spans.find(({ span_id }) => span_id === span?.parent_id);
  return span === undefined ? [] : [span.kind, ...kindsAbove({ spans } as Trace, parent)];
}

async function claimed(agent_id: string) {
  interface Claim {
    tasks: { task: { task_id: string }; lease: { token: string }; traceparent: string }[];
  }
  const { body } = await call<Claim>("POST", `/v1/agents/${agent_id}/claim`, { wait_seconds: 5 });
  const [first] = body.tasks;
  if (first === undefined) throw new Error("no task came");
  return first;
}

describe("the trace of a task", () => {
  it("has every hop under its right parent, and receivers are told the span that they belong below", async () => {
    const trace_id = newTraceId();
    const receiver = newReceiver();
    await receiver.script([{ status: 503 }, { status: 200 }]);
    await call("POST", "/v1/webhooks", {
      url: receiver.url,
      events: ["all"],
      filters: { tags: [trace_id] },
      retry_policy: { schedule: [1, 1, 1] },
    });
    const executor = await new Executor("trace-1").register();
    const submitted = await call<{ task_id: string }>(
      "POST",
      "/v1/tasks",
      {
        task_type: "research",
        description: "a task with every hop",
        tags: [trace_id],
        requires: { capabilities: ["trace-1"] },
        execution_options: { retry_policy: { max_retries: 1, retry_delay: 1 } },
      },
      { traceparent: `00-${trace_id}-${CALLER}-01` },
    );
    const { task_id } = submitted.body;

    const outgoing: string[] = [];
    const take = async () => {
      const { lease, traceparent } = await claimed("trace-1");
      outgoing.push(traceparent);
      executor.hold(task_id, lease.token);
      await executor.start();
    };
    await take();
    await executor.fail();
    await take();
    await executor.notify("task_escalated", {
      escalation_reason: "unclear",
      escalation_level: "human",
      question: "Which way?",
      urgency: "low",
    });
    await call("POST", `/v1/escalations/esc_1_${task_id}/resolve`, { decision: "resume" });
    await take();
    await executor.complete();
    await executor.end();
    await ended(task_id);
    const found = await eventually(
      () => traceOf(task_id),
      ({ spans }) =>
        spans.filter(({ kind, status }) => kind === "delivery" && status === "ok").length === 7,
    );

    const of = (kind: Span["kind"]) => found.spans.filter((span) => span.kind === kind);
    expect(found).toMatchObject({ trace_id, remote_parent: CALLER, is_complete: true });
    // The tree: every kind of hop but a model's, each below what it is a part of.
    const above = Object.fromEntries(
      found.spans.map((span) => [span.kind, kindsAbove(found, span).slice(1)]),
    );
    expect(above).toMatchObject({
      task: [],
      request: ["task"],
      queue_wait: ["task"],
      attempt: ["task"],
      escalation: ["task"],
      end_phase: ["task"],
    });
    expect(of("attempt").map(({ attributes }) => attributes["outcome"])).toEqual([
      "failed",
      "escalated",
      "completed",
    ]);
    expect(of("escalation")).toMatchObject([
      { status: "ok", attributes: { question: "Which way?" } },
    ]);
    expect(of("end_phase").map(({ attributes }) => attributes["phase"])).toEqual([
      "cleanup",
      "reporting",
      "notification",
    ]);
    const causeOf = new Map(
      of("delivery").map((span) => [span.attributes["type"], kindsAbove(found, span)]),
    );
    expect(causeOf.get("task_completed")).toEqual(["delivery", "attempt", "task"]);
    expect(causeOf.get("agent_end_task")).toEqual(["delivery", "task"]);
    expect(of("delivery_attempt").map((span) => kindsAbove(found, span)[1])).toEqual(
      of("delivery_attempt").map(() => "delivery"),
    );
    const statuses = of("delivery_attempt").map(({ status }) => status);
    expect(statuses.toSorted()).toEqual(["error", ...Array.from({ length: 7 }, () => "ok")]);
    // What went out names spans of this very tree.
    expect(submitted.headers.get("traceparent")).toContain(of("request")[0]?.span_id);
    expect(outgoing.map((header) => named(header).span_id)).toEqual(
      of("attempt").map(({ span_id }) => span_id),
    );
    const posts = await receiver.log();
    expect(posts.map(({ headers }) => named(headers["traceparent"]).trace_id)).toEqual(
      posts.map(() => trace_id),
    );
    expect(posts.map(({ headers }) => named(headers["traceparent"]).span_id).toSorted()).toEqual(
      of("delivery_attempt")
        .map(({ span_id }) => span_id)
        .toSorted(),
    );
    // The end waited for something on the way, from the root down.
    const [root] = found.slowest_path;
    expect(root).toBe(of("task")[0]?.span_id);
    expect(found.slowest_path.length).toBeGreaterThan(1);
  });

  it("goes on while the task does, and hangs a push below its attempt", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 202 }]);
    await call("PUT", "/v1/agents/trace-2", {
      capabilities: ["trace-2"],
      task_types: ["research"],
      url: receiver.url,
    });
    const { task_id } = await submit({ requires: { capabilities: ["trace-2"] } });
    const [push] = await eventually(
      () => receiver.log(),
      ({ length }) => length > 0,
    );

    const { ended_at, spans, trace_id } = await traceOf(task_id);

    const attempt = spans.find(({ kind }) => kind === "attempt");
    expect(ended_at).toBeNull();
    expect(attempt).toMatchObject({ ended_at: null, duration_ms: null, status: "unset" });
    expect(named(push?.headers["traceparent"])).toEqual({ trace_id, span_id: attempt?.span_id });
  });

  it("is the same from D1 alone, once the task's object is empty", async () => {
    const executor = await new Executor("trace-3").register();
    const { task_id } = await submit({ requires: { capabilities: ["trace-3"] } });
    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();
    await ended(task_id);
    const before = await traceOf(task_id);
    const { seq } = await view(task_id);
    await eventually(
      () =>
        env.DB.prepare("SELECT events_to FROM task WHERE task_id = ?")
          .bind(task_id)
          .first<number>("events_to"),
      (events_to) => events_to === seq,
    );
    const stub = env.TASK.getByName(`default/${task_id}`);
    await runInDurableObject(stub, (instance) => {
      instance.now = () => Date.now() + 8 * 86_400_000;
    });
    await runDurableObjectAlarm(stub);
    expect(await stub.view()).toMatchObject({ ok: false });

    expect(await traceOf(task_id)).toEqual(before);
  });

  it("begins with the request of the batch that the task came in with", async () => {
    const trace_id = newTraceId();
    const traceparent = `00-${trace_id}-${CALLER}-01`;
    await call(
      "POST",
      "/v1/batches",
      {
        tasks: [{ task_type: "research", description: "one of a batch", task_id: `b-${trace_id}` }],
      },
      { traceparent },
    );

    const found = await eventually(
      () => traceOf(`b-${trace_id}`),
      ({ spans }) => spans !== undefined,
    );
    expect(found).toMatchObject({ trace_id, remote_parent: CALLER });
  });

  it("is nobody's who may not see the task", async () => {
    const { task_id } = await submit({});
    const foreign = await newTenant("trace-foreign");

    expect((await foreign("GET", `/v1/tasks/${task_id}/trace`)).status).toBe(404);
    expect((await call("GET", "/v1/tasks/never-was/trace")).status).toBe(404);
  });
});
