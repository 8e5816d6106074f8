import type { Log } from "../../lib/log.ts";
import type { Result } from "../../lib/result.ts";
import type { EndReason } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { PlanRecord } from "../../protocol/request.ts";
import type { BatchItem, BatchPlan } from "./batch-record.ts";
import type { GateAnswer } from "./batch.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** One task to be created; `isGated` when it must ask its batch before it may start. */
export interface Creation {
  plan: BatchPlan;
  item: BatchItem;
  isGated: boolean;
}

/** What an executor's plan comes to: the plan that is stored, and its tasks. */
export interface Expansion {
  plan: PlanRecord;
  items: BatchItem[];
}

/** What a batch's object needs from other parts; services build it. All of it may be repeated. */
export interface BatchPorts {
  /** Creates a task of the batch, or finds that it is there already. */
  create(creation: Creation): Answer<null>;
  /** Has a task ask again whether it may start. */
  poke(tenant: string, task_id: string): Promise<void>;
  /** Ends a task of batch `from`, whatever it is doing. One that has ended already stays as it is. */
  stop(
    tenant: string,
    task_id: string,
    stop: { from: string; reason: EndReason; message: string },
  ): Promise<void>;
  /** The tasks that come of an executor's plan. Refused: plan_rejected. */
  expand(plan: BatchPlan, result: unknown): Answer<Expansion>;
  log: Log;
}

/** What a batch says of itself, as JSON text across RPC: `BatchRecord`. */
export type BatchText = string;

/** A batch's object as others call it; payloads are JSON text. Every call may be repeated. */
export interface BatchDoor {
  /** The batch, or null when there is none. Refused with idempotency_conflict when it came of another body. */
  find(body_hash: string): Answer<BatchText | null>;
  /** Stores the batch and creates its tasks; what fails is done later by itself. Refused like `find`. */
  begin(plan: string): Answer<{ record: BatchText; isNew: boolean }>;
  /** Refused: batch_not_found. */
  read(): Answer<BatchText>;
  /** Whether a task may start. */
  gate(task_id: string): Promise<GateAnswer>;
  /** A task has ended: JSON of `Outcome`. */
  ended(outcome: string): Promise<void>;
  /** Stops what has not ended. Refused: batch_not_found; of one that has ended nothing changes. */
  cancel(message: string): Answer<BatchText>;
}
