import { figuresFor } from "../number-format.ts";
import type { Wording } from "./finding.ts";
import type { SeasonSummary, TrendSummary } from "./trend.ts";

const { number, share, coefficient, list, instant } = figuresFor("en");

const TYPE_NAMES = { measure: "numeric", date: "date", group: "categorical", other: "other" };

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );
const CYCLES = { month: "month of the year", weekday: "day of the week", hour: "hour of the day" };

/** Findings as English sentences. */
export const ENGLISH: Wording = {
  overview: ({ rows, columns, by_type, missing_share, period }) => {
    const kinds = by_type.map(({ kind, count }) => `${count} ${TYPE_NAMES[kind]}`);
    const cells =
      missing_share === 0
        ? "no cell is missing"
        : `${share(missing_share)} of the cells are missing`;
    const table = `${plural(rows, "row")} and ${plural(columns, "column")} (${list(kinds)}); ${cells}`;
    if (period === null) return `${table}.`;
    const span = `${instant(period.from, period.with_time)} to ${instant(period.to, period.with_time)}`;
    const gaps = period.gaps === 0 ? "without gaps" : `with ${plural(period.gaps, "gap")}`;
    const pace = period.daily ? `, day by day ${gaps}` : "";
    return `${table}. They cover ${span}${pace}.`;
  },
  season: ({ strongest, columns }) => {
    const [first] = columns;
    const shares = columns.map(({ name, share: part }) => `${share(part)} in ${name}`);
    return `The ${CYCLES[strongest.cycle]} explains ${amountWord(strongest.explained_share)} of the variation: ${list(shares)}. On average ${first?.name ?? ""} is ${number(strongest.highest.mean)} ${phase(strongest, "highest")} and ${number(strongest.lowest.mean)} ${phase(strongest, "lowest")}.`;
  },
  trend: ({ trend, is_line_plausible }) => {
    const verb = trend.direction === "rising" ? "rises" : "falls";
    const net = trend.season === null ? "" : ", net of the season";
    const ends = is_line_plausible
      ? `: from ${number(trend.line.first)} to ${number(trend.line.last)} along the trend line`
      : "";
    const mean = trend.rows > trend.instants ? `Averaged at each ${trend.over}, ` : "";
    return `${mean}${trend.column} ${verb} by about ${number(Math.abs(trend.slope))} per ${trend.unit}${net}${ends} (${probability(trend.p_value)}, line explains ${share(trend.r_squared)}).`;
  },
  no_trend: ({ columns, has_season }) =>
    `${has_season ? "Net of the season, " : ""}${list(columns)} ${columns.length === 1 ? "shows" : "show"} no lasting rise or fall over the period.`,
  correlation: ({ left, right, count, pearson, spearman, is_positive, is_bent, net_of_time }) => {
    const verb = is_positive ? "rise and fall together" : "move in opposite directions";
    const size = strengthWord(Math.max(Math.abs(pearson), Math.abs(spearman)));
    const bent = is_bent
      ? `; ranks agree better, ${coefficient(spearman)}: it is no straight line, or odd values blur it`
      : "";
    return `${left} and ${right} ${verb} (${size}: r = ${coefficient(pearson)} over ${number(count)} rows${bent})${netOfTime(pearson, net_of_time)}.`;
  },
  redundant: ({ left, right, pearson }) =>
    `${left} and ${right} say nearly the same (r = ${coefficientExact(pearson)}); one of them is enough.`,
  reversal: ({ left, right, category, overall, within }) =>
    `Beware: over all rows ${left} and ${right} correlate ${overall > 0 ? "positively" : "negatively"} (r = ${coefficient(overall)}), but within each ${category} the relation turns round (r = ${coefficient(within)}). The overall figure mixes groups.`,
  group_effect: ({ category, measure, share: part, highest, lowest, groups }) =>
    `${category} explains ${share(part)} of the variation of ${measure}: ${groups === 2 ? "the mean is" : "means range from"} ${number(highest.mean)} for ${groupName(category, highest.label)} ${groups === 2 ? "and" : "down to"} ${number(lowest.mean)} for ${groupName(category, lowest.label)}.`,
  association: ({ left, right, cramers_v }) =>
    `${left} and ${right} are closely linked: knowing one narrows down the other (Cramér's V = ${coefficient(cramers_v)}).`,
  outliers: ({ column, count, share: part, extreme, median }) => {
    const where = `${extreme.at === null ? "" : `${extreme.at}, `}row ${number(extreme.row)}`;
    const place = `${number(extreme.value)} (${where}), against a median of ${number(median)}`;
    if (count === 1) return `${column} has one outlier: ${place}.`;
    return `${column} has ${number(count)} outliers (${share(part)} of its values); the most extreme is ${place}.`;
  },
  placeholder: ({ column, value, count }) =>
    `${column} holds ${value} ${number(count)} times, far from all other values: it was taken for "missing" and left out.`,
  long_tail: ({ column, mean, median, zero_share, top_tenth_share, max }) => {
    const zeros = zero_share >= 0.2 ? `${share(zero_share)} of its values are 0, and the` : "the";
    return `${column} is very unevenly spread: ${zeros} largest tenth of its values makes up ${share(top_tenth_share)} of the total (mean ${number(mean)}, median ${number(median)}, maximum ${number(max)}).`;
  },
  composition: ({ column, top, others, others_share }) => {
    const parts = list(top.map(({ value, share: part }) => `${value} (${share(part)})`));
    if (others === 0) return `${column} divides into ${parts}.`;
    const rest = `${plural(others, "other value")} ${others === 1 ? "takes" : "share"} the remaining ${share(others_share)}`;
    return `The most frequent values of ${column} are ${parts}; ${rest}.`;
  },
  missing: ({ columns }) =>
    `Values are missing in ${list(columns.map(({ name, share: part }) => `${name} (${share(part)})`))}.`,
  constant: ({ columns }) =>
    `${list(columns)} ${columns.length === 1 ? "holds" : "hold"} a single value throughout, so nothing can be learnt from ${columns.length === 1 ? "it" : "them"}.`,
  duplicates: ({ count, share: part }) =>
    `${plural(count, "row")} (${share(part)}) ${count === 1 ? "repeats" : "repeat"} an earlier row in every cell.`,
  ragged: ({ count, rows }) =>
    `${plural(count, "row")} ${count === 1 ? "has" : "have"} too few or too many fields (row ${list(rows.map(String))}${count > rows.length ? ", …" : ""}); missing fields were left empty and surplus ones dropped.`,
  unreadable: ({ column, type, count, examples }) =>
    `${plural(count, "cell")} of ${column} ${count === 1 ? "is" : "are"} no ${type} (${list(examples.map((cell) => `"${cell.slice(0, 40)}"`))}) and ${count === 1 ? "was" : "were"} left out.`,
  ambiguous_dates: ({ column }) =>
    `The dates in ${column} can be read day first or month first, and nothing decides; they were read day first.`,
  few_rows: ({ rows }) =>
    `With only ${plural(rows, "row")}, patterns can arise by chance: take every figure as a hint.`,
};

