import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import { ok, type Result } from "../lib/result.ts";
import { WINDOW_S } from "../protocol/limits.ts";
import type { LimitChange, LimitsView } from "../protocol/limits.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { changePolicy } from "./limit-changes.ts";
import type { LeaseCall, LimitsChangeCall } from "./limit-door.ts";
import { adjust, keyFactor, steady, STEP_MS, type Backlog, type Factor } from "./limit-factor.ts";
import type { LeaseAnswer } from "./limit-lease.ts";
import { limitsFor, quotaOf, type Quota } from "./limit-policy.ts";
import type { LimitKeeping, Setting } from "./limit-setting.ts";
import {
  grant,
  isOver,
  isWorthARow,
  openWindow,
  remember,
  resumeWindow,
  WINDOW_MS,
  type Window,
} from "./limit-window.ts";

/** Changes that are kept to be looked at; each is a log line besides. */
const MOST_CHANGES = 50;

/** Keys whose use is shown. */
const MOST_SHOWN = 20;

/** Windows in memory above which those that are over are forgotten. */
const MANY_WINDOWS = 2_000;

/** Windows that are over are looked for so often at most: each look goes through all of them. */
const FORGET_EVERY_MS = 10_000;

/** The least that a factor may come to, of the tenant's and the key's together. */
const LEAST_FACTOR = 0.25;

/** What the limits of a tenant need. */
export interface LimitBookParts {
  now: Clock;
  log: Log;
  store: LimitKeeping;
  /** Names this life of the memory. */
  life: string;
  /** Tasks that wait for an executor at present. */
  backlog: () => Promise<Omit<Backlog, "read_at">>;
}

function sumOf(used: Window["used"]): number {
  return used.execute + used.notify + used.status + used.admin;
}

/** The limits of one tenant: what is set, what is given out, and what both are multiplied by. */
export class LimitBook {
  readonly #parts: LimitBookParts;
  readonly #windows = new Map<string, Window>();
  #forgot_at = 0;
  /** Of keys that were lowered; all others have 1. */
  readonly #keyFactors = new Map<string, number>();
  #setting: Setting;
  #factor: Factor;
  #backlog: Backlog | null = null;
  #askedAt = 0;

  constructor(parts: LimitBookParts) {
    this.#parts = parts;
    const now = parts.now();
    this.#setting = parts.store.setting();
    for (const [principal, { started_at, used }] of parts.store.windows(now)) {
      this.#windows.set(principal, resumeWindow(started_at, used));
    }
    const { value, reason, evidence, since } = this.#setting.factor;
    this.#factor = { ...steady(since ?? now), value, reason, evidence };
  }

  /** Gives permits, and learns what has happened since the last call. */
  lease(call: LeaseCall): LeaseAnswer {
    const { store, life } = this.#parts;
    const now = this.#parts.now();
    this.#look(call, now);
    const { principal, operation } = call;
    const found = this.#windowOf(call, now);
    const quota = this.#quotaOf(principal, call.scale);
    const { window, permits, remaining } = grant(found, call, quota);
    const isStored = isWorthARow(window, quota);
    if (isStored) store.writeWindow(principal, window);
    this.#windows.set(principal, isStored ? { ...window, recorded: window.used } : window);
    const ends_in_ms = window.started_at + WINDOW_MS - now;
    const limit = quota[operation];
    return { permits, remaining, limit, ends_in_ms, window: window.started_at, life };
  }

