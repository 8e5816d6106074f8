import * as z from "zod";

import type { AlertRule } from "../../protocol/alerts.ts";

/*
 * From observations to alerts: a rule that is bad for long enough fires, one that is well for long enough is over.
 * Nothing is remembered of a rule that is well.
 */

/** How far a rule has come. Instants in epoch milliseconds. */
export const watchSchema = z.discriminatedUnion("phase", [
  z.strictObject({
    phase: z.literal("pending"),
    /** Since when it is bad; time in which nothing was known is not counted. */
    since: z.number(),
    unknown_since: z.number().nullable(),
  }),
  z.strictObject({
    phase: z.literal("firing"),
    since: z.number(),
    /** Since when it has been well without a break. */
    well_since: z.number().nullable(),
    unknown_since: z.number().nullable(),
  }),
]);
export type Watch = z.infer<typeof watchSchema>;
type Pending = Extract<Watch, { phase: "pending" }>;
type Firing = Extract<Watch, { phase: "firing" }>;

/** What a rule sees: the number that is compared, and how many observations it rests on; null: it needs none. */
export interface Observation {
  score: number;
  samples: number | null;
}

/** What of a rule the machine obeys. */
export type Thresholds = Pick<
  AlertRule,
  "comparison" | "threshold" | "clear_threshold" | "for_s" | "resolve_after_s" | "min_samples"
>;

/** `between`: no longer bad, and not well yet, by the rule's hysteresis. */
export type Verdict = "bad" | "well" | "between" | "unknown";

/** What a step has brought about: an alert that fires, or one that is over. */
export interface Step {
  watch: Watch | null;
  happened: "fired" | "resolved" | null;
}

/** What nothing is known of for so long is taken for well: a type of task that nobody submits any more. Milliseconds. */
export const SILENT_MS = 21_600_000;

/** How an observation stands to a rule's thresholds; null is none. */
export function verdictOf(observation: Observation | null, rule: Thresholds): Verdict {
  if (observation === null || !Number.isFinite(observation.score)) return "unknown";
  const { score, samples } = observation;
  if (samples !== null && samples < rule.min_samples) return "unknown";
  const clear = rule.clear_threshold ?? rule.threshold;
  if (rule.comparison === "below") {
    if (score < rule.threshold) return "bad";
    return score >= clear ? "well" : "between";
  }
  if (score > rule.threshold) return "bad";
  return score <= clear ? "well" : "between";
}

const NOTHING: Step = { watch: null, happened: null };

function unknown(watch: Watch | null, now: number): Step {
  if (watch === null) return NOTHING;
  if (watch.unknown_since === null)
    return { watch: { ...watch, unknown_since: now }, happened: null };
  if (now - watch.unknown_since < SILENT_MS) return { watch, happened: null };
  return { watch: null, happened: watch.phase === "firing" ? "resolved" : null };
}

/** Leaves out the time in which nothing was known. */
function resumed<Known extends Watch>(watch: Known, now: number): Known {
  const { unknown_since: unknownSince } = watch;
  if (unknownSince === null) return watch;
  const gap = Math.max(0, now - unknownSince);
  const later =
    watch.phase === "pending"
      ? { since: watch.since + gap }
      : { well_since: watch.well_since === null ? null : watch.well_since + gap };
  return { ...watch, ...later, unknown_since: null };
}

function pend(watch: Pending | null, verdict: Verdict, rule: Thresholds, now: number): Step {
  if (verdict !== "bad") return NOTHING;
  const since = watch?.since ?? now;
  return now - since >= rule.for_s * 1_000
    ? {
        watch: { phase: "firing", since, well_since: null, unknown_since: null },
        happened: "fired",
      }
    : { watch: { phase: "pending", since, unknown_since: null }, happened: null };
}

function fire(watch: Firing, verdict: Verdict, rule: Thresholds, now: number): Step {
  if (verdict !== "well") return { watch: { ...watch, well_since: null }, happened: null };
  const well_since = watch.well_since ?? now;
  return now - well_since >= rule.resolve_after_s * 1_000
    ? { watch: null, happened: "resolved" }
    : { watch: { ...watch, well_since }, happened: null };
}

/**
 * The next state of a rule.
 *
 * It fires once it was bad, and nothing else, for `for_s`; it is over once it was well, and nothing else, for
 * `resolve_after_s`. What swings faster than that stays one alert.
 */
export function step(
  watch: Watch | null,
  observation: Observation | null,
  rule: Thresholds,
  now: number,
): Step {
  const verdict = verdictOf(observation, rule);
  if (verdict === "unknown") return unknown(watch, now);
  if (watch?.phase === "firing") return fire(resumed(watch, now), verdict, rule, now);
  return pend(watch === null ? null : resumed(watch, now), verdict, rule, now);
}
