import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Hop } from "../protocol/span-names.ts";
import type {
  SharedContext,
  SharedContextPatch,
  SubtaskOffer,
  SubtaskOfferAnswer,
  SubtaskView,
} from "../protocol/subtasks.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Executors that work on one task together. */
export interface SubtaskPort {
  offer(
    by: Principal,
    at: { task_id: string; token: string | null },
    offer: SubtaskOffer,
    request: {
      body: unknown;
      idempotencyKey: string | null;
      traceId: string;
      hop: Hop;
      origin: string;
    },
  ): Answer<SubtaskOfferAnswer>;
  view(by: Principal, task_id: string): Answer<SubtaskView>;
  shared(by: Principal, task_id: string, subtask_id: string | null): Answer<SharedContext>;
  share(
    by: Principal,
    at: { task_id: string; token: string | null },
    change: SharedContextPatch,
  ): Answer<SharedContext>;
}
