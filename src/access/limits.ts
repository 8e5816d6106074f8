import { CircuitBreaker, type BreakerLimits } from "../lib/circuit-breaker.ts";
import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { limitsViewSchema } from "../protocol/limits.ts";
import type { Limits as SetLimits, LimitsView, OperationClass } from "../protocol/limits.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { leaseAnswerSchema } from "./limit-door.ts";
import type { LeaseCall, LimitsChangeCall, LimitsDoor } from "./limit-door.ts";
import { leaseOf, NO_LEASE, orderFor, spend, type Lease } from "./limit-lease.ts";
import { DEFAULT_LIMITS, quotaOf } from "./limit-policy.ts";
import { grant, isOver, openWindow, WINDOW_MS, type Window } from "./limit-window.ts";

/** Principals that an isolate remembers; a forgotten one asks anew, and what it held is lost to it. */
const MAX_REMEMBERED = 10_000;

/** An object that does not answer is asked again after a second, and later less often. */
const BREAKER: Omit<BreakerLimits, "slow_ms"> = {
  failures: 2,
  pause_ms: 1_000,
  longest_pause_ms: 10_000,
};

/** What limits need from outside. */
export interface LimitsParts {
  now: Clock;
  log: Log;
  door: (tenant: string) => LimitsDoor;
  /** LIMITS_FACTOR: what every limit is multiplied by. */
  scale: number;
  /** An object that takes longer is not waited for, milliseconds. */
  slow_ms: number;
}

/** Whether a request may pass, and what its principal is told of its limit. */
export interface Draw {
  isAllowed: boolean;
  /** Requests of the class in a window. */
  limit: number;
  /** Room that is known of; others may have taken some since. */
  remaining: number;
  /** Whole seconds until the window is over, 1 or more. */
  reset_s: number;
}

/** Of one principal and class: the lease, who waits for the next one, and what passed without. */
interface Account {
  lease: Lease;
  waiting: number;
  pending: Promise<boolean> | null;
  refused: number;
  /** Counts in place of the object while that does not answer. */
  own: Window | null;
  owed: number;
}

interface Tenant {
  breaker: CircuitBreaker;
  answers: number;
  faults: number;
}

/** Whose budget it is: the agent's that signs, else the key's. */
function principalName(by: Pick<Principal, "key_id" | "agent_id">): string {
  return by.agent_id === undefined ? by.key_id : `agent:${by.agent_id}`;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "not an error";
}

/** Keeps a map from growing: the entry goes that was used longest ago. */
function bound(entries: Map<string, unknown>): void {
  if (entries.size <= MAX_REMEMBERED) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}

/** Puts an entry behind all others, as the one that was used last. */
function used<Entry>(entries: Map<string, Entry>, name: string, entry: Entry): Entry {
  entries.delete(name);
  entries.set(name, entry);
  return entry;
}

/**
 * The limits as one isolate applies them: permits that it has leased are spent without a call, and the object of the
 * tenant is asked when there are none or after 5 s. Requests that come together share one call.
 *
 * An object that fails or is slow is done without: the isolate counts by itself then, and owes what it let pass.
 */
export class Limits {
  now: Clock;
  readonly #parts: LimitsParts;
  readonly #accounts = new Map<string, Account>();
  readonly #tenants = new Map<string, Tenant>();

  constructor(parts: LimitsParts) {
    this.#parts = parts;
    this.now = parts.now;
  }

  /** Takes a permit for a request of a class, if there is one. Never throws. */
  async draw(by: Principal, operation: OperationClass): Promise<Draw> {
    const account = this.#accountOf(by, operation);
    // Each turn either spends a permit, learns that there is none, or had fewer permits come than requests wait.
    for (;;) {
      const now = this.now();
      const spent = spend(account.lease, now);
      if (spent.kind === "ask") {
        account.waiting += 1;
        account.pending ??= this.#renew(by, operation, account);
        // One call after the other, because each answer says whether the next is needed.
        // oxlint-disable-next-line no-await-in-loop
        const isAnswered = await account.pending;
        if (!isAnswered) return this.#drawOwn(account, operation);
        continue;
      }
      const isAllowed = spent.kind === "pass";
      if (!isAllowed) account.refused += 1;
      account.lease = spent.lease;
      const { permits, remaining, ends_at } = spent.lease;
      const reset_s = Math.max(1, Math.ceil((ends_at - now) / 1_000));
      return { isAllowed, limit: spent.limit, remaining: permits + remaining, reset_s };
    }
  }

  /** Tells of an answer to a tenant's request: 5xx are faults, of which the factor of its limits is made. */
  answered(tenant: string, isFault: boolean): void {
    const known = this.#tenantOf(tenant);
    known.answers += 1;
    if (isFault) known.faults += 1;
  }

