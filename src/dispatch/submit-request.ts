import type { Hop } from "../protocol/span-names.ts";
import type { Approval, Assessment } from "../task/machine/state.ts";

/** The request behind a submission: its body as sent, by which repetitions are recognised. */
export interface SubmitRequest {
  body: unknown;
  idempotencyKey: string | null;
  traceId: string;
  /** It as a span of that trace, where it came over HTTP. */
  hop?: Hop | undefined;
  /** Scheme, host and port by which it came. */
  origin: string;
  /** How complex it was judged to be, judged on creation when absent; what must be answered before it starts. */
  assessment?: Assessment | undefined;
  approval?: Approval | undefined;
}
