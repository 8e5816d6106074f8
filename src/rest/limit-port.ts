import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type {
  KeyLimits,
  Limits,
  LimitsPatch,
  LimitsView,
  OperationClass,
} from "../protocol/limits.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Whether a request may pass, and what is known of its principal's limit. */
export interface Draw {
  isAllowed: boolean;
  /** Requests of the class in a window. */
  limit: number;
  remaining: number;
  /** Whole seconds until the window is over, 1 or more. */
  reset_s: number;
}

/** How many requests a principal may make. */
export interface LimitPort {
  /** Takes a permit for one request. */
  draw(by: Principal, operation: OperationClass): Promise<Draw>;
  /** Tells of an answer to a tenant's request. */
  answered(tenant: string, isFault: boolean): void;
  view(by: Principal): Answer<LimitsView>;
  /** Changes the limits of the principal's tenant. */
  change(by: Principal, patch: LimitsPatch): Answer<LimitsView>;
  /** Gives a key of the principal's tenant limits of its own. */
  setKey(by: Principal, key_id: string, limits: Limits): Answer<KeyLimits>;
  /** Takes them away again. */
  clearKey(by: Principal, key_id: string): Answer<null>;
}
