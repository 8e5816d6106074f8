import type { Language } from "../language.ts";
import type { Analysis } from "./analysis.ts";
import type { Finding, RankedFinding } from "./finding.ts";

type Advice = { [K in Finding["kind"]]?: (finding: Extract<Finding, { kind: K }>) => string };

const ENGLISH: Advice = {
  placeholder: ({ column, value }) =>
    `Confirm that ${value} in ${column} means "missing"; it was left out.`,
  ambiguous_dates: ({ column }) => `Write the dates of ${column} as YYYY-MM-DD and analyse again.`,
  unreadable: ({ column }) => `Correct the unreadable cells of ${column}.`,
  duplicates: () => "Find out whether repeated rows are real or were loaded twice.",
  missing: ({ columns }) =>
    `Find out why ${columns[0]?.name ?? ""} has gaps, and whether they fall by chance.`,
  ragged: () =>
    "Check the export: rows with another number of fields often hold an unquoted delimiter.",
  reversal: ({ category }) => `Analyse each ${category} separately.`,
  outliers: ({ column, extreme }) =>
    `Check ${column} at ${extreme.at ?? `row ${extreme.row}`} against its source: a slip or a real event?`,
  trend: ({ trend }) =>
    `Look for what changed ${trend.column} over the period before extrapolating.`,
  correlation: ({ left, right }) =>
    `Before acting on the link between ${left} and ${right}, rule out a common cause.`,
  few_rows: () => "Gather more rows before deciding anything on these figures.",
};

const SPANISH: Advice = {
  placeholder: ({ column, value }) =>
    `Confirmar que ${value} en ${column} significa «sin dato»; se dejó fuera.`,
  ambiguous_dates: ({ column }) =>
    `Escribir las fechas de ${column} como AAAA-MM-DD y repetir el análisis.`,
  unreadable: ({ column }) => `Corregir las celdas ilegibles de ${column}.`,
  duplicates: () => "Averiguar si las filas repetidas son reales o se cargaron dos veces.",
  missing: ({ columns }) =>
    `Averiguar por qué faltan datos en ${columns[0]?.name ?? ""} y si faltan al azar.`,
  ragged: () =>
    "Revisar la exportación: las filas con otro número de campos suelen contener un separador sin comillas.",
  reversal: ({ category }) => `Analizar cada ${category} por separado.`,
  outliers: ({ column, extreme }) =>
    `Contrastar ${column} en ${extreme.at ?? `la fila ${extreme.row}`} con su fuente: ¿error o suceso real?`,
  trend: ({ trend }) => `Buscar qué cambió ${trend.column} en el periodo antes de extrapolarlo.`,
  correlation: ({ left, right }) =>
    `Comprobar si ${left} y ${right} comparten una tercera causa antes de actuar.`,
  few_rows: () => "Reunir más filas antes de decidir nada con estas cifras.",
};

const MAX_STEPS = 5;

/** What to do next about the findings, the most important first, once for each kind: at most five. */
export function nextSteps(findings: readonly RankedFinding[], language: Language): string[] {
  const advice = language === "es" ? SPANISH : ENGLISH;
  const kinds = new Set<string>();
  const steps = findings.flatMap(({ finding }) => {
    // As in `say`: the mapped type ties the key to the finding.
    const give = advice[finding.kind] as ((found: Finding) => string) | undefined;
    if (give === undefined || kinds.has(finding.kind)) return [];
    kinds.add(finding.kind);
    return [give(finding)];
  });
  return steps.slice(0, MAX_STEPS);
}

/** How the table had to be read, for whoever brings the next one from the same source. */
export function readingNotes({ source, columns }: Analysis, language: Language): string[] {
  const inSpanish = language === "es";
  const notes: string[] = [];
  if (source.delimiter !== null && source.delimiter !== ",") {
    const mark = source.delimiter === "\t" ? "tab" : source.delimiter;
    notes.push(inSpanish ? `El separador es «${mark}».` : `The delimiter is "${mark}".`);
  }
  if (!source.has_header) {
    notes.push(
      inSpanish
        ? "La primera fila es de datos: la tabla no tiene encabezado."
        : "The first row is data: the table has no header.",
    );
  }
  if (source.skipped_lines > 0) {
    notes.push(
      inSpanish
        ? `Hay ${source.skipped_lines} líneas de texto sobre la tabla.`
        : `${source.skipped_lines} lines of text stand above the table.`,
    );
  }
  const identifiers = columns.filter(({ type }) => type === "identifier").map(({ name }) => name);
  if (identifiers.length > 0) {
    const names = identifiers.slice(0, 10).join(", ");
    notes.push(
      inSpanish
        ? `Identifican filas y no se midieron: ${names}.`
        : `These columns name things and were not measured: ${names}.`,
    );
  }
  return notes;
}
