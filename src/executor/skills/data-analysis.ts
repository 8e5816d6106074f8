import { ok } from "../../lib/result.ts";
import { readerLanguage, type Language } from "./language.ts";
import { progressAt } from "./progress.ts";
import type { JsonObject, PureRun, PureSkill, SkillResult, SkillTask } from "./skill.ts";
import { nextSteps, readingNotes } from "./table/advice.ts";
import { countDuplicateRows, type Analysis } from "./table/analysis.ts";
import { drawCharts } from "./table/chart.ts";
import { typeColumns } from "./table/column-types.ts";
import { timeColumn } from "./table/columns.ts";
import { correlate } from "./table/correlate.ts";
import { describeColumns } from "./table/describe.ts";
import { say, type RankedFinding } from "./table/finding.ts";
import { rankFindings } from "./table/findings.ts";
import { associations, groupEffects } from "./table/group-effects.ts";
import { findOutliers } from "./table/outliers.ts";
import { parseTable } from "./table/parse-table.ts";
import { withoutPlaceholders } from "./table/placeholders.ts";
import { assessTable } from "./table/table-quality.ts";
import { findTrends } from "./table/trend.ts";
import { ENGLISH } from "./table/wording-english.ts";
import { SPANISH } from "./table/wording-spanish.ts";

const STEPS: Readonly<Record<Language, readonly string[]>> = {
  en: [
    "Reading the table",
    "Recognising what each column holds",
    "Describing every column",
    "Following values over time",
    "Comparing columns with each other",
    "Looking for values out of line",
    "Ranking what was found",
    "Drawing charts",
  ],
  es: [
    "Leyendo la tabla",
    "Reconociendo qué contiene cada columna",
    "Describiendo cada columna",
    "Siguiendo los valores en el tiempo",
    "Comparando las columnas entre sí",
    "Buscando valores fuera de lo común",
    "Ordenando lo encontrado",
    "Dibujando gráficos",
  ],
};

/** What comes later in a ranking says little, and the result must fit a message of 1 MiB. */
const MAX_LISTED = 50;
const MAX_PROFILES = 100;
/** Characters profiled in a second of a slow isolate, with a wide margin. */
const CHARACTERS_PER_SECOND = 100_000;

/**
 * Profiles a table and says what is worth knowing about it; needs no model.
 *
 * Input: `csv` or `rows` (see parseTable). Configuration: `language` ("en", "es"; default: that of the
 * description), `delimiter`, `has_header`. The output has `table`, `columns`, `duplicate_rows`,
 * `placeholders`, * `trends`, `correlations`, `group_effects`, `associations`, `outliers`, `findings` (ranked, with a
 * sentence each), `columns_left_out` (beyond 100), `chart` (Vega-Lite, or null when there is nothing to draw) and `charts` (up to three).
 */
export const dataAnalysis: PureSkill = {
  task_type: "data_analysis",
  prior_quality: 0.9,
  estimate: (input_data) => 1 + Math.ceil(inputSize(input_data) / CHARACTERS_PER_SECOND),
  lack,
  run: analyse,
};

/** Data that is no table takes a model; a table that is broken is for `run` to refuse. */
function lack({ input_data: { csv, rows, url } }: SkillTask): string | null {
  return csv === undefined && rows === undefined && url === undefined
    ? "it analyses tables, and the task brings neither csv nor rows nor a url; anything else needs a language model"
    : null;
}

function* analyse({ description, input_data, configuration }: SkillTask): PureRun {
  const language = readerLanguage(configuration["language"], description);
  const steps = STEPS[language];
  yield progressAt(steps, 0);
  const parsed = parseTable(input_data, configuration);
  if (!parsed.ok) return parsed;
  const { row_count, source } = parsed.value;
  yield progressAt(steps, 1, { rows: row_count, columns: parsed.value.columns.length });
  const { columns, placeholders } = withoutPlaceholders(typeColumns(parsed.value));
  const time = timeColumn(columns);
  yield progressAt(steps, 2, {
    column_types: columns.map(({ name, type }) => ({ name, type })),
  });
  const profiles = describeColumns(columns);
  const duplicate_rows = countDuplicateRows(columns, row_count);
  yield progressAt(steps, 3, { duplicate_rows });
  const trends = time === null ? [] : findTrends(columns, time);
  yield progressAt(steps, 4, { trends_examined: trends.length });
  const correlations = correlate(columns, trends);
  const effects = groupEffects(columns);
  yield progressAt(steps, 5, { pairs_examined: correlations.pairs.length });
  const analysis: Analysis = {
    row_count,
    source,
    columns,
    time,
    profiles,
    duplicate_rows,
    trends,
    correlations,
    effects,
    associations: associations(columns),
    outliers: findOutliers(columns, time),
    placeholders,
  };
  yield progressAt(steps, 6, { columns_with_outliers: analysis.outliers.length });
  const findings = rankFindings(analysis);
  yield progressAt(steps, 7, { findings: findings.length });
  return ok(resultOf(analysis, findings, language));
}

function resultOf(
  analysis: Analysis,
  findings: readonly RankedFinding[],
  language: Language,
): SkillResult {
  const wording = language === "es" ? SPANISH : ENGLISH;
  const sentences = findings.map(({ finding }) => say(wording, finding));
  return {
    output: outputOf(analysis, findings, { sentences, language }),
    summary: sentences.slice(0, 4).join(" "),
    quality: assessTable(analysis, language),
    next_steps: nextSteps(findings, language),
    lessons_learned: readingNotes(analysis, language),
  };
}

function outputOf(
  analysis: Analysis,
  findings: readonly RankedFinding[],
  told: { sentences: readonly string[]; language: Language },
): JsonObject {
  const { correlations } = analysis;
  const charts = drawCharts(analysis, findings, told.language);
  return {
    language: told.language,
    findings: findings.map(({ finding, columns, importance }, index) => ({
      kind: finding.kind,
      importance,
      columns,
      text: told.sentences[index] ?? "",
    })),
    table: {
      rows: analysis.row_count,
      columns: analysis.columns.length,
      time_column: analysis.time?.name ?? null,
      ...analysis.source,
    },
    columns: analysis.profiles.slice(0, MAX_PROFILES),
    columns_left_out: analysis.profiles.slice(MAX_PROFILES).map(({ name }) => name),
    duplicate_rows: analysis.duplicate_rows,
    placeholders: analysis.placeholders,
    trends: analysis.trends.slice(0, MAX_LISTED).map(({ summary }) => summary),
    correlations: {
      pairs: correlations.pairs.slice(0, MAX_LISTED),
      pairs_left_out: Math.max(0, correlations.pairs.length - MAX_LISTED),
      columns_left_out: correlations.columns_left_out,
    },
    group_effects: analysis.effects.slice(0, MAX_LISTED),
    associations: analysis.associations.slice(0, MAX_LISTED),
    outliers: analysis.outliers.slice(0, MAX_LISTED),
    chart: charts[0] ?? null,
    charts,
  };
}

function inputSize({ csv, rows }: JsonObject): number {
  if (typeof csv === "string") return csv.length;
  return Array.isArray(rows) ? 100 * rows.length : 0;
}
