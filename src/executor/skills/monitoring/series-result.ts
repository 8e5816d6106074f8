import type { Language } from "../language.ts";
import { figuresFor } from "../number-format.ts";
import { score } from "../ratio.ts";
import type { SkillQuality, SkillResult } from "../skill.ts";
import type { SeriesReport } from "./series.ts";

/** With this many measurements anomalies can be told (series.ts). */
const ENOUGH = 8;

/**
 * The result of judging a series.
 *
 * @param timed measurements that have an instant
 */
export function seriesResult(
  report: SeriesReport,
  { language, timed }: { language: Language; timed: number },
): SkillResult {
  const sentences = sentencesOf(report, language);
  return {
    output: { mode: "measurements", language, ...report, findings: sentences },
    summary: sentences.join(" ").slice(0, 2_000),
    quality: assess(report.figures.count, timed),
    next_steps: [],
    lessons_learned:
      report.figures.count < ENOUGH
        ? [`With fewer than ${ENOUGH} measurements no anomaly can be told.`]
        : [],
  };
}

function sentencesOf(report: SeriesReport, language: Language): string[] {
  const { number, share } = figuresFor(language);
  const { figures, breaches, anomalies, trend } = report;
  const isSpanish = language === "es";
  const [worst] = breaches;
  const [strangest] = anomalies;
  const out = [
    isSpanish
      ? `Estado ${report.state}: ${figures.count} mediciones, media ${number(figures.mean)}, p95 ${number(figures.p95)}.`
      : `State ${report.state}: ${figures.count} measurements, mean ${number(figures.mean)}, p95 ${number(figures.p95)}.`,
  ];
  if (worst !== undefined) {
    const where = worst.from_at ?? `#${worst.from}`;
    out.push(
      isSpanish
        ? `El ${share(report.breached_share)} de las mediciones supera un límite; lo peor es ${number(worst.worst)} frente a ${worst.bound} ${number(worst.limit)}, desde ${where}.`
        : `${share(report.breached_share)} of the measurements break a bound; the worst is ${number(worst.worst)} against ${worst.bound} ${number(worst.limit)}, from ${where}.`,
    );
  }
  for (const { bound, limit, measured, is_met } of report.verdicts) {
    if (is_met) continue;
    out.push(
      isSpanish
        ? `${bound} es ${number(measured)}, por encima de ${number(limit)}.`
        : `${bound} is ${number(measured)}, above ${number(limit)}.`,
    );
  }
  if (strangest !== undefined) {
    const where = strangest.at ?? `#${strangest.measurement}`;
    out.push(
      isSpanish
        ? `${anomalies.length + report.anomalies_left_out} valores se apartan de los demás; el que más, ${number(strangest.value)} (${where}).`
        : `${anomalies.length + report.anomalies_left_out} values are out of line; farthest is ${number(strangest.value)} (${where}).`,
    );
  }
  if (trend !== null && trend.direction !== "none") {
    const per = {
      hour: isSpanish ? "hora" : "hour",
      measurement: isSpanish ? "medición" : "measurement",
    };
    const rising = isSpanish ? "Suben" : "They rise";
    const falling = isSpanish ? "Bajan" : "They fall";
    const verb = trend.direction === "rising" ? rising : falling;
    const by = isSpanish ? "por" : "per";
    out.push(`${verb}: ${number(trend.slope)} ${by} ${per[trend.per]}.`);
  }
  return out;
}

/**
 * How far the judgement can be relied on: correctness 1 (every measurement was read as a number), completeness by the
 * eight measurements that anomalies need, efficiency 1, maintainability half and half by the share with an instant.
 */
function assess(count: number, timed: number): SkillQuality {
  const completeness = Math.min(1, count / ENOUGH);
  const maintainability = 0.5 + (0.5 * timed) / count;
  const overall = 0.4 + 0.3 * completeness + 0.1 + 0.2 * maintainability;
  return {
    overall_score: score(overall),
    criteria_scores: {
      correctness: 1,
      completeness: score(completeness),
      efficiency: 1,
      maintainability: score(maintainability),
    },
    feedback: `${count} measurements were read, ${timed} of them with an instant.`,
  };
}
