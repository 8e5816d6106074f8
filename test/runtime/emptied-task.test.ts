import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { TaskView } from "../../src/protocol/task-view.ts";
import { Executor, call, ended, eventually, log, report, submit, view } from "./batuta.ts";
import type { Answered } from "./batuta.ts";

const DAY_MS = 86_400_000;

const stubOf = (task_id: string) => env.TASK.getByName(`default/${task_id}`);

/** Lives a task to its end, with a progress, a result and a recommendation. */
async function live(name: string, more: Record<string, unknown> = {}): Promise<TaskView> {
  const executor = await new Executor(name).register();
  const { task_id } = await submit({ requires: { capabilities: [name] }, ...more });
  await executor.claim();
  await executor.start();
  await executor.progress(50);
  await executor.complete();
  await executor.end();
  return ended(task_id);
}

/** Waits until history has all of it, lets eight days pass, and sees that the object holds nothing. */
async function empty(task_id: string): Promise<void> {
  const { seq } = await view(task_id);
  await eventually(
    () =>
      env.DB.prepare("SELECT events_to FROM task WHERE task_id = ?")
        .bind(task_id)
        .first<number>("events_to"),
    (events_to) => events_to === seq,
  );
  await runInDurableObject(stubOf(task_id), (instance) => {
    instance.now = () => Date.now() + 8 * DAY_MS;
  });
  await runDurableObjectAlarm(stubOf(task_id));
  expect(await tablesOf(task_id)).toEqual([]);
}

