import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import type { TaskEvent } from "../../src/protocol/task-view.ts";
import { Executor, call, ended, eventually, log, report, submit, view } from "./batuta.ts";
import { bodyText, newReceiver } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";

interface Body {
  type: string;
  data: { seq: number; prev_seq: number | null; notification: Record<string, unknown> };
}

async function bodies(receiver: Receiver): Promise<Body[]> {
  return (await receiver.log()).map((request): Body => JSON.parse(bodyText(request)));
}

async function subscribe(receiver: Receiver, more = {}): Promise<{ id: string; secret: string }> {
  const { body } = await call<{ webhook_id: string; secret: string }>("POST", "/v1/webhooks", {
    url: receiver.url,
    ...more,
  });
  return { id: body.webhook_id, secret: body.secret };
}

describe("a task's life", () => {
  it("goes from the POST to verified webhooks and the row in history, with one dense seq everywhere", async () => {
    const receiver = newReceiver();
    const { secret } = await subscribe(receiver);
    const executor = await new Executor("spine-1").register();
    const { task_id } = await submit({ requires: { capabilities: ["spine-1"] } });

    await executor.claim();
    await executor.start();
    await executor.progress(50);
    await executor.complete();
    await executor.end();
    await ended(task_id);

    const events = await log(task_id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const received = await eventually(
      () => receiver.log(),
      (requests) => requests.length >= 4,
    );
    for (const request of received) {
      new Webhook(secret).verify(bodyText(request), request.headers);
    }
    const told = await bodies(receiver);
    expect(told.map(({ type }) => type)).toEqual([
      "task_started",
      "task_progress",
      "task_completed",
      "agent_end_task",
    ]);
    expect(told.map(({ data }) => data.seq)).toEqual(
      events.filter(({ type }) => told.some((one) => one.type === type)).map(({ seq }) => seq),
    );
    const listed = await eventually(
      async () =>
        (await call<{ items: { task_id: string; seq: number }[] }>("GET", "/v1/tasks")).body.items,
      (items) => items.some((item) => item.task_id === task_id && item.seq === events.length),
    );
    expect(listed).not.toHaveLength(0);
    const rows = await env.DB.prepare("SELECT events FROM task WHERE task_id = ?")
      .bind(task_id)
      .all();
    expect(rows.results).toHaveLength(1);
  });

  it("ends while the orchestrator is unreachable, and the orchestrator catches up in order", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 503 }]);
    await subscribe(receiver, { retry_policy: { schedule: [1, 1, 1, 1, 1, 1] } });
    const executor = await new Executor("spine-2").register();
    const { task_id } = await submit({ requires: { capabilities: ["spine-2"] } });

    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();
    const over = await ended(task_id);

    expect(over.end_reason).toBe("success");
    await receiver.script([{ status: 200 }]);
    const told = await eventually(
      async () => {
        const all = await receiver.log();
        return all.slice(all.length - 3).map((request): Body => JSON.parse(bodyText(request)));
      },
      (last) => last.at(-1)?.type === "agent_end_task",
    );
    expect(told.map(({ type }) => type)).toEqual([
      "task_started",
      "task_completed",
      "agent_end_task",
    ]);
  });

  it("carries commands to the executor in the answer to its heartbeat, and their effects are real", async () => {
    const executor = await new Executor("spine-3").register();
    const { task_id } = await submit({ requires: { capabilities: ["spine-3"] } });
    await executor.claim();
    await executor.start();

    const grant = await call("POST", `/v1/tasks/${task_id}/commands`, {
      command: "grant_resources",
      grant: { duration_s: 600 },
    });
    await call("POST", `/v1/tasks/${task_id}/commands`, {
      command: "set_priority",
      priority: "critical",
    });
    const asked = await call("POST", `/v1/tasks/${task_id}/commands`, {
      command: "request_update",
    });
    const beat = await call<{ commands: { command: string; command_id: string }[] }>(
      "POST",
      `/v1/tasks/${task_id}/heartbeat`,
      {},
      executor.lease,
    );

    expect([grant.status, asked.status]).toEqual([202, 202]);
    expect(beat.body.commands.map(({ command }) => command)).toEqual([
      "grant_resources",
      "set_priority",
      "request_update",
    ]);
    const acknowledged = beat.body.commands.map(({ command_id }) => command_id);
    const second = await call<{ commands: unknown[] }>(
      "POST",
      `/v1/tasks/${task_id}/heartbeat`,
      { acknowledged },
      executor.lease,
    );
    expect(second.body.commands).toEqual([]);
    const now = await view(task_id);
    expect(now.priority).toBe("critical");
    expect(Date.parse(now.deadline_at ?? "") - Date.parse(now.started_at ?? "")).toBe(900_000);
  });

  it("tells the orchestrator of the end without being asked, at the task's own callback", async () => {
    const receiver = newReceiver("callback");
    const executor = await new Executor("spine-4").register();
    const { task_id } = await submit({
      requires: { capabilities: ["spine-4"] },
      orchestrator_info: { callback_url: receiver.url },
    });
    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();

    const told = await eventually(
      () => bodies(receiver),
      (all) => all.some(({ type }) => type === "agent_end_task"),
    );

    expect(told.map(({ data }) => data.notification["task_id"])).toEqual([
      task_id,
      task_id,
      task_id,
    ]);
    const { body } = await call<{ secret: string }>("GET", "/v1/callback-secret");
    for (const request of await receiver.log()) {
      new Webhook(body.secret).verify(bodyText(request), request.headers);
    }
  });

  it("recovers from a failed attempt by its retry policy, and keeps the failure in the post-mortem", async () => {
    const executor = await new Executor("spine-5").register();
    const { task_id } = await submit({
      requires: { capabilities: ["spine-5"] },
      execution_options: { retry_policy: { max_retries: 1, retry_delay: 1 } },
    });
    await executor.claim();
    await executor.start();
    await executor.fail();
    expect(await view(task_id)).toMatchObject({ phase: "retry_wait", status: "pending" });

    await eventually(
      () => view(task_id),
      ({ phase }) => phase === "queued",
    );
    const again = await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();
    const over = await ended(task_id);

    expect(again["attempt"]).toBe(2);
    expect(over).toMatchObject({ status: "completed", attempt: 2, max_attempts: 2 });
    expect((await report(task_id)).post_mortem).toMatchObject([{ class: "tool" }]);
  });

  it("fails with its cause and its partial results when no retry is left", async () => {
    const executor = await new Executor("spine-6").register();
    const { task_id } = await submit({
      requires: { capabilities: ["spine-6"] },
      execution_options: { retry_policy: { max_retries: 0 } },
    });
    await executor.claim();
    await executor.start();
    await executor.fail({ partial_results: { steps: [1, 2] } });
    await executor.end("cancelled");
    const over = await ended(task_id);

    expect(over).toMatchObject({
      status: "failed",
      end_reason: "failure",
      completion_status: "partial",
      error: { type: "broken", root_cause: { class: "tool" } },
    });
  });

  it("waits for an answer when its executor escalates, and goes on with it", async () => {
    const executor = await new Executor("spine-7").register();
    const { task_id } = await submit({ requires: { capabilities: ["spine-7"] } });
    await executor.claim();
    await executor.start();
    await executor.notify("task_escalated", {
      escalation_reason: "unclear",
      escalation_level: "human",
      question: "Which currency?",
      urgency: "high",
      options: ["EUR", "USD"],
    });
    expect(await view(task_id)).toMatchObject({ status: "escalated", phase: "awaiting_input" });

    const open = await eventually(
      async () =>
        (
          await call<{ items: { escalation_id: string; task_id: string }[] }>(
            "GET",
            "/v1/escalations?state=open",
          )
        ).body.items,
      (items) => items.some((item) => item.task_id === task_id),
    );
    const id = open.find((item) => item.task_id === task_id)?.escalation_id;
    const resolve = { decision: "resume", answer: "EUR" };
    const first = await call("POST", `/v1/escalations/${id}/resolve`, resolve);
    const second = await call("POST", `/v1/escalations/${id}/resolve`, resolve);
    const again = await executor.claim();

    expect([first.status, second.status]).toEqual([200, 409]);
    expect(again["metadata"]).toMatchObject({ escalation_answers: [{ answer: "EUR" }] });
  });
});

