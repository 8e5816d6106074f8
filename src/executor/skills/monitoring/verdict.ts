import type { Unmet } from "../http/assertions.ts";
import { shownUrl } from "../http/redaction.ts";
import { finite } from "../rounding.ts";
import { ratio } from "../score.ts";
import { figuresOf } from "./figures.ts";
import type { Figures } from "./figures.ts";
import type { Target, Thresholds } from "./parameters.ts";
import type { Cause, Sample } from "./probe.ts";

/** How a target does; `not_probed` when its address may not be called. */
export type State = "down" | "degraded" | "ok" | "not_probed";

/** A threshold beside what was measured. */
export type Verdict = {
  threshold: keyof Thresholds;
  limit: number;
  /** Null when there was no answer to measure. */
  measured: number | null;
  is_met: boolean;
};

/** What the probes of one target came to. */
export type TargetReport = {
  name: string;
  url: string;
  state: State;
  probed_at: string;
  probes: { planned: number; made: number; as_expected: number };
  /** Share of the probes made whose answer was as expected. */
  availability: number;
  /** Share of the probes made that brought no answer or a status of 500 or above. */
  error_rate: number;
  /** Of the answers, until their last byte; null without any. */
  latency_ms: Figures | null;
  thresholds: Verdict[];
  /** Probes that failed, by cause. */
  causes: Partial<Record<Cause, number>>;
  last_status: number | null;
  redirects_to: string | null;
  /** What the last failed probe lacked. */
  unmet: Unmet[];
};

/** Judges one target by its probes. */
export function judgeTarget(
  { name, url }: Target & { name: string },
  { at, samples }: { at: string; samples: readonly Sample[] },
  { planned, thresholds }: { planned: number; thresholds: Thresholds },
): TargetReport {
  const answered = samples.filter(({ status }) => status !== null);
  const met = samples.filter(({ cause }) => cause === null);
  const errors = samples.filter(({ status }) => status === null || status >= 500);
  const availability = finite(ratio(met.length, samples.length));
  const error_rate = finite(ratio(errors.length, samples.length));
  const latency_ms = figuresOf(answered.map(({ duration_ms }) => duration_ms));
  const verdicts = verdictsOf(thresholds, {
    availability,
    error_rate,
    p95_ms: latency_ms?.p95 ?? null,
  });
  const state = stateOf(samples, verdicts, thresholds.availability ?? 1);
  const last = samples.at(-1);
  return {
    name,
    url: shownUrl(url),
    state,
    probed_at: at,
    probes: {
      planned,
      made: state === "not_probed" ? 0 : samples.length,
      as_expected: met.length,
    },
    availability,
    error_rate,
    latency_ms,
    thresholds: verdicts,
    causes: causesOf(samples),
    last_status: last?.status ?? null,
    redirects_to: typeof last?.location === "string" ? shownUrl(last.location) : null,
    unmet: samples.findLast(({ cause }) => cause !== null)?.unmet ?? [],
  };
}

function stateOf(
  samples: readonly Sample[],
  verdicts: readonly Verdict[],
  least_availability: number,
): State {
  if (samples.some(({ cause }) => cause === "address_refused")) return "not_probed";
  const met = samples.filter(({ cause }) => cause === null).length;
  if (met === 0) return "down";
  const isAvailable = ratio(met, samples.length) >= least_availability;
  return isAvailable && verdicts.every(({ is_met }) => is_met) ? "ok" : "degraded";
}

function verdictsOf(
  { availability, p95_ms, error_rate }: Thresholds,
  measured: { availability: number; error_rate: number; p95_ms: number | null },
): Verdict[] {
  const verdicts: Verdict[] = [];
  if (availability !== undefined) {
    const is_met = measured.availability >= availability;
    verdicts.push({
      threshold: "availability",
      limit: availability,
      measured: measured.availability,
      is_met,
    });
  }
  if (p95_ms !== undefined) {
    const is_met = measured.p95_ms !== null && measured.p95_ms <= p95_ms;
    verdicts.push({ threshold: "p95_ms", limit: p95_ms, measured: measured.p95_ms, is_met });
  }
  if (error_rate !== undefined) {
    const is_met = measured.error_rate <= error_rate;
    verdicts.push({
      threshold: "error_rate",
      limit: error_rate,
      measured: measured.error_rate,
      is_met,
    });
  }
  return verdicts;
}

function causesOf(samples: readonly Sample[]): TargetReport["causes"] {
  const counts: TargetReport["causes"] = {};
  for (const { cause } of samples) if (cause !== null) counts[cause] = (counts[cause] ?? 0) + 1;
  return counts;
}

const ORDER: readonly State[] = ["down", "degraded", "ok"];

/** The worst state of the targets that were probed. */
export function overallState(reports: readonly TargetReport[]): State {
  return ORDER.find((state) => reports.some((report) => report.state === state)) ?? "not_probed";
}
