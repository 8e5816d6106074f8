import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Trace } from "../protocol/trace.ts";

/** What tasks spent their time on. */
export interface TracePort {
  /** Refused as the view of the task is: task_not_found, task_gone. */
  trace(by: Principal, task_id: string): Promise<Result<Trace, Refusal>>;
}
