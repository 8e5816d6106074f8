import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { assess } from "../../src/dispatch/complexity.ts";
import { createSubmissions } from "../../src/dispatch/submission.ts";
import type { SubmitGroup } from "../../src/dispatch/submission.ts";
import { ok } from "../../src/lib/result.ts";
import type { Result } from "../../src/lib/result.ts";
import { heartbeatAnswerSchema } from "../../src/protocol/agent.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import type { SubtaskView } from "../../src/protocol/subtasks.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import type { TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import { doorsOf } from "../../src/services-doors.ts";
import { askKinOf, kinPortsOf } from "../../src/services-kin.ts";
import type { KinPorts } from "../../src/task/ports.ts";
import { TaskObject } from "../../src/task/task-object.ts";
import { ORCHESTRATOR, endOf, notificationOf, orderOf } from "../task-life.ts";
import { RETENTION_MS, START, accepted } from "./task-world.ts";

type Stub = DurableObjectStub<TaskObject>;

/**
 * Several tasks' real objects that reach each other as in production, on one clock that a test turns by hand.
 *
 * Their pools and endpoints are silent: executors are a test's own business.
 */
export class KinWorld {
  readonly tenant = crypto.randomUUID();
  readonly #tasks = new Set<string>();
  readonly #tokens = new Map<string, string>();
  /** Replaces ports of the tasks towards each other. */
  ports: Partial<KinPorts> = {};
  now = START;

  constructor() {
    const kin = kinPortsOf(doorsOf(env));
    TaskObject.connect = () => ({
      announce: async () => {},
      release: async () => {},
      publish: async () => {},
      record: async () => {},
      recordedTo: async () => Infinity,
      missingStakeholders: async () => [],
      remember: async () => {},
      endPhases: {},
      retentionMs: RETENTION_MS,
      forgottenMs: null,
      log: () => {},
      ...kin,
      ...this.ports,
    });
  }

  stub(task_id: string): Stub {
    return env.TASK.getByName(`${this.tenant}/${task_id}`);
  }

  async #attend(task_id: string): Promise<Stub> {
    this.#tasks.add(task_id);
    const stub = this.stub(task_id);
    await runInDurableObject(stub, (instance: TaskObject) => {
      instance.now = () => this.now;
    });
    return stub;
  }

  /** Submits as the dispatch room does; the task is a request's changes against the least there can be. */
  async trySubmit(
    task_id: string,
    changes: Record<string, unknown> = {},
    group?: SubmitGroup,
  ): Promise<Result<{ view: TaskView; isNew: boolean }, Refusal>> {
    await this.#attend(task_id);
    const by = { key_id: "key", tenant: this.tenant, scopes: ["orchestrate" as const] };
    const body = { task_id, task_type: "general", description: "Summarise the text", ...changes };
    const request = { body, idempotencyKey: null, traceId: "trace", origin: "https://batuta.test" };
    const submissions = createSubmissions({
      now: () => this.now,
      newId: () => crypto.randomUUID(),
      task: (_tenant, id) => this.stub(id),
      askKin: askKinOf(doorsOf(env)),
      isArchived: async () => false,
      past: { former: async () => null, view: async () => ok(null) },
      assess: async (_tenant, asked) => assess(asked, new Map()),
      contractFaults: () => [],
      urlFault: async () => null,
      unknownWebhooks: async () => [],
    });
    const task = taskExecutionSchema.parse(body);
    const principal = { ...by, isBootstrap: false };
    const refusal = await submissions.check(principal, task, request, { group });
    return refusal === null
      ? submissions.create(principal, task, request, { group })
      : { ok: false, refusal };
  }

  async submit(...all: Parameters<KinWorld["trySubmit"]>): Promise<TaskView> {
    return accepted(await this.trySubmit(...all)).view;
  }

  /** An executor takes the task and starts. */
  async start(task_id: string, attempt = 1): Promise<void> {
    const offer = { agent_id: "ann", attempt, decision: "{}" };
    const given = accepted(await this.stub(task_id).assign(offer));
    this.#tokens.set(task_id, given.lease.token);
    await this.notify(task_id, "task_started");
  }

  async notify(
    task_id: string,
    type: Parameters<typeof notificationOf>[0],
    data: Record<string, unknown> = {},
  ): Promise<void> {
    const timestamp = new Date(this.now).toISOString();
    const notification = notificationOf(type, data, { task_id, timestamp });
    const token = this.#tokens.get(task_id) ?? null;
    accepted(await this.stub(task_id).notify(token, JSON.stringify(notification)));
  }

  /** The executor's sign of life, with what it has used; the commands that are open. */
  async beat(task_id: string, usage: { tokens?: number; cost_usd?: number }): Promise<string[]> {
    const token = this.#tokens.get(task_id) ?? null;
    const done = await this.stub(task_id).heartbeat(token, JSON.stringify({ usage }));
    if (!done.ok) return [];
    return heartbeatAnswerSchema.parse(JSON.parse(done.value)).commands.map((open) => open.command);
  }

  /** Taken, done and ended by its executor. */
  async complete(task_id: string, result: unknown, overall_score = 0.9): Promise<void> {
    await this.start(task_id);
    await this.notify(task_id, "task_completed", {
      result,
      quality_assessment: { overall_score },
    });
    await this.end(task_id, "success");
  }

  async fail(task_id: string): Promise<void> {
    await this.start(task_id);
    await this.notify(task_id, "task_failed", { retry_recommended: false });
    await this.end(task_id, "failure");
  }

  async end(task_id: string, reason: Parameters<typeof endOf>[0]): Promise<void> {
    const text = JSON.stringify(endOf(reason, { task_id }));
    accepted(await this.stub(task_id).end(this.#tokens.get(task_id) ?? null, text));
  }

  async cancel(task_id: string): Promise<void> {
    accepted(await this.stub(task_id).command(JSON.stringify(orderOf("cancel")), ORCHESTRATOR));
  }

  async view(task_id: string): Promise<TaskView> {
    return JSON.parse(accepted(await this.stub(task_id).view()).view);
  }

  async subtasks(task_id: string): Promise<SubtaskView> {
    return JSON.parse(accepted(await this.stub(task_id).kin(JSON.stringify({ call: "subtasks" }))));
  }

  async events(task_id: string): Promise<TaskEvent[]> {
    return JSON.parse(accepted(await this.stub(task_id).events(0, 10_000)).events);
  }

  async types(task_id: string): Promise<string[]> {
    return (await this.events(task_id)).map(({ type }) => type);
  }

  /** Takes every object out of memory, as the platform may at any time. */
  async evict(): Promise<void> {
    for (const task_id of this.#tasks) {
      await evictDurableObject(this.stub(task_id));
      await this.#attend(task_id);
    }
  }

  /** Rows of a table in a task's object; null when there is no such table. */
  rows(task_id: string, table: string): Promise<number | null> {
    return runInDurableObject(this.stub(task_id), (_instance, { storage }) => {
      const found = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table).toArray();
      if (found.length === 0) return null;
      return Number(storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()["n"]);
    });
  }

  /** Lets time pass: every alarm fires when the clock comes to it, the earliest first. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (let turn = 0; turn < 500; turn += 1) {
      const [due, task_id] = await this.#nextAlarm();
      if (task_id === null || due > until) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, due);
      await runDurableObjectAlarm(this.stub(task_id));
    }
    throw new Error("the alarms never rest");
  }

  async #nextAlarm(): Promise<[number, string | null]> {
    let next: [number, string | null] = [Infinity, null];
    for (const task_id of this.#tasks) {
      const stub = this.stub(task_id);
      const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
      if (at !== null && at < next[0]) next = [at, task_id];
    }
    return next;
  }
}
