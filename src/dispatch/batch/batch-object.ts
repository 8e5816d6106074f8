import { DurableObject } from "cloudflare:workers";

import type { Clock } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { BatchKeeper } from "./batch-keeper.ts";
import type { BatchDoor, BatchPorts, BatchText } from "./batch-ports.ts";
import { batchPlanSchema, outcomeSchema } from "./batch-record.ts";
import { gateOf } from "./batch.ts";
import type { GateAnswer } from "./batch.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/**
 * One batch of one tenant, or one request with its plan, named `tenant/batch_id`: which of its tasks may
 * start, and what became of them. What a task does is decided by the task's own object.
 */
export class BatchObject extends DurableObject<Env> implements BatchDoor {
  /** What batches need from other parts; set once by index.ts. */
  static connect: (env: Env) => BatchPorts;

  now: Clock = () => Date.now();
  readonly #keeper: BatchKeeper;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#keeper = new BatchKeeper(ctx, BatchObject.connect(env), () => this.now());
  }

  async find(body_hash: string): Answer<BatchText | null> {
    const found = this.#keeper.find(body_hash);
    if (!found.ok) return found;
    return ok(found.value === null ? null : JSON.stringify(found.value));
  }

  async begin(plan: string): Answer<{ record: BatchText; isNew: boolean }> {
    const begun = await this.#keeper.begin(batchPlanSchema.parse(JSON.parse(plan)));
    if (!begun.ok) return begun;
    const { record, isNew } = begun.value;
    return ok({ record: JSON.stringify(record), isNew });
  }

  async read(): Answer<BatchText> {
    const record = await this.#keeper.current();
    if (record === null) {
      return refuse({ code: "batch_not_found", detail: "There is no batch with this id." });
    }
    return ok(JSON.stringify(record));
  }

  async gate(task_id: string): Promise<GateAnswer> {
    const record = await this.#keeper.current();
    return record === null ? { is_open: false } : gateOf(record, task_id);
  }

  async ended(outcome: string): Promise<void> {
    await this.#keeper.ended(outcomeSchema.parse(JSON.parse(outcome)));
  }

  async cancel(message: string): Answer<BatchText> {
    const cancelled = await this.#keeper.cancel(message);
    return cancelled.ok ? ok(JSON.stringify(cancelled.value)) : cancelled;
  }

  override async alarm(): Promise<void> {
    await this.#keeper.wake();
  }
}
