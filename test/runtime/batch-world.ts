import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { BatchObject } from "../../src/dispatch/batch/batch-object.ts";
import type { BatchPorts, Expansion } from "../../src/dispatch/batch/batch-ports.ts";
import type { BatchPlan, BatchRecord } from "../../src/dispatch/batch/batch-record.ts";
import { standingOf } from "../../src/dispatch/batch/batch.ts";
import { refuse } from "../../src/lib/result.ts";
import type { Result } from "../../src/lib/result.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { planOf } from "../unit/batch-fixture.ts";
import { accepted } from "./task-world.ts";

/** Tomorrow, so that no alarm that a test sets goes off by itself. */
const START = Date.now() + 86_400_000;

/**
 * One batch's real object among recorded neighbours, with a clock that a test turns by hand.
 *
 * Every test has a tenant of its own.
 */
export class BatchSubject {
  readonly created: string[] = [];
  readonly poked: string[] = [];
  readonly stopped: string[] = [];
  readonly logged: string[] = [];
  /** What creating a task comes to; undefined lets it succeed. */
  refuse: (task_id: string) => Promise<Result<null, Refusal> | undefined> | undefined = () =>
    undefined;
  tell: () => Promise<void> | undefined = () => undefined;
  expand: () => Result<Expansion, Refusal> = () =>
    refuse({ code: "plan_rejected", detail: "no test gave a plan" });
  now = START;
  readonly #name = `${crypto.randomUUID()}/b1`;
  stub = env.BATCH.getByName(this.#name);

  async wake(): Promise<this> {
    BatchObject.connect = () => this.#ports();
    await runInDurableObject(this.stub, (instance) => {
      instance.now = () => this.now;
    });
    return this;
  }

  #ports(): BatchPorts {
    return {
      create: async ({ item, isGated }) => {
        const refused = await this.refuse(item.task_id);
        if (refused !== undefined) return refused;
        this.created.push(isGated ? `${item.task_id} gated` : item.task_id);
        return { ok: true, value: null };
      },
      poke: async (_tenant, task_id) => {
        await this.tell();
        this.poked.push(task_id);
      },
      stop: async (_tenant, task_id, { reason }) => {
        await this.tell();
        this.stopped.push(`${task_id} ${reason}`);
      },
      expand: async () => this.expand(),
      log: (_level, event) => this.logged.push(event),
    };
  }

  /** Takes the object out of memory, as the platform may at any time. */
  async evict(): Promise<void> {
    await evictDurableObject(this.stub);
    this.stub = env.BATCH.getByName(this.#name);
    await this.wake();
  }

  begin(...[graph, options]: Parameters<typeof planOf>) {
    return this.beginPlan(planOf(graph, options));
  }

  beginPlan(plan: BatchPlan) {
    const [tenant = ""] = this.#name.split("/");
    return this.stub.begin(JSON.stringify({ ...plan, tenant, created_at: this.now }));
  }

  async end(task_id: string, status = "completed", result: unknown = null): Promise<void> {
    const reasons: Record<string, string> = { completed: "success", failed: "failure" };
    const end_reason = reasons[status] ?? "cancelled";
    this.now += 1_000;
    await this.stub.ended(JSON.stringify({ task_id, is_ended: true, status, end_reason, result }));
  }

  async record(): Promise<BatchRecord> {
    return JSON.parse(accepted(await this.stub.read()));
  }

  async state(): Promise<string> {
    return standingOf(await this.record()).state;
  }

  alarm(): Promise<number | null> {
    return runInDurableObject(this.stub, (_instance, { storage }) => storage.getAlarm());
  }

  /** Lets time pass until the alarm, and fires it. */
  async ring(): Promise<void> {
    const due = await this.alarm();
    if (due === null) throw new Error("no alarm is set");
    this.now = Math.max(this.now, due);
    await runDurableObjectAlarm(this.stub);
  }

  /** How many rows the object holds. */
  rows(): Promise<number> {
    return runInDurableObject(this.stub, (_instance, { storage }) => {
      const tables = storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name = 'record'")
        .toArray();
      return tables.length === 0
        ? 0
        : Number(storage.sql.exec("SELECT count(*) AS n FROM record").one()["n"]);
    });
  }
}

/** A batch's object that nobody else uses. */
export function newBatch(): Promise<BatchSubject> {
  return new BatchSubject().wake();
}
