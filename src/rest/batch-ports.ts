import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { BatchView, TaskBatch } from "../protocol/batch.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Request, RequestView } from "../protocol/request.ts";
import type { Hop } from "../protocol/span-names.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A submission as it came: its body as sent and where it came from. */
interface Sent {
  body: unknown;
  idempotencyKey: string | null;
  traceId: string;
  /** The request as a span. */
  hop: Hop;
  origin: string;
}

/** Several tasks at once. */
export interface BatchPort {
  submit(by: Principal, batch: TaskBatch, sent: Sent): Answer<{ view: BatchView; isNew: boolean }>;
  view(by: Principal, batch_id: string): Answer<BatchView>;
  cancel(by: Principal, batch_id: string, reason: string | null): Answer<BatchView>;
}

/** Goals that become tasks. */
export interface RequestPort {
  /** A dry run is answered with its plan and is never new. */
  submit(
    by: Principal,
    request: Request,
    sent: Sent,
  ): Answer<{ view: RequestView; isNew: boolean }>;
  view(by: Principal, request_id: string): Answer<RequestView>;
  cancel(by: Principal, request_id: string, reason: string | null): Answer<RequestView>;
}
