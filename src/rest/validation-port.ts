import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type {
  ValidationRecord,
  ValidationsQuery,
  ValidationSummary,
  ValidationSummaryQuery,
} from "../protocol/validation-record.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What was found in the message itself, without its values. */
export type ValidationDetail = Pick<
  ValidationRecord,
  "fields" | "unknown_fields" | "errors" | "faults" | "warnings"
>;

/** A validation as whoever made it tells of it. */
export type ValidationReport = Omit<
  ValidationRecord,
  keyof ValidationDetail | "record_id" | "at" | "weight"
> & {
  /** Asked for only when the record is kept. */
  detail: () => ValidationDetail;
};

/** Where validations are written down, and read. Reads are refused with unavailable while D1 is down. */
export interface ValidationPort {
  /** Microseconds of a clock that only differences have a meaning on. */
  micros(): number;
  /** Writes it down if its turn has come, later. Never fails; `keepAlive` gets what goes on meanwhile. */
  note(report: ValidationReport, keepAlive: (work: Promise<unknown>) => void): void;
  /** Writes it down, and alerts the tenant: something broken was about to leave. Never fails. */
  withheld(report: ValidationReport): Promise<void>;
  /** Refused to all but the bootstrap key: `all`. */
  list(
    by: Principal,
    query: ValidationsQuery,
  ): Answer<{ items: ValidationRecord[]; next_cursor: string | null }>;
  get(by: Principal, record_id: string, all: boolean): Answer<ValidationRecord>;
  summary(by: Principal, query: ValidationSummaryQuery): Answer<ValidationSummary>;
}
