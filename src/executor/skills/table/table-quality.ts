import type { Language } from "../language.ts";
import { figuresFor } from "../number-format.ts";
import { weighedQuality } from "../score.ts";
import type { SkillQuality } from "../skill.ts";
import type { Analysis } from "./analysis.ts";
import type { Column } from "./column-types.ts";

/** With this many rows the usual statistics become stable (the old rule of thumb of 30). */
const ENOUGH_ROWS = 30;
const WEIGHTS = { correctness: 0.4, completeness: 0.3, efficiency: 0.1, maintainability: 0.2 };

/**
 * How far this analysis can be relied on, from counted facts:
 *
 * - correctness: share of filled cells that were read as their column's type, times the share of
 *   rows with the right number of fields
 * - completeness: mean of the share of columns with a type beyond free text, the share of measures
 *   whose correlations were examined, and the share of the 30 rows that stable figures need
 * - efficiency: share of all cells that a figure could use (filled and read, not of a constant)
 * - maintainability: share of columns whose name came from the source and whose dates have one reading
 */
export function assessTable(analysis: Analysis, language: Language): SkillQuality {
  const facts = factsOf(analysis);
  const criteria = {
    correctness: facts.read_share * facts.even_rows,
    completeness:
      (facts.typed_columns + facts.examined_measures + Math.min(1, facts.rows / ENOUGH_ROWS)) / 3,
    efficiency: facts.used_cells,
    maintainability: facts.clear_columns,
  };
  return weighedQuality(criteria, WEIGHTS, feedback(facts, analysis, language));
}

type Facts = ReturnType<typeof factsOf>;

function factsOf({ columns, row_count, source, correlations }: Analysis) {
  const cells = row_count * columns.length;
  const filled = cells - sum(columns, ({ missing }) => missing);
  const misread = sum(columns, ({ unreadable }) => unreadable.length);
  const examined = correlations.columns_examined.length;
  const usable = columns.filter(({ distinct }) => distinct > 1);
  return {
    rows: row_count,
    read_share: ratio(filled - misread, filled),
    even_rows: 1 - ratio(source.ragged_rows + source.malformed_quotes, row_count, 0),
    typed_columns: ratio(columns.filter(isTyped).length, columns.length),
    examined_measures: ratio(examined, examined + correlations.columns_left_out.length),
    used_cells: ratio(
      sum(usable, (column) => row_count - column.missing - column.unreadable.length),
      cells,
    ),
    clear_columns: ratio(
      columns.filter(({ is_named, has_ambiguous_dates }) => is_named && !has_ambiguous_dates)
        .length,
      columns.length,
    ),
  };
}

function feedback(facts: Facts, { columns, source }: Analysis, language: Language): string {
  const { share, number } = figuresFor(language);
  const typed = number(columns.filter(isTyped).length);
  const all = number(columns.length);
  const ragged = number(source.ragged_rows);
  return language === "es"
    ? `Se leyó el ${share(facts.read_share)} de las celdas con dato según el tipo de su columna; ${typed} de ${all} columnas tienen un tipo analizable; ${ragged} filas se corrigieron; el ${share(facts.used_cells)} de las celdas sirvió para el análisis.`
    : `${share(facts.read_share)} of the filled cells were read as their column's type; ${typed} of ${all} columns have an analysable type; ${ragged} rows were mended; ${share(facts.used_cells)} of all cells served the analysis.`;
}

function isTyped({ type }: Column): boolean {
  return type !== "text" && type !== "empty";
}

function sum(columns: readonly Column[], of: (column: Column) => number): number {
  return columns.reduce((total, column) => total + of(column), 0);
}

function ratio(part: number, whole: number, empty = 1): number {
  return whole === 0 ? empty : Math.min(1, part / whole);
}