function groupName(category: string, label: string): string {
  return /^[\d-]/.test(label) ? `${category} ${label}` : label;
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function phase({ cycle, ...ends }: SeasonSummary, end: "highest" | "lowest"): string {
  const at = ends[end].phase;
  if (cycle === "month") return `in ${MONTHS[at]}`;
  return cycle === "weekday" ? `on ${WEEKDAYS[at]}s` : `at ${String(at).padStart(2, "0")}:00`;
}

function probability(p: TrendSummary["p_value"]): string {
  return p < 0.001 ? "p < 0.001" : `p = ${number(p)}`;
}

function amountWord(share_explained: number): string {
  if (share_explained >= 0.5) return "most";
  return share_explained >= 0.2 ? "much" : "a part";
}

/** Evans (1996): very strong from 0.8, strong from 0.6, moderate from 0.4. */
function strengthWord(size: number): string {
  if (size >= 0.8) return "very strong";
  if (size >= 0.6) return "strong";
  return size >= 0.4 ? "moderate" : "weak";
}

function netOfTime(pearson: number, net: number | null): string {
  if (net === null || Math.abs(pearson) - Math.abs(net) < 0.1) return "";
  return Math.abs(net) < 0.2
    ? `; that is almost wholly due to season and trend (r = ${coefficient(net)} without them)`
    : `; part of that is season and trend (r = ${coefficient(net)} without them)`;
}

function coefficientExact(value: number): string {
  return Math.abs(value) >= 0.9995 ? coefficient(value) : String(Math.round(value * 1000) / 1000);
}
