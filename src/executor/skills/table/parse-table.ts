import Papa from "papaparse";

import { ok, type Result } from "../../../lib/result.ts";
import { refuseInput } from "../input-failure.ts";
import type { JsonObject, JsonValue, SkillFailure } from "../skill.ts";
import { isMissing, readBoolean, readNumber } from "./cell-values.ts";
import { readDate } from "./date-values.ts";
import { tableFrom, usualLength, type RawTable } from "./raw-table.ts";

/** The body limit of the HTTP face (protocol.md §7), kept for text that the engine fetched. */
export const MAX_CSV_CHARACTERS = 1_048_576;
/** What one isolate profiles in a few seconds; measured with 20 numeric columns. */
const MAX_CELLS = 200_000;
const MAX_COLUMNS = 500;

type Parsed = Result<RawTable, SkillFailure>;

/**
 * Reads the table of a data_analysis task from `csv` text or from `rows` (objects, or arrays).
 *
 * The delimiter and the header are detected; `configuration.delimiter` and `configuration.has_header`
 * override that. Ragged rows are mended and counted, never fatal.
 *
 * Refuses with the class missing_input, empty_input, invalid_input or input_too_large.
 */
export function parseTable(input: JsonObject, configuration: JsonObject): Parsed {
  const { csv, rows, url } = input as { [key: string]: JsonValue | undefined };
  if (typeof csv === "string") return parseCsv(csv, configuration);
  if (Array.isArray(rows)) return parseRows(rows, configuration);
  const wrong = csv !== undefined ? "csv" : rows !== undefined ? "rows" : null;
  if (wrong !== null) {
    return refuseInput(
      "invalid_input",
      `input_data.${wrong} is not ${wrong === "csv" ? "text" : "an array"}.`,
      `input_data.${wrong} is ${kindOf(input[wrong])}.`,
      HOW_TO_GIVE,
    );
  }
  if (typeof url === "string") {
    return refuseInput(
      "missing_input",
      "The table behind input_data.url was not fetched, so there is nothing to analyse.",
      `input_data.url is ${JSON.stringify(url.slice(0, 200))}, without csv or rows beside it.`,
      HOW_TO_GIVE,
    );
  }
  return refuseInput(
    "missing_input",
    "The task brings no table: give input_data.csv (text), input_data.rows (array) or input_data.url.",
    `input_data has ${describeKeys(input)}.`,
    HOW_TO_GIVE,
  );
}

const HOW_TO_GIVE = [
  'Give the table as text: {"csv": "date,value\\n2026-01-01,3.5\\n…"}.',
  'Or as rows: {"rows": [{"date": "2026-01-01", "value": 3.5}]}.',
];

function parseCsv(csv: string, configuration: JsonObject): Parsed {
  if (csv.trim() === "") return refuseEmpty("input_data.csv holds no text.");
  if (csv.length > MAX_CSV_CHARACTERS) {
    return refuseSize(`${csv.length} characters`, `${MAX_CSV_CHARACTERS} characters`);
  }
  const delimiter = configuration["delimiter"];
  const { data, errors, meta } = Papa.parse<string[]>(csv, {
    delimiter: typeof delimiter === "string" && delimiter.length === 1 ? delimiter : "",
    delimitersToGuess: [",", ";", "\t", "|"],
    skipEmptyLines: "greedy",
  });
  const { records, skipped } = withoutPreamble(data.map((row) => row.map((cell) => cell.trim())));
  return tableOf(records, configuration, {
    format: "csv",
    delimiter: meta.delimiter,
    skipped_lines: skipped,
    malformed_quotes: errors.filter(({ type }) => type === "Quotes").length,
  });
}

