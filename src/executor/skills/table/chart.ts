import type { Language } from "../language.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import type { Analysis } from "./analysis.ts";
import type { Column } from "./column-types.ts";
import type { Finding, RankedFinding } from "./finding.ts";
import { meanOf } from "./significance.ts";

/** Chart data travels inside the result, which a queue message must still carry. */
const MAX_POINTS = 300;
const MAX_CHARTS = 3;
const MAX_COLOURS = 8;
/** Bins of a line over time: enough for every week of four years, few enough to stay readable. */
const TIME_BINS = 208;
const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

/** Findings about the shape of one column. */
const SHAPES: ReadonlySet<Finding["kind"]> = new Set(["long_tail", "outliers", "composition"]);

const TITLES = {
  en: {
    over: (measure: string, time: string) => `${measure} over ${time}`,
    against: (left: string, right: string) => `${right} against ${left}`,
    by: (measure: string, category: string) => `${measure} by ${category}`,
    distribution: (column: string) => `Distribution of ${column}`,
    rows: "rows",
    averaged: "averages of equal stretches of time",
    line: "dashed: the trend",
    net_line: "dashed: the trend net of the season",
    sampled: (shown: number, all: number) => `${shown} of ${all} rows, evenly picked`,
  },
  es: {
    over: (measure: string, time: string) => `${measure} a lo largo de ${time}`,
    against: (left: string, right: string) => `${right} frente a ${left}`,
    by: (measure: string, category: string) => `${measure} según ${category}`,
    distribution: (column: string) => `Distribución de ${column}`,
    rows: "filas",
    averaged: "medias de tramos iguales de tiempo",
    line: "a trazos: la tendencia",
    net_line: "a trazos: la tendencia sin la estacionalidad",
    sampled: (shown: number, all: number) => `${shown} de ${all} filas, elegidas a intervalos`,
  },
} as const;

interface Point {
  [field: string]: JsonValue;
}

/**
 * Up to three Vega-Lite v6 charts, the most telling first, each of another kind of view.
 *
 * They follow the ranked findings: a line for trends and seasons, a scatter plot (coloured by the
 * category that tells most) for correlations, boxes for groups, a histogram or bars for shapes.
 * Data is inline, at most 300 points; fields are called x, y and group, because Vega-Lite reads dots and
 * brackets in field names as paths. Empty only if no column has anything to show.
 */
export function drawCharts(
  analysis: Analysis,
  findings: readonly RankedFinding[],
  language: Language,
): JsonObject[] {
  const charts = new Map<string, JsonObject>();
  for (const { finding } of findings) {
    const drawn = chartOf(finding, analysis, language);
    if (drawn !== null && !charts.has(drawn.view)) charts.set(drawn.view, drawn.chart);
  }
  for (const { name } of analysis.columns) {
    if (charts.size > 0) break;
    const chart = distributionChart(name, analysis, language);
    if (chart !== null) charts.set("distribution", chart);
  }
  return [...charts.values()].slice(0, MAX_CHARTS);
}

function chartOf(
  finding: Finding,
  analysis: Analysis,
  language: Language,
): { view: string; chart: JsonObject } | null {
  const as = (view: string, chart: JsonObject | null) => (chart === null ? null : { view, chart });
  if (finding.kind === "trend" || finding.kind === "season") {
    const name = finding.kind === "trend" ? finding.trend.column : finding.columns[0]?.name;
    return as("line", lineChart(name ?? "", analysis, language));
  }
  if (finding.kind === "correlation" || finding.kind === "reversal") {
    return as("scatter", scatterChart(finding.left, finding.right, analysis, language));
  }
  if (finding.kind === "group_effect") {
    return as("boxes", boxChart(finding.category, finding.measure, analysis, language));
  }
  return SHAPES.has(finding.kind) && "column" in finding
    ? as("distribution", distributionChart(finding.column, analysis, language))
    : null;
}

function lineChart(name: string, analysis: Analysis, language: Language): JsonObject | null {
  const { time, columns } = analysis;
  const column = columns.find((candidate) => candidate.name === name);
  if (time === null || column === undefined) return null;
  const points = averagedOverTime(time, column);
  const words = TITLES[language];
  const line = trendLine(name, points, analysis);
  const subtitle = [
    ...(points.length < column.values.length ? [words.averaged] : []),
    ...(line.length > 0 ? [isSeasonal(name, analysis) ? words.net_line : words.line] : []),
  ].join(", ");
  const x = { field: "x", type: "temporal", title: time.name, scale: { type: "utc" } };
  const y = { field: "y", type: "quantitative", title: name, scale: { zero: false } };
  const layers: JsonObject[] = [{ mark: { type: "line", tooltip: true }, encoding: { x, y } }];
  if (line.length > 0) {
    const mark = { type: "line", strokeDash: [6, 4], color: "firebrick" };
    layers.push({ data: { values: line }, mark, encoding: { x, y } });
  }
  return {
    ...frame(words.over(name, time.name), subtitle === "" ? [] : [subtitle], points),
    layer: layers,
  };
}

function isSeasonal(name: string, { trends }: Analysis): boolean {
  return trends.some(({ summary }) => summary.column === name && summary.season !== null);
}

/** The ends of the trend line that the findings speak of; none where there is no trend. */
function trendLine(name: string, points: readonly Point[], { trends }: Analysis): Point[] {
  const trend = trends.find(({ summary }) => summary.column === name)?.summary;
  const [from, to] = [points[0]?.["x"], points.at(-1)?.["x"]];
  if (trend === undefined || trend.direction === "none" || !from || !to) return [];
  return [
    { x: from, y: trend.line.first },
    { x: to, y: trend.line.last },
  ];
}

