import type { Language } from "../language.ts";
import { figuresFor } from "../number-format.ts";
import { score } from "../score.ts";
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

interface Words {
  head: (state: string, count: string, mean: string, p95: string) => string;
  breach: (share: string, worst: string, bound: string, where: string) => string;
  verdict: (bound: string, measured: string, limit: string) => string;
  anomalies: (count: number, value: string, where: string) => string;
  trend: (isRising: boolean, slope: string, per: "hour" | "measurement") => string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    head: (state, count, mean, p95) =>
      `State ${state}: ${count} measurements, mean ${mean}, p95 ${p95}.`,
    breach: (share, worst, bound, where) =>
      `${share} of the measurements break a bound; the worst is ${worst} against ${bound}, from ${where}.`,
    verdict: (bound, measured, limit) => `The ${bound} is ${measured}, above ${limit}.`,
    anomalies: (count, value, where) =>
      `${count} values are out of line; the farthest is ${value} (${where}).`,
    trend: (isRising, slope, per) =>
      `The values ${isRising ? "rise" : "fall"}: ${slope} per ${per}.`,
  },
  es: {
    head: (state, count, mean, p95) =>
      `Estado ${state}: ${count} mediciones, media ${mean}, p95 ${p95}.`,
    breach: (share, worst, bound, where) =>
      `El ${share} de las mediciones rebasa un límite; la peor es ${worst} frente a ${bound}, desde ${where}.`,
    verdict: (bound, measured, limit) => `${bound}: ${measured}, por encima de ${limit}.`,
    anomalies: (count, value, where) =>
      `${count} valores se apartan de los demás; el que más, ${value} (${where}).`,
    trend: (isRising, slope, per) =>
      `Los valores ${isRising ? "suben" : "bajan"}: ${slope} por ${per === "hour" ? "hora" : "medición"}.`,
  },
};

function sentencesOf(report: SeriesReport, language: Language): string[] {
  const { number, share } = figuresFor(language);
  const words = WORDS[language];
  const { state, figures, breaches, verdicts, anomalies, trend } = report;
  const strange = anomalies.length + report.anomalies_left_out;
  return [
    words.head(state, number(figures.count), number(figures.mean), number(figures.p95)),
    ...breaches.slice(0, 1).map(({ worst, bound, limit, from, from_at }) => {
      const where = from_at ?? `#${from}`;
      const against = `${bound} ${number(limit)}`;
      return words.breach(share(report.breached_share), number(worst), against, where);
    }),
    ...verdicts
      .filter(({ is_met }) => !is_met)
      .map(({ bound, measured, limit }) => words.verdict(bound, number(measured), number(limit))),
    ...anomalies
      .slice(0, 1)
      .map(({ at, measurement, value }) =>
        words.anomalies(strange, number(value), at ?? `#${measurement}`),
      ),
    ...(trend === null || trend.direction === "none"
      ? []
      : [words.trend(trend.direction === "rising", number(trend.slope), trend.per)]),
  ];
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
