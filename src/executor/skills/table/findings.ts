import type { Analysis } from "./analysis.ts";
import { strength, type CorrelationPair } from "./correlate.ts";
import { dataQualityFindings } from "./data-quality-findings.ts";
import type { ColumnProfile } from "./describe.ts";
import type { Finding, RankedFinding } from "./finding.ts";
import type { GroupEffect } from "./group-effects.ts";
import type { ColumnOutliers } from "./outliers.ts";
import type { Trend, TrendSummary } from "./trend.ts";

/** Readers stop after a dozen; what is left out stands in the sections of the result. */
const MAX_FINDINGS = 12;
const MAX_OF_A_KIND = 3;
/** The third correlation tells less than the first outlier: each repetition of a kind ranks lower. */
const REPETITION_COST = 0.06;
const MIN_CORRELATION = 0.3;
/** Ranks that agree better by this much point to a relation that is not a line. */
const BENT = 0.1;
const REDUNDANT = 0.995;
const MIN_ASSOCIATION = 0.3;
const MIN_EFFECT = 0.05;
/** A column with more confirmed outliers has a heavy tail rather than odd values. */
const MAX_OUTLIER_SHARE = 0.03;
/** Where no value takes a tenth of the rows, naming the most frequent says nothing. */
const MIN_DOMINANCE = 0.1;
/** Beside a season this much stronger, a faint one is not worth naming. */
const FAINT_SEASON = 0.2;
const SKEWED = 1.5;
/** Family-wise error of the correlations mentioned, shared among all pairs (Bonferroni). */
const ERROR_RATE = 0.05;

/**
 * The findings worth reading, the overview first, then by importance: at most 12, three of a kind.
 *
 * Importance grows with the size of an effect; what could mislead a reader of the other findings
 * (placeholders, ambiguous dates, reversals) comes high whatever its size.
 */
export function rankFindings(analysis: Analysis): RankedFinding[] {
  const [overview, ...quality] = dataQualityFindings(analysis);
  const rest = [
    ...quality,
    ...seasonFindings(analysis.trends),
    ...trendFindings(analysis.trends, analysis.profiles),
    ...correlationFindings(analysis.correlations.pairs),
    ...analysis.effects.flatMap(effectFinding),
    ...associationFindings(analysis),
    ...analysis.outliers.flatMap((found) => outlierFindings(found, analysis.profiles)),
    ...analysis.profiles.flatMap(shapeFindings),
  ].toSorted((a, b) => b.importance - a.importance);
  const counts = new Map<string, number>();
  const varied = rest.flatMap((found) => {
    const before = counts.get(found.finding.kind) ?? 0;
    counts.set(found.finding.kind, before + 1);
    if (before >= MAX_OF_A_KIND) return [];
    return [ranked(found.importance - before * REPETITION_COST, found.columns, found.finding)];
  });
  const kept = varied.toSorted((a, b) => b.importance - a.importance);
  return [...(overview === undefined ? [] : [overview]), ...kept].slice(0, MAX_FINDINGS);
}

function ranked(importance: number, columns: string[], finding: Finding): RankedFinding {
  return {
    importance: Math.round(1000 * Math.max(0, Math.min(1, importance))) / 1000,
    columns,
    finding,
  };
}

function seasonFindings(trends: readonly Trend[]): RankedFinding[] {
  const seasonal = trends.flatMap(({ summary }) =>
    summary.season === null ? [] : [{ name: summary.column, season: summary.season }],
  );
  const byCycle = Map.groupBy(seasonal, ({ season }) => season.cycle);
  return [...byCycle.values()].flatMap((group) => {
    const sorted = group.toSorted((a, b) => b.season.explained_share - a.season.explained_share);
    const [strongest] = sorted;
    if (strongest === undefined) return [];
    const least = FAINT_SEASON * strongest.season.explained_share;
    const columns = sorted
      .map(({ name, season }) => ({ name, share: season.explained_share }))
      .filter(({ share }) => share >= least);
    return [
      ranked(
        0.35 + 0.6 * strongest.season.explained_share,
        columns.map(({ name }) => name),
        { kind: "season", strongest: strongest.season, columns },
      ),
    ];
  });
}

/** A line that leaves the range of the values (say, below zero) has a slope but no telling ends. */
function isLinePlausible({ column, line }: TrendSummary, profiles: readonly ColumnProfile[]) {
  const shape = profiles.find(({ name }) => name === column)?.distribution;
  if (shape?.kind !== "numbers") return false;
  return (
    Math.min(line.first, line.last) >= shape.min && Math.max(line.first, line.last) <= shape.max
  );
}

function trendFindings(
  trends: readonly Trend[],
  profiles: readonly ColumnProfile[],
): RankedFinding[] {
  const moving = trends.filter(({ summary }) => summary.direction !== "none");
  const still = trends.filter(({ summary }) => summary.direction === "none");
  const stillNames = still.map(({ summary }) => summary.column);
  const has_season = still.some(({ summary }) => summary.season !== null);
  return [
    ...moving.map(({ summary }) =>
      ranked(0.4 + 0.5 * Math.abs(summary.monotonicity), [summary.column], {
        kind: "trend",
        trend: summary,
        is_line_plausible: isLinePlausible(summary, profiles),
      }),
    ),
    ...(still.length === 0
      ? []
      : [ranked(0.38, stillNames, { kind: "no_trend", columns: stillNames, has_season })]),
  ];
}