function averagedOverTime(time: Column, column: Column): Point[] {
  const rows = column.values.flatMap((y, row) => {
    const x = time.values[row] ?? null;
    return y === null || x === null ? [] : [{ x, y }];
  });
  const sorted = rows.toSorted((a, b) => a.x - b.x);
  const first = sorted[0]?.x ?? 0;
  const span = (sorted.at(-1)?.x ?? 0) - first;
  const binOf = (x: number) =>
    Math.min(TIME_BINS - 1, Math.floor(((x - first) / span) * TIME_BINS));
  const isFine = sorted.length > TIME_BINS && span > 0;
  const groups = Map.groupBy(sorted, ({ x }) => (isFine ? binOf(x) : x));
  return [...groups.values()].map((group) => ({
    x: new Date(group[0]?.x ?? 0).toISOString(),
    y: short(meanOf(group.map(({ y }) => y))),
  }));
}

function scatterChart(
  left: string,
  right: string,
  analysis: Analysis,
  language: Language,
): JsonObject | null {
  const group = colouringFor([left, right], analysis);
  const points = rowPoints(analysis, { x: left, y: right, group: group?.name ?? null });
  return {
    ...frame(TITLES[language].against(left, right), sampledNote(points, language), points.shown),
    mark: { type: "point", filled: true, opacity: 0.6, tooltip: true },
    encoding: {
      x: { field: "x", type: "quantitative", title: left, scale: { zero: false } },
      y: { field: "y", type: "quantitative", title: right, scale: { zero: false } },
      ...(group === null ? {} : { color: { field: "group", type: "nominal", title: group.name } }),
    },
  };
}

function colouringFor(names: readonly string[], analysis: Analysis): Column | null {
  for (const { category, measure } of analysis.effects) {
    if (!names.includes(measure)) continue;
    const column = analysis.columns.find(({ name }) => name === category);
    if (column !== undefined && column.distinct <= MAX_COLOURS) return column;
  }
  return null;
}

function boxChart(
  category: string,
  measure: string,
  analysis: Analysis,
  language: Language,
): JsonObject {
  const points = rowPoints(analysis, { x: null, y: measure, group: category });
  const order = analysis.effects
    .find((effect) => effect.category === category && effect.measure === measure)
    ?.groups.map(({ label }) => label);
  return {
    ...frame(TITLES[language].by(measure, category), sampledNote(points, language), points.shown),
    mark: { type: "boxplot" },
    encoding: {
      x: {
        field: "group",
        type: "nominal",
        title: category,
        ...(order === undefined ? {} : { sort: order }),
      },
      y: { field: "y", type: "quantitative", title: measure, scale: { zero: false } },
      color: { field: "group", type: "nominal", legend: null },
    },
  };
}

function distributionChart(
  name: string,
  { profiles }: Analysis,
  language: Language,
): JsonObject | null {
  const distribution = profiles.find((profile) => profile.name === name)?.distribution;
  const title = TITLES[language].distribution(name);
  const count = { field: "y", type: "quantitative", title: TITLES[language].rows };
  if (distribution?.kind === "numbers") {
    const points = distribution.histogram.map(({ from, to, count: y }) => ({ x: from, x2: to, y }));
    return {
      ...frame(title, [], points),
      mark: { type: "bar", tooltip: true },
      encoding: {
        x: { field: "x", type: "quantitative", bin: "binned", title: name },
        x2: { field: "x2" },
        y: count,
      },
    };
  }
  if (distribution?.kind !== "labels") return null;
  return {
    ...frame(
      title,
      [],
      distribution.top.map(({ value, count: y }) => ({ x: value, y })),
    ),
    mark: { type: "bar", tooltip: true },
    encoding: { y: { field: "x", type: "nominal", sort: "-x", title: name }, x: count },
  };
}

/** Rows that have all wanted values, at most 300, picked at even distances: no randomness. */
function rowPoints(
  { columns, row_count }: Analysis,
  wanted: { x: string | null; y: string; group: string | null },
): { shown: Point[]; all: number } {
  const find = (name: string | null) => columns.find((column) => column.name === name);
  const [x, y, group] = [find(wanted.x), find(wanted.y), find(wanted.group)];
  const points: Point[] = [];
  for (let row = 0; row < row_count; row += 1) {
    const point: Point = { y: y?.values[row] ?? null };
    if (x !== undefined) point["x"] = x.values[row] ?? null;
    if (group !== undefined) point["group"] = group.labels[row]?.slice(0, 80) ?? null;
    if (Object.values(point).every((value) => value !== null)) points.push(point);
  }
  const step = Math.max(1, points.length / MAX_POINTS);
  const shown = Array.from(
    { length: Math.min(points.length, MAX_POINTS) },
    (_, index) => points[Math.floor(index * step)] ?? {},
  );
  return { shown, all: points.length };
}

function sampledNote(points: { shown: Point[]; all: number }, language: Language): string[] {
  const { shown, all } = points;
  return shown.length < all ? [TITLES[language].sampled(shown.length, all)] : [];
}

function frame(title: string, subtitle: readonly string[], values: readonly Point[]): JsonObject {
  return {
    $schema: SCHEMA,
    title: subtitle.length === 0 ? title : { text: title, subtitle },
    width: 560,
    height: 320,
    data: { values },
  };
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}