  /** The limits of the principal's tenant, and their use. Refused while their object can't be asked. */
  async view(by: Principal): Promise<LimitsView> {
    const text = await this.#parts.door(by.tenant).view(this.#parts.scale);
    return limitsViewSchema.parse(JSON.parse(text));
  }

  /** Changes what is set for a tenant or one of its keys. */
  async change(
    by: Principal,
    change: LimitsChangeCall["change"],
  ): Promise<Result<LimitsView, Refusal>> {
    const call: LimitsChangeCall = { by: principalName(by), scale: this.#parts.scale, change };
    const changed = await this.#parts.door(by.tenant).change(JSON.stringify(call));
    return changed.ok ? ok(limitsViewSchema.parse(JSON.parse(changed.value))) : changed;
  }

  /** Sets or takes away the limits of one key. */
  async changeKey(
    by: Principal,
    key_id: string,
    limits: SetLimits | null,
  ): Promise<Result<null, Refusal>> {
    const changed = await this.change(by, { key_id, limits });
    return changed.ok ? ok(null) : refuse(changed.refusal);
  }

  #accountOf(by: Principal, operation: OperationClass): Account {
    const name = `${by.tenant}/${operation}/${principalName(by)}`;
    const known = this.#accounts.get(name);
    if (known !== undefined) return used(this.#accounts, name, known);
    const account = {
      lease: NO_LEASE,
      waiting: 0,
      pending: null,
      refused: 0,
      own: null,
      owed: 0,
    };
    this.#accounts.set(name, account);
    bound(this.#accounts);
    return account;
  }

  #tenantOf(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known !== undefined) return used(this.#tenants, name, known);
    const { slow_ms } = this.#parts;
    const breaker = new CircuitBreaker(
      { ...BREAKER, slow_ms },
      () => this.now(),
      () => true,
    );
    const tenant = { breaker, answers: 0, faults: 0 };
    this.#tenants.set(name, tenant);
    bound(this.#tenants);
    return tenant;
  }

  /** Asks for a new lease; false when no answer came in time. */
  async #renew(by: Principal, operation: OperationClass, account: Account): Promise<boolean> {
    // Whoever asks in the same turn of the event loop is to be counted among those who wait.
    await Promise.resolve();
    const tenant = this.#tenantOf(by.tenant);
    const asked_at = this.now();
    const former = account.lease;
    const told = { owed: account.owed, refused: account.refused };
    const { answers, faults } = tenant;
    const order = orderFor(former, account.waiting);
    const call: LeaseCall = {
      ...order,
      back: order.back - told.owed,
      principal: principalName(by),
      operation,
      refused: told.refused,
      answers,
      faults,
      scale: this.#parts.scale,
    };
    const given = await tenant.breaker.run(async () => {
      // What goes back must not be spent any more, and nothing is told twice, whatever becomes of the call.
      account.lease = { ...former, permits: 0, had: former.had - former.permits };
      account.owed -= told.owed;
      account.refused -= told.refused;
      tenant.answers -= answers;
      tenant.faults -= faults;
      // A stub that has failed may stay broken: each call has its own.
      try {
        const text = await this.#parts.door(by.tenant).lease(JSON.stringify(call));
        return leaseAnswerSchema.parse(JSON.parse(text));
      } catch (error) {
        // It was not heard: it is told with the next call.
        account.owed += told.owed;
        account.refused += told.refused;
        tenant.answers += answers;
        tenant.faults += faults;
        throw error;
      }
    });
    account.pending = null;
    // Those who have waited ask again, if there is still something to ask for.
    account.waiting = 0;
    if (given.ok) {
      account.lease = leaseOf(given.value, former, asked_at);
      account.own = null;
      return true;
    }
    const { cause } = given.refusal;
    if (cause !== null) {
      const fields = { tenant: by.tenant, operation, detail: textOf(cause) };
      this.#parts.log("warning", "limits_unavailable", fields);
    }
    return false;
  }

  /** Counts by itself, by the limit that was known last. */
  #drawOwn(account: Account, operation: OperationClass): Draw {
    const now = this.now();
    const usual = quotaOf(DEFAULT_LIMITS, { scale: this.#parts.scale, factor: 1 });
    const limit = account.lease.limit ?? usual[operation];
    const quota = { ...usual, [operation]: limit, notify: Math.max(usual.notify, limit) };
    const own = account.own !== null && !isOver(account.own, now) ? account.own : openWindow(now);
    const order = { operation, needed: 1, want: 1, back: 0, window: own.started_at };
    const { window, permits, remaining } = grant(own, order, quota);
    account.own = window;
    const isAllowed = permits > 0;
    if (isAllowed) account.owed += 1;
    else account.refused += 1;
    const reset_s = Math.max(1, Math.ceil((own.started_at + WINDOW_MS - now) / 1_000));
    return { isAllowed, limit, remaining, reset_s };
  }
}
