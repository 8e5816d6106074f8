import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Rating, RatingRequest } from "../protocol/metric-series.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** How people judge what tasks have made. Refused with unavailable while D1 is down. */
export interface RatingPort {
  /** Refused: as the task is; transition_refused before its end. */
  put(by: Principal, task_id: string, request: RatingRequest): Answer<Rating>;
  /** Refused: as the task is; rating_not_found. */
  get(by: Principal, task_id: string): Answer<Rating>;
}