function correlationFindings(pairs: readonly CorrelationPair[]): RankedFinding[] {
  const limit = ERROR_RATE / Math.max(1, pairs.length);
  return pairs.flatMap((pair) => {
    const { left, right, pearson, reversed_within: reversed } = pair;
    const found: RankedFinding[] = [];
    if (reversed !== null) {
      found.push(
        ranked(0.75 + 0.2 * Math.abs(reversed.pearson), [left, right, reversed.category], {
          kind: "reversal",
          left,
          right,
          category: reversed.category,
          overall: pearson,
          within: reversed.pearson,
        }),
      );
    } else if (Math.abs(pearson) >= REDUNDANT && pair.count >= 10) {
      found.push(ranked(0.7, [left, right], { kind: "redundant", left, right, pearson }));
    } else if (strength(pair) >= MIN_CORRELATION && pair.p_value < limit) {
      found.push(correlationFinding(pair));
    }
    return found;
  });
}

function correlationFinding(pair: CorrelationPair): RankedFinding {
  const { left, right, count, pearson, spearman } = pair;
  // What the calendar alone brings about is worth less than what holds without it.
  const net = pair.pearson_net_of_time;
  const weight = net === null ? strength(pair) : (strength(pair) + Math.abs(net)) / 2;
  const is_bent = Math.abs(spearman) - Math.abs(pearson) > BENT && pearson * spearman > 0;
  return ranked(0.3 + 0.6 * weight, [left, right], {
    kind: "correlation",
    left,
    right,
    count,
    pearson,
    spearman,
    is_positive: (Math.abs(pearson) >= MIN_CORRELATION ? pearson : spearman) > 0,
    is_bent,
    net_of_time: net,
  });
}

function effectFinding(effect: GroupEffect): RankedFinding[] {
  const [highest] = effect.groups;
  const lowest = effect.groups.at(-1);
  if (highest === undefined || lowest === undefined) return [];
  if (effect.explained_share < MIN_EFFECT) return [];
  return [
    ranked(0.35 + 0.5 * Math.sqrt(effect.explained_share), [effect.category, effect.measure], {
      kind: "group_effect",
      category: effect.category,
      measure: effect.measure,
      share: effect.explained_share,
      highest,
      lowest,
      groups: effect.groups.length,
    }),
  ];
}

function associationFindings({ associations }: Analysis): RankedFinding[] {
  return associations
    .filter(({ cramers_v }) => cramers_v >= MIN_ASSOCIATION)
    .map(({ left, right, cramers_v }) =>
      ranked(0.3 + 0.5 * cramers_v, [left, right], { kind: "association", left, right, cramers_v }),
    );
}

function outlierFindings(
  found: ColumnOutliers,
  profiles: readonly ColumnProfile[],
): RankedFinding[] {
  const { column } = found;
  const [extreme] = found.extremes;
  const distribution = profiles.find(({ name }) => name === column)?.distribution;
  if (extreme === undefined || distribution?.kind !== "numbers") return [];
  if (found.confirmed_share > MAX_OUTLIER_SHARE && found.confirmed > 1) return [];
  const distance = Math.abs(extreme.robust_z ?? 0) / 3.5;
  return [
    ranked(0.4 + Math.min(0.4, 0.25 * Math.log2(Math.max(1, distance))), [column], {
      kind: "outliers",
      column,
      count: found.confirmed,
      share: found.confirmed_share,
      extreme: {
        value: extreme.value,
        row: extreme.row,
        at: extreme.at,
        is_high: extreme.side === "high",
      },
      median: distribution.median,
    }),
  ];
}

function shapeFindings(profile: ColumnProfile): RankedFinding[] {
  const { distribution, name, type } = profile;
  if (distribution?.kind === "numbers") return tailFinding(name, distribution);
  const isGroup = type === "category" || type === "boolean";
  if (distribution?.kind !== "labels" || !isGroup || profile.distinct < 2) return [];
  const top = distribution.top.slice(0, profile.distinct <= 3 ? profile.distinct : 2);
  const others_share = 1 - top.reduce((sum, { share }) => sum + share, 0);
  const others = profile.distinct - top.length;
  const dominance = top[0]?.share ?? 0;
  if (dominance < MIN_DOMINANCE) return [];
  return [
    ranked(0.2 + 0.3 * dominance, [name], {
      kind: "composition",
      column: name,
      top,
      others,
      others_share,
    }),
  ];
}

function tailFinding(
  column: string,
  shape: Extract<ColumnProfile["distribution"], { kind: "numbers" }>,
): RankedFinding[] {
  const { mean, median, zero_share, top_tenth_share, max, skewness } = shape;
  if (skewness === null || skewness < SKEWED || top_tenth_share === null) return [];
  if (mean < 1.2 * median) return [];
  return [
    ranked(0.4 + 0.3 * top_tenth_share, [column], {
      kind: "long_tail",
      column,
      mean,
      median,
      zero_share,
      top_tenth_share,
      max,
    }),
  ];
}
