import * as z from "zod";

/* When an executor that tasks are pushed to is left alone. Pure: the keeper stores what these say. */

/** Failures in a row that open a breaker: one may be chance, three in a row are not. */
const OPENS_AFTER = 3;

/** The first pause and the longest, milliseconds; each failed probe doubles it. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;

/** A probe without an answer for this long is taken for lost: far beyond what a request may take. */
const PROBE_MS = 60_000;

/** The breaker of one executor. Instants are epoch ms. */
export const pushBreakerSchema = z.strictObject({
  failures: z.int().min(0).meta({ description: "Failures in a row." }),
  pauses: z.int().min(0).meta({ description: "Pauses in a row." }),
  open_until: z.int().nullable(),
  probing_since: z.int().nullable(),
});
export type PushBreaker = z.infer<typeof pushBreakerSchema>;

/** What came of one push. */
export type PushOutcome = "accepted" | "declined" | "failed";

/** The breaker of an executor that nothing was pushed to yet. */
export const CLOSED: PushBreaker = {
  failures: 0,
  pauses: 0,
  open_until: null,
  probing_since: null,
};

/** How it stands: closed, open until its time has come, or half-open until a probe has shown more. */
export function breakerState(breaker: PushBreaker, now: number): "closed" | "open" | "half_open" {
  if (breaker.open_until === null) return "closed";
  return now < breaker.open_until ? "open" : "half_open";
}

/** Whether a task may be pushed now: always when closed, one at a time when half-open. */
export function mayPush(breaker: PushBreaker, now: number): boolean {
  const state = breakerState(breaker, now);
  if (state !== "half_open") return state === "closed";
  return breaker.probing_since === null || now - breaker.probing_since > PROBE_MS;
}

/** A task is being pushed: when half-open, it is the probe. */
export function pushing(breaker: PushBreaker, now: number): PushBreaker {
  return breakerState(breaker, now) === "half_open" ? { ...breaker, probing_since: now } : breaker;
}

/**
 * The breaker after an answer. Accepting and declining are both signs of health. A failure that comes in
 * while it is open was on its way before, and lengthens nothing.
 */
export function pushedTo(breaker: PushBreaker, outcome: PushOutcome, now: number): PushBreaker {
  if (outcome !== "failed") return CLOSED;
  const state = breakerState(breaker, now);
  if (state === "open") return breaker;
  const failures = breaker.failures + 1;
  if (state === "closed" && failures < OPENS_AFTER) return { ...breaker, failures };
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** breaker.pauses, LONGEST_PAUSE_MS);
  return {
    failures,
    pauses: Math.min(breaker.pauses + 1, OPENS_AFTER * 3),
    open_until: now + pause,
    probing_since: null,
  };
}