describe("correlation", () => {
  it("finds one id in every hop of a task: answer, log, webhook, history", async () => {
    const receiver = newReceiver();
    await subscribe(receiver);
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const executor = await new Executor("spine-8").register();
    const submitted = await call<{ task_id: string }>(
      "POST",
      "/v1/tasks",
      {
        task_type: "research",
        description: "a task with a trace",
        requires: { capabilities: ["spine-8"] },
      },
      { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    );
    const { task_id } = submitted.body;
    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();
    await ended(task_id);

    expect(submitted.headers.get("traceparent")).toContain(trace);
    expect(new Set((await log(task_id)).map(({ correlation_id }) => correlation_id))).toEqual(
      new Set([trace]),
    );
    const received = await eventually(
      async () => (await receiver.log()).filter(({ headers }) => headers["x-task-id"] === task_id),
      (all) => all.length === 3,
    );
    expect(received.every(({ headers }) => headers["traceparent"]?.includes(trace))).toBe(true);
    await eventually(
      async () => {
        const rows = await env.DB.prepare("SELECT events FROM task WHERE task_id = ?")
          .bind(task_id)
          .all<{ events: string }>();
        return rows.results.map((row): TaskEvent[] => JSON.parse(row.events)).flat();
      },
      (events) => events.length > 0 && events.every((event) => event.correlation_id === trace),
    );
  });
});