const tablesOf = (task_id: string) =>
  runInDurableObject(stubOf(task_id), (_instance, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '%cf%'").toArray(),
  );

const codeOf = ({ status, body }: Answered<Record<string, unknown>>) => [status, body["code"]];

describe("a task whose object was emptied", () => {
  it("is told from D1 alone: its view, log, report and timeline are those that its object had", async () => {
    const { task_id } = await live("post-mortem");
    const before = [await view(task_id), await log(task_id), await report(task_id)] as const;

    await empty(task_id);

    const [seen, events, told] = [await view(task_id), await log(task_id), await report(task_id)];
    expect(seen).toEqual(before[0]);
    expect(events).toEqual(before[1]);
    expect(told).toEqual(before[2]);
    expect(told.timeline.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(told.timeline.at(-1)?.what).toContain("agent_end_task");
  });

  it("streams its log from history, from where a client was, and ends", async () => {
    const { task_id, seq } = await live("replayed");
    await empty(task_id);
    const stream = async (after: number) => {
      const response = await exports.default.fetch(
        new Request(`https://batuta.test/v1/tasks/${task_id}/stream?after=${after}`, {
          headers: { authorization: `Bearer ${env.BATUTA_ADMIN_KEY}` },
        }),
      );
      const text = await response.text();
      return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    };

    expect(await stream(0)).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
    expect(await stream(seq - 1)).toEqual([seq]);
    const again = await call("GET", `/v1/tasks/${task_id}/stream`, undefined, {
      "Last-Event-ID": String(seq),
    });
    expect(again.status).toBe(204);
  });

  it("explains itself, recommends and shows its deliveries, and is listed", async () => {
    const { task_id } = await live("explained", { tags: ["old-one"] });
    await empty(task_id);

    const explained = await call("GET", `/v1/tasks/${task_id}/explain`);
    const steps = await call("GET", `/v1/tasks/${task_id}/next-steps`);
    const deliveries = await call("GET", `/v1/tasks/${task_id}/deliveries`);
    const listed = await call<{ items: TaskView[] }>("GET", "/v1/tasks?tag=old-one");

    expect(explained.body).toMatchObject({
      phase: "ended",
      waiting_for: [],
      decision: { agent_id: "explained" },
    });
    expect([steps.status, deliveries.status]).toEqual([200, 200]);
    expect(listed.body.items.map((one) => one.task_id)).toEqual([task_id]);
  });

  it("has ended for whoever wants something of it, and its own memory is gone", async () => {
    const { task_id } = await live("over");
    await empty(task_id);
    const at = `/v1/tasks/${task_id}`;
    const token = { "lease-token": "any" };
    const end = {
      task_id,
      agent_id: "over",
      reason: "cancelled",
      timestamp: new Date().toISOString(),
    };
    const executor = new Executor("over");
    executor.hold(task_id, "any");

    const orders = [
      await call("POST", `${at}/commands`, { command: "cancel" }),
      await call("POST", `${at}/heartbeat`, {}, token),
      await call("POST", `${at}/decline`, { reason: "late" }, token),
      await call("POST", `${at}/end`, end, token),
      await executor.progress(60),
      await call("PATCH", `${at}/shared-context`, { patch: { a: 1 } }),
      await call("PUT", `${at}/notes/a`, { value: 1 }, token),
      await call("POST", "/v1/tasks", {
        task_type: "research",
        description: "a child that comes too late",
        parent_task_id: task_id,
      }),
    ];
    const reads = [
      await call("GET", `${at}/commands`),
      await call("GET", `${at}/subtasks`),
      await call("GET", `${at}/shared-context`),
      await call("POST", `${at}/rebuild`, {}),
      await call("GET", `${at}/notes`),
      await call("GET", `${at}/notes/a`),
    ];

    expect(orders.map(codeOf)).toEqual(orders.map(() => [409, "task_ended"]));
    expect(reads.map(codeOf)).toEqual(reads.map(() => [410, "task_gone"]));
    expect(await tablesOf(task_id)).toEqual([]);
  });

  it("is read by the executors that held it, and by no other executor", async () => {
    const keyed = async (name: string) => {
      const { body } = await call<{ key: string }>("POST", "/v1/keys", {
        name,
        scopes: ["execute"],
      });
      return { authorization: `Bearer ${body.key}` };
    };
    const [mine, theirs] = [await keyed("mine"), await keyed("theirs")];
    const agent = { capabilities: ["held-it"], task_types: ["research"], slots: 1 };
    await call("PUT", "/v1/agents/held-it", agent, mine);
    await call("PUT", "/v1/agents/other", { ...agent, capabilities: ["other"] }, theirs);
    const { task_id } = await submit({ requires: { capabilities: ["held-it"] } });
    const claimed = await call<{ tasks: { lease: { token: string } }[] }>(
      "POST",
      "/v1/agents/held-it/claim",
      { wait_seconds: 5 },
      mine,
    );
    const executor = new Executor("held-it");
    executor.hold(task_id, claimed.body.tasks[0]?.lease.token ?? "");
    await executor.start();
    await executor.complete();
    await executor.end();
    await ended(task_id);
    await empty(task_id);
    const ways = ["", "/events", "/report", "/explain", "/trace", "/stream", "/commands"];
    const answers = async (key: Record<string, string>) => {
      const found = [];
      for (const way of ways) {
        const one = await call("GET", `/v1/tasks/${task_id}${way}`, undefined, {
          ...key,
          ...(way === "/stream" && { "Last-Event-ID": "999" }),
        });
        found.push(one.status);
      }
      return found;
    };

    expect(await answers(mine)).toEqual([200, 200, 200, 200, 200, 204, 410]);
    expect(await answers(theirs)).toEqual(ways.map(() => 404));
  });

  it("is no second time created: the same request is a repetition, another one a conflict", async () => {
    const task = { task_type: "research", description: "a task that is submitted twice" };
    const named = { ...task, task_id: "named-once", requires: { capabilities: ["twice"] } };
    const first = await live("twice", named);
    const key = { "Idempotency-Key": "only-once" };
    const keyed = await call<TaskView>("POST", "/v1/tasks", task, key);
    await call("POST", `/v1/tasks/${keyed.body.task_id}/commands`, { command: "cancel" });
    const cancelled = await ended(keyed.body.task_id);
    await empty(first.task_id);
    await empty(cancelled.task_id);

    const again = await call<TaskView>("POST", "/v1/tasks", named);
    const other = await call("POST", "/v1/tasks", { ...named, priority: "high" });
    const byKey = await call<TaskView>("POST", "/v1/tasks", task, key);
    const otherByKey = await call("POST", "/v1/tasks", { ...task, priority: "high" }, key);
    const inBatch = await call("POST", "/v1/batches", { batch_id: "late", tasks: [named] });

    expect([again.status, again.body]).toEqual([200, first]);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect([byKey.status, byKey.body]).toEqual([200, cancelled]);
    for (const refused of [other, otherByKey, inBatch]) {
      expect(codeOf(refused)).toEqual([409, "idempotency_conflict"]);
    }
    expect([await tablesOf(first.task_id), await tablesOf(cancelled.task_id)]).toEqual([[], []]);
  });

  it("takes no answer to its escalation, as before", async () => {
    const { task_id } = await submit({ execution_options: { autonomy_level: "manual" } });
    const resolve = `/v1/escalations/esc_1_${task_id}/resolve`;
    const answer = { decision: "resume", answer: "late" };
    await call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel" });
    await ended(task_id);
    const before = await call("POST", resolve, answer);
    await empty(task_id);

    const after = await call("POST", resolve, answer);

    expect([before, after].map(codeOf)).toEqual(Array(2).fill([409, "escalation_closed"]));
    expect((await call("GET", `/v1/escalations/esc_1_${task_id}`)).status).toBe(200);
  });

  it("still lets those start that come after it, and gives them its result", async () => {
    const before = await live("before-them");
    await empty(before.task_id);
    const executor = await new Executor("after-it").register();

    const dependent = await submit({
      requires: { capabilities: ["after-it"] },
      parameters: { dependencies: [before.task_id] },
    });
    const given = await executor.claim();
    const inferred = await submit({
      requires: { capabilities: ["after-it"] },
      context: { previous_tasks: [before.task_id] },
    });
    const alsoGiven = await executor.claim();

    expect([given["task_id"], alsoGiven["task_id"]]).toEqual([dependent.task_id, inferred.task_id]);
    for (const { context } of [given, alsoGiven]) {
      expect(JSON.stringify(context)).toContain('"answer":42');
    }
  });
});

describe("a task that nobody knows", () => {
  it("is not found, whatever is wanted of it", async () => {
    const answers = [
      await call("GET", "/v1/tasks/never-was"),
      await call("GET", "/v1/tasks/never-was/commands"),
      await call("POST", "/v1/tasks/never-was/commands", { command: "cancel" }),
      await call("GET", "/v1/tasks/never-was/explain"),
    ];

    expect(answers.map(codeOf)).toEqual(answers.map(() => [404, "task_not_found"]));
  });
});