function parseRows(rows: readonly JsonValue[], configuration: JsonObject): Parsed {
  const source = {
    format: "rows",
    delimiter: null,
    skipped_lines: 0,
    malformed_quotes: 0,
  } as const;
  if (rows.length === 0) return refuseEmpty("input_data.rows is an empty array.");
  if (rows.every((row) => Array.isArray(row))) {
    const records = rows.map((row) => row.map(cellText));
    return tableOf(records, configuration, source);
  }
  const odd = rows.findIndex(
    (row) => row === null || typeof row !== "object" || Array.isArray(row),
  );
  if (odd !== -1) {
    return refuseInput(
      "invalid_input",
      "input_data.rows must hold only objects, or only arrays.",
      `Row ${odd + 1} is ${kindOf(rows[odd])}.`,
      HOW_TO_GIVE,
    );
  }
  const objects = rows as readonly JsonObject[];
  const names = [...new Set(objects.flatMap((row) => Object.keys(row)))];
  const refused = refuseShape(names.length, rows.length);
  if (refused !== null) return refused;
  const records = objects.map((row) =>
    names.map((name) => (Object.hasOwn(row, name) ? cellText(row[name]) : "")),
  );
  return ok(tableFrom(names, records, source));
}

function tableOf(
  records: readonly (readonly string[])[],
  configuration: JsonObject,
  source: Parameters<typeof tableFrom>[2],
): Parsed {
  const configured = configuration["has_header"];
  const hasHeader = typeof configured === "boolean" ? configured : looksLikeHeader(records);
  const [header = null] = hasHeader ? records : [];
  const body = hasHeader ? records.slice(1) : records;
  const refused = refuseShape(header?.length ?? usualLength(body), body.length);
  return refused ?? ok(tableFrom(header, body, source));
}

function refuseShape(columns: number, rows: number): ReturnType<typeof refuseInput> | null {
  if (rows === 0 || columns === 0) {
    return refuseEmpty(`The table has ${columns} columns and ${rows} data rows.`);
  }
  if (columns > MAX_COLUMNS) return refuseSize(`${columns} columns`, `${MAX_COLUMNS} columns`);
  const cells = columns * rows;
  return cells > MAX_CELLS ? refuseSize(`${cells} cells`, `${MAX_CELLS} cells`) : null;
}

/** Lines of a title or a note above the table: they have one field where the table has several. */
function withoutPreamble(records: string[][]): { records: string[][]; skipped: number } {
  if (usualLength(records) < 2) return { records, skipped: 0 };
  const first = records.findIndex((record) => record.filter((cell) => cell !== "").length > 1);
  return first > 0 ? { records: records.slice(first), skipped: first } : { records, skipped: 0 };
}

/**
 * Python's csv.Sniffer asks the same: does the first row differ in kind from what lies below it?
 *
 * Where the kinds say nothing (all text), a row of different, filled cells that do not come again is
 * a header.
 */
function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...body] = records;
  if (first === undefined || first.some((cell) => cell !== "" && isMissing(cell))) return false;
  const votes = first.map((cell, column) => {
    const below = body.slice(0, 200).flatMap((row) => {
      const value = row[column] ?? "";
      return isMissing(value) ? [] : [value];
    });
    if (below.includes(cell)) return -1;
    const typed = below.filter(isTyped).length / Math.max(1, below.length);
    if (typed < 0.7) return 0;
    return isTyped(cell) ? -1 : 1;
  });
  const balance = votes.reduce<number>((sum, vote) => sum + vote, 0);
  if (balance !== 0) return balance > 0;
  return (
    new Set(first).size === first.length && !first.some((cell) => cell === "" || isTyped(cell))
  );
}

function isTyped(cell: string): boolean {
  return (
    readNumber(cell, "dot") !== null ||
    readNumber(cell, "comma") !== null ||
    readDate(cell, "day_first") !== null ||
    readDate(cell, "month_first") !== null ||
    readBoolean(cell) !== null
  );
}

function cellText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value).trim();
}

function refuseEmpty(evidence: string): ReturnType<typeof refuseInput> {
  return refuseInput("empty_input", "The table has no data rows to analyse.", evidence, [
    "Give at least one row below the header.",
    "If the first row is data, set configuration.has_header to false.",
  ]);
}

function refuseSize(size: string, limit: string): ReturnType<typeof refuseInput> {
  return refuseInput(
    "input_too_large",
    `The table is larger than the built-in executor analyses: ${size}, the limit is ${limit}.`,
    `${size} were given.`,
    [
      "Send a sample, or aggregate the rows first.",
      "Register an external executor for data_analysis that handles larger tables.",
    ],
  );
}

function kindOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "null";
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}

function describeKeys(input: JsonObject): string {
  const keys = Object.keys(input);
  return keys.length === 0 ? "no fields" : `only the fields ${keys.slice(0, 10).join(", ")}`;
}