  /** What is set, what it comes to, who has used how much, and what has changed. */
  view(scale: number): LimitsView {
    const now = this.#parts.now();
    this.#look({ answers: 0, faults: 0 }, now);
    const { policy, factor, changes } = this.#setting;
    const { since, ...said } = factor;
    return {
      window_seconds: WINDOW_S,
      auto: policy.auto,
      limits: limitsFor(policy, null),
      effective: quotaOf(limitsFor(policy, null), { scale, factor: factor.value }),
      factor: { ...said, since: since === null ? null : instant(since) },
      keys: Object.entries(policy.keys).map(([key_id, limits]) => ({ key_id, limits })),
      usage: [...this.#windows]
        .filter(([, window]) => !isOver(window, now))
        .toSorted(([, a], [, b]) => sumOf(b.used) - sumOf(a.used))
        .slice(0, MOST_SHOWN)
        .map(([key_id, { started_at, used, refused }]) => ({
          key_id,
          window_started_at: instant(started_at),
          window_ends_at: instant(started_at + WINDOW_MS),
          taken: used,
          effective: this.#quotaOf(key_id, scale),
          refused,
          factor: this.#keyFactors.get(key_id) ?? 1,
        })),
      changes,
    };
  }

  /** Changes what is set; refuses what `changePolicy` refuses. */
  change({ by, change, scale }: LimitsChangeCall): Result<LimitsView, Refusal> {
    const changed = changePolicy(this.#setting.policy, change);
    if (!changed.ok) return changed;
    const { policy, changes } = changed.value;
    if (!policy.auto) this.#keyFactors.clear();
    this.#setting = { ...this.#setting, policy: { ...policy, keys: { ...policy.keys } } };
    for (const each of changes) this.#note({ ...each, by, reason: null, evidence: null });
    return ok(this.view(scale));
  }

  #quotaOf(principal: string, scale: number): Quota {
    const { policy } = this.#setting;
    const factor = this.#factor.value * (this.#keyFactors.get(principal) ?? 1);
    const bounded = Math.max(LEAST_FACTOR, factor);
    return quotaOf(limitsFor(policy, principal), { scale, factor: bounded });
  }

  /** The window that a call falls into, with what the call says of it. */
  #windowOf({ principal, operation, refused, ...call }: LeaseCall, now: number): Window {
    // From a former life of this object, or null.
    const former =
      call.life !== this.#parts.life && call.window !== null && now < call.window + WINDOW_MS
        ? Math.min(call.window, now)
        : null;
    const known = this.#windows.get(principal);
    let window = known ?? openWindow(former ?? now);
    window = { ...window, refused: window.refused + refused };
    if (isOver(window, now)) {
      if (this.#setting.policy.auto) this.#turnKey(principal, window, now);
      window = openWindow(former ?? now);
    }
    if (known === undefined && this.#windows.size >= MANY_WINDOWS) this.#forget(now);
    return former === null ? window : remember(window, operation, call.had);
  }

  #forget(now: number): void {
    if (now < this.#forgot_at + FORGET_EVERY_MS) return;
    this.#forgot_at = now;
    for (const [principal, window] of this.#windows) {
      if (isOver(window, now)) this.#windows.delete(principal);
    }
  }

  #turnKey(principal: string, last: Window, now: number): void {
    const from = this.#keyFactors.get(principal) ?? 1;
    const taken = sumOf(last.used);
    const windows = Math.floor((now - last.started_at) / WINDOW_MS);
    const to = keyFactor(from, { taken, refused: last.refused }, windows);
    if (to === from) return;
    if (to === 1) this.#keyFactors.delete(principal);
    else this.#keyFactors.set(principal, to);
    this.#note({
      kind: "key_factor",
      key_id: principal,
      by: null,
      from: { factor: from },
      to: { factor: to },
      reason: to < from ? "refusals" : "recovery",
      evidence: `${last.refused} requests were refused in a window, ${taken} were not`,
    });
  }

  /** Looks at how the tenant does, and has its backlog read from time to time. */
  #look({ answers, faults }: Pick<LeaseCall, "answers" | "faults">, now: number): void {
    const { auto } = this.#setting.policy;
    if (auto) this.#askForBacklog(now);
    const from = this.#factor;
    const seen = { answers, faults, backlog: this.#backlog };
    this.#factor = auto ? adjust(from, seen, now) : steady(now);
    const { value, reason, evidence } = this.#factor;
    if (value === from.value) return;
    this.#setting = { ...this.#setting, factor: { value, reason, evidence, since: now } };
    this.#note({
      kind: "factor",
      key_id: null,
      by: null,
      from: { factor: from.value },
      to: { factor: value },
      reason: value > from.value ? "recovery" : reason,
      evidence,
    });
  }

  /** Nobody waits for it: a backlog that is read late is heeded a call later. */
  #askForBacklog(now: number): void {
    if (now < this.#askedAt + STEP_MS) return;
    this.#askedAt = now;
    const { backlog, log } = this.#parts;
    backlog().then(
      (found) => {
        this.#backlog = { ...found, read_at: now };
      },
      (cause: unknown) => log("warning", "limit_backlog_unknown", { detail: String(cause) }),
    );
  }

  /** Stores and logs a change: one row. */
  #note(change: Omit<LimitChange, "at">): void {
    const noted = { at: instant(this.#parts.now()), ...change };
    const changes = [noted, ...this.#setting.changes].slice(0, MOST_CHANGES);
    this.#setting = { ...this.#setting, changes };
    this.#parts.store.writeSetting(this.#setting);
    const isFactor = change.kind === "factor" || change.kind === "key_factor";
    this.#parts.log(
      isFactor && change.reason !== "recovery" ? "warning" : "info",
      isFactor ? "limit_factor_changed" : "limits_changed",
      {
        kind: change.kind,
        key_id: change.key_id,
        by: change.by,
        from: JSON.stringify(change.from),
        to: JSON.stringify(change.to),
        reason: change.reason,
        evidence: change.evidence,
      },
    );
  }
}
