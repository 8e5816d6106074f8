import { CircuitBreaker, type BreakerLimits } from "../lib/circuit-breaker.ts";
import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import { brief, scrubbed } from "../lib/redact.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { AuditEntry, AuditMessage, AuditQuery, AuditRecord, Deed } from "../protocol/audit.ts";
import type { Page } from "../protocol/keyset.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { Denials } from "./denials.ts";
import type { Ledger } from "./ledger.ts";

/** What the trail needs from outside. */
export interface TrailPorts {
  store: Ledger;
  /** Makes a read of D1; refuses `unavailable` while that is down. */
  read: <Value>(query: () => Promise<Result<Value, Refusal>>) => Promise<Result<Value, Refusal>>;
  /** Puts an entry on the queue that leads to D1. */
  enqueue: (message: AuditMessage) => Promise<void>;
  now: Clock;
  newId: () => string;
  log: Log;
}

/**
 * When entries go to the queue instead of D1. Whoever asked waits for the entry, so a write that takes two seconds has
 * failed; a write of one row takes milliseconds.
 */
const WRITE_LIMITS: BreakerLimits = {
  failures: 3,
  slow_ms: 2_000,
  pause_ms: 5_000,
  longest_pause_ms: 60_000,
};

type Answer<Value> = Promise<Result<Value, Refusal>>;

/**
 * The audit of the installation: takes down who did what, and shows it.
 *
 * One per isolate: it remembers whether D1 takes entries, and who was denied what a moment ago.
 */
export class Trail {
  readonly #ports: TrailPorts;
  readonly #writes: CircuitBreaker;
  readonly #denials = new Denials();

  constructor(ports: TrailPorts) {
    this.#ports = ports;
    this.#writes = new CircuitBreaker(WRITE_LIMITS, ports.now, () => true);
  }

  /**
   * Takes down what somebody has done. It never throws: what is done stays done, so an entry that D1 does not take
   * follows by the queue, and one that the queue does not take either is in the log as `audit_lost`.
   */
  async record(by: Principal, deed: Deed): Promise<void> {
    const { store, log } = this.#ports;
    try {
      const record = this.#recordOf(by, deed);
      const written = await this.#writes.run(() => store.add(record));
      if (!written.ok) await this.#defer(record);
    } catch (error) {
      // Without its detail, which may be what no entry can be made of.
      const { detail: _detail, tenant = by.tenant, ...what } = deed;
      const entry = JSON.stringify({ tenant, actor: by.key_id, ...what });
      log("error", "audit_lost", { entry, error: String(error) });
    }
  }

  /** Takes down that somebody was denied what only some may do: once a minute for each key and operation. */
  async recordDenied(
    by: Principal,
    denied: { operation: string; request_id: string },
  ): Promise<void> {
    const { operation, request_id } = denied;
    const name = JSON.stringify([by.tenant, by.key_id, operation]);
    const untold = this.#denials.admit(name, this.#ports.now());
    if (untold === null) return;
    await this.record(by, {
      action: "operation_denied",
      subject: operation,
      subject_kind: "operation",
      detail: untold > 0 ? { untold_before: untold } : {},
      request_id,
    });
  }

  /** A page of what fits, newest first. Refuses a wrong cursor, and `forbidden` another tenant than the key's own. */
  async list(by: Principal, query: AuditQuery): Answer<Page<AuditEntry>> {
    const tenant = tenantOf(by, query.tenant);
    if (!tenant.ok) return tenant;
    const { store, read } = this.#ports;
    return read(() => store.list(tenant.value, query, query));
  }

  /** All that fits, oldest first, read page by page as it is asked for. Refuses as `list` does. */
  async all(by: Principal, query: AuditQuery): Answer<AsyncIterable<AuditEntry[]>> {
    const tenant = tenantOf(by, query.tenant);
    if (!tenant.ok) return tenant;
    const pages = this.#ports.store.all(tenant.value, query);
    // The first page is read here, so that a D1 that is down is answered and not a stream that breaks off.
    const first = await this.#ports.read(async () => ok(await pages.next()));
    if (!first.ok) return first;
    return ok(from(first.value, pages));
  }

  #recordOf(by: Principal, { tenant = by.tenant, detail, ...what }: Deed): AuditRecord {
    const { now, newId } = this.#ports;
    return {
      tenant,
      audit_id: `aud_${newId()}`,
      at: instant(now()),
      actor: by.key_id,
      ...what,
      detail: harmless(detail),
    };
  }

  async #defer(record: AuditRecord): Promise<void> {
    const { enqueue, log } = this.#ports;
    const { audit_id, request_id } = record;
    try {
      await enqueue({ form: "audit", record });
      log("warning", "audit_deferred", { audit_id, request_id });
    } catch (error) {
      log("error", "audit_lost", { entry: JSON.stringify(record), error: String(error) });
    }
  }
}

/** What may be kept for good of a detail: nothing that is too long, and nothing that looks like a secret. */
function harmless(detail: JsonObject): JsonObject {
  const fields = Object.entries(detail).map(([name, value]) => [name, brief(value)]);
  return scrubbed(Object.fromEntries(fields));
}

/** Whose audit is shown: the same refusal whether another tenant exists or not. */
function tenantOf(by: Principal, asked: string | undefined): Result<string, Refusal> {
  if (asked === undefined || asked === by.tenant || by.isBootstrap) return ok(asked ?? by.tenant);
  const detail = "the audit of another tenant is for the bootstrap key alone";
  return refuse({ code: "forbidden", detail });
}

async function* from<Entries>(
  first: IteratorResult<Entries, void>,
  rest: AsyncGenerator<Entries, void>,
): AsyncGenerator<Entries, void> {
  if (first.done === true) return;
  try {
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
