import { instant, type Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import { withinLimit } from "../lib/within-limit.ts";
import type { Principal } from "../protocol/access.ts";
import type { Page } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type {
  ValidationRecord,
  ValidationsQuery,
  ValidationSummary,
  ValidationSummaryQuery,
} from "../protocol/validation-record.ts";
import type { ValidationKeeper } from "./validation-keeper.ts";
import type { ValidationSampling } from "./validation-sampling.ts";

/** As long as a read of D1 may take (services-doors.ts). Milliseconds. */
const FLUSH_LIMIT_MS = 2_000;

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A validation as whoever made it tells of it. What it takes time to find out is asked for when it is kept. */
type Detail = "fields" | "unknown_fields" | "errors" | "faults" | "warnings";
type Report = Omit<ValidationRecord, Detail | "record_id" | "at" | "weight"> & {
  detail: () => Pick<ValidationRecord, Detail>;
};

/** What the use cases are built from. */
export interface ValidationsParts {
  now: Clock;
  newId: (now: number) => string;
  sampling: ValidationSampling;
  keeper: ValidationKeeper;
  /** Tells the tenant that something broken was about to leave. */
  alert: (record: ValidationRecord) => Promise<void>;
  /** `tenant` null: of all, and of nobody. */
  list: (
    tenant: string | null,
    query: Omit<ValidationsQuery, "all">,
  ) => Answer<Page<ValidationRecord>>;
  get: (tenant: string | null, record_id: string) => Promise<ValidationRecord | null>;
  summarise: (tenant: string | null, since: string) => Answer<ValidationSummary>;
}

/** Whose records are asked for: those of the key's tenant, or all with the bootstrap key. */
function ownerOf(by: Principal, all: boolean): Result<string | null, Refusal> {
  if (!all) return ok(by.tenant);
  if (by.isBootstrap) return ok(null);
  const detail = "Records of all tenants and of nobody are for the bootstrap key; leave out `all`.";
  return refuse({ code: "forbidden", detail });
}

/** Writing down what was checked of messages, and reading it. */
export function createValidations(parts: ValidationsParts) {
  const { keeper, sampling, now } = parts;

  function recordOf({ detail, ...report }: Report, weight: number): ValidationRecord {
    const at = now();
    return { ...report, ...detail(), record_id: parts.newId(at), at: instant(at), weight };
  }

  /** Has what waits written, but waits no longer than a reader would: a D1 that hangs refuses its questions itself. */
  async function flushed(): Promise<void> {
    await withinLimit(FLUSH_LIMIT_MS, () => keeper.flush());
  }

  return {
    note(report: Report, keepAlive: (work: Promise<unknown>) => void): void {
      const weight = sampling.weightOf(report.outcome, now());
      if (weight > 0) keeper.add(recordOf(report, weight), keepAlive);
    },
    async withheld(report: Report): Promise<void> {
      const weight = sampling.weightOf(report.outcome, now());
      const record = recordOf(report, Math.max(1, weight));
      if (weight > 0) keeper.push(record);
      // It is rare, and may come out of an object, which has nothing to live on for.
      await Promise.all([flushed(), parts.alert(record)]);
    },
    async list(by: Principal, { all, ...query }: ValidationsQuery) {
      const owner = ownerOf(by, all);
      if (!owner.ok) return owner;
      await flushed();
      return parts.list(owner.value, query);
    },
    async get(by: Principal, record_id: string, all: boolean): Answer<ValidationRecord> {
      const owner = ownerOf(by, all);
      if (!owner.ok) return owner;
      const record = await parts.get(owner.value, record_id);
      const detail = "It may be older than seven days, or another tenant's.";
      return record === null ? refuse({ code: "validation_not_found", detail }) : ok(record);
    },
    async summary(by: Principal, { window, all }: ValidationSummaryQuery) {
      const owner = ownerOf(by, all);
      if (!owner.ok) return owner;
      await flushed();
      return parts.summarise(owner.value, instant(now() - window * 1_000));
    },
  };
}
