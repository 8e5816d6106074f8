import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** A request that was answered. */
export interface AnsweredRequest {
  /** Whose key it came with; "" where it came with none. */
  tenant: string;
  /** The pattern of its route, never its path. */
  route: string;
  method: string;
  status: number;
  duration_ms: number;
}

/** What the REST face needs of the figures. */
export interface MeterPort {
  /** Counts a request; gives what is to go on after the answer, which never fails, or null. */
  count(request: AnsweredRequest): Promise<void> | null;
  /** The figures as Prometheus text: of the key's tenant, or of all; the latter is for the bootstrap key alone. */
  text(by: Principal, isAll: boolean): Promise<Result<string, Refusal>>;
}
