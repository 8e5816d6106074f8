import * as z from "zod";

import type { BreakerOptions } from "../protocol/webhook-options.ts";

/** What a registration leaves out: the table of facts/webhooks.md §6.6. */
export const BREAKER_DEFAULTS = {
  enabled: true,
  min_results: 10,
  degraded_share: 0.2,
  restricted_share: 0.5,
  open_share: 0.7,
  open_after: 5,
  slow_ms: 5_000,
  probe_s: 30,
  disable_after_s: 432_000,
} as const;

/** Silence at level 2 after which a lower priority may go, so that recovery shows when nothing urgent comes. */
const TRICKLE_MS = 500;

/** Level 2 leaves the two highest priorities, high and critical (facts/webhooks.md §6.6). */
const URGENT = 2;

const levelSchema = z.literal([0, 1, 2, 3, 4]);
/** 0 normal, 1 degraded, 2 restricted, 3 open (probes alone), 4 disabled (nothing). */
export type Level = z.infer<typeof levelSchema>;

/** Requests in flight that a level grants at most (facts/webhooks.md §6.6). */
export const SLOT_CAPS = { 0: 6, 1: 3, 2: 1, 3: 1, 4: 0 } as const satisfies Record<Level, number>;

/** The share of its rate that a level grants. A probe comes so seldom that a slower rate would only make it late. */
const RATE_FACTORS = { 0: 1, 1: 0.5, 2: 0.1, 3: 1, 4: 1 } as const satisfies Record<Level, number>;

const countSchema = z.int().min(0);

const tallySchema = z.strictObject({
  start: z.int(),
  ok: countSchema,
  failed: countSchema,
  /** Those that took longer than `slow_ms`, whether they succeeded or failed. */
  slow: countSchema,
});
/** Results since an instant. */
export type Tally = z.infer<typeof tallySchema>;

/** What is known of an endpoint's health: plain data, to be stored as JSON. Instants are epoch milliseconds. */
export const breakerStateSchema = z.strictObject({
  level: levelSchema,
  slots: z.int().min(1).max(SLOT_CAPS[0]),
  /** Successes without a failure or a 429 between, since the newest slot. */
  streak: countSchema,
  /** The last 60 s by their 10 s, oldest first; `in_row` are the failures after the last success. */
  buckets: z.array(tallySchema.extend({ in_row: countSchema })).max(6),
  /** The results that may lead to a better level; null where windows don't decide that. */
  evidence: tallySchema.nullable(),
  /** Good windows in a row; at level 3, good probes. */
  calm: countSchema,
  /** When the next probe is due, and which wait for a probe this is, from 1; null but at level 3. */
  probe: z.strictObject({ at: z.int(), waits: countSchema }).nullable(),
  /** When something was last sent, or its answer came; null but at level 2. */
  last_sent_at: z.int().nullable(),
  /** The first and the newest failure after the last success. No change of level forgets them. */
  failing: z.strictObject({ since: z.int(), last: z.int() }).nullable(),
});
export type BreakerState = z.infer<typeof breakerStateSchema>;

/** An endpoint's options with nothing left out. */
export type BreakerRules = {
  [Name in keyof BreakerOptions]-?: NonNullable<BreakerOptions[Name]>;
};

/** The state of an endpoint of which nothing is known. */
export function initialBreaker(): BreakerState {
  return {
    level: 0,
    slots: SLOT_CAPS[0],
    streak: 0,
    buckets: [],
    evidence: null,
    calm: 0,
    probe: null,
    last_sent_at: null,
    failing: null,
  };
}

/**
 * An endpoint's own options, and the defaults where they say nothing.
 *
 * Under `enabled: false` results never lead away from level 0, and levels 1-3 grant what level 0 does.
 */
export function rulesOf(options: BreakerOptions | null): BreakerRules {
  const own = options ?? {};
  const base = BREAKER_DEFAULTS;
  return {
    enabled: own.enabled ?? base.enabled,
    min_results: own.min_results ?? base.min_results,
    degraded_share: own.degraded_share ?? base.degraded_share,
    restricted_share: own.restricted_share ?? base.restricted_share,
    open_share: own.open_share ?? base.open_share,
    open_after: own.open_after ?? base.open_after,
    slow_ms: own.slow_ms ?? base.slow_ms,
    probe_s: own.probe_s ?? base.probe_s,
    disable_after_s: own.disable_after_s ?? base.disable_after_s,
  };
}

/** What an endpoint may be sent now. */
export interface BreakerLimits {
  /** Requests in flight. At level 3 the one is the probe; at level 4 there is none. */
  slots: number;
  /** Share of the endpoint's rate, 0.1-1. */
  rateFactor: number;
  /** The lowest priority that may go, 0-3. */
  leastPriority: number;
  /** When lower priorities may go, unless something is sent before; null when they may now. */
  lowerAt: number | null;
  /** Nothing goes before, then one probe; null but at level 3. */
  probeAt: number | null;
}

/**
 * What a state grants.
 *
 * The rate follows the slots: as recovery wins them back one by one the rate comes back too, so that everything that
 * waited does not arrive at once. Instants are epoch milliseconds.
 */
export function limitsOf(state: BreakerState, rules: BreakerRules, now: number): BreakerLimits {
  const level = rules.enabled || state.level === 4 ? state.level : 0;
  const slots = Math.min(state.slots, SLOT_CAPS[level]);
  const slotShare = level <= 2 ? slots / SLOT_CAPS[0] : 1;
  const lowerAt = level === 2 && state.last_sent_at !== null ? state.last_sent_at + TRICKLE_MS : 0;
  const isUrgentOnly = now < lowerAt;
  return {
    slots,
    rateFactor: Math.min(RATE_FACTORS[level], slotShare),
    leastPriority: isUrgentOnly ? URGENT : 0,
    lowerAt: isUrgentOnly ? lowerAt : null,
    probeAt: level === 3 && state.probe !== null ? state.probe.at : null,
  };
}

/** A request left: at level 2 the next of a lower priority waits until half a second has passed without another. */
export function sentLower(state: BreakerState, now: number): BreakerState {
  return state.level === 2 ? { ...state, last_sent_at: now } : state;
}
