import { ok } from "../../../lib/result.ts";
import { isObject, valueAt } from "../formats/json-value.ts";
import { progressAt } from "../progress.ts";
import { schemaFaults, type SchemaFault } from "../schema/schema-faults.ts";
import { partOf, qualityOf } from "../score.ts";
import type { JsonObject, JsonValue, PureRun } from "../skill.ts";
import { checkDocuments } from "./checks.ts";
import { readDocument, type ConfigurationDocument, type GivenDocument } from "./documents.ts";
import { variablesOf } from "./options.ts";
import { readSchema, refuseSchema } from "./schema-input.ts";
import { masked } from "./secrets.ts";

const STEPS = ["Reading the documents", "Applying the schema", "Checking across documents"];
const MAX_LISTED = 200;

/** A fault as it is reported; a type alias, so that it is JSON by its form. */
type Fault = {
  document: string;
  pointer: string;
  line: number | null;
  column: number | null;
  rule: string;
  detail: string;
  expected: string;
  found: JsonValue;
};

/**
 * Validates each document against the schema, when there is one, and looks for what schemas do not see.
 *
 * A text that can't be read is a fault of the document, not of the task.
 *
 * Quality: correctness 1 (a fault is what the schema says); completeness 1 with a schema and 0.6 without, times the share
 * of faults that are listed; maintainability: share of faults with a line.
 */
export function* validateDocuments(given: readonly GivenDocument[], input: JsonObject): PureRun {
  yield progressAt(STEPS, 0);
  const schema = readSchema(input);
  if (!schema.ok) return schema;
  const faults: Fault[] = [];
  const documents: ConfigurationDocument[] = [];
  for (const each of given) {
    const read = readDocument(each);
    if (read.ok) documents.push(...read.value);
    else
      faults.push({
        document: each.name,
        pointer: "",
        ...read.refusal,
        rule: "syntax",
        expected: `Valid ${each.format}.`,
        found: null,
      });
  }
  yield progressAt(STEPS, 1, { documents: documents.length, unreadable: faults.length });
  if (schema.value !== null) {
    for (const document of documents) {
      const found = schemaFaults(schema.value, document.value);
      if (!found.ok) return refuseSchema(found.refusal, document.name);
      faults.push(...found.value.map((fault) => faultRow(fault, document)));
    }
  }
  yield progressAt(STEPS, 2, { faults: faults.length });
  const notices = checkDocuments(documents, variablesOf(input));
  return ok(report({ faults, notices, documents: given.length, hasSchema: schema.value !== null }));
}

function faultRow(fault: SchemaFault, { name, places, value }: ConfigurationDocument): Fault {
  const { pointer, keyword, detail, expected } = fault;
  const place = places?.(pointer, keyword.endsWith("Properties") ? "name" : "value");
  return {
    document: name,
    pointer,
    line: place?.line ?? null,
    column: place?.column ?? null,
    rule: keyword,
    detail,
    expected,
    found: shown(valueAt(value, pointer), pointer),
  };
}

/** A value in a line: what is large is told by its kind. */
function shown(value: JsonValue | undefined, pointer: string): JsonValue {
  if (value === undefined) return null;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (isObject(value)) return `object with ${Object.keys(value).slice(0, 20).join(", ")}`;
  const safe = masked(value, pointer);
  return typeof safe === "string" ? safe.slice(0, 200) : safe;
}

function report(told: {
  faults: Fault[];
  notices: ReturnType<typeof checkDocuments>;
  documents: number;
  hasSchema: boolean;
}) {
  const { faults, notices, documents, hasSchema } = told;
  const first = faults[0];
  const broken = new Set(faults.map(({ document }) => document)).size;
  const verdict = first === undefined ? "valid" : "not valid";
  const what = hasSchema ? "against the schema" : "by syntax alone, as no schema was given";
  const summary =
    first === undefined
      ? `${documents} document(s) checked ${what}: valid, with ${notices.length} notice(s).`
      : `${faults.length} fault(s) in ${broken} of ${documents} document(s). First: ${first.document}${first.line === null ? "" : ` line ${first.line}`} ${first.pointer}: ${first.detail}`;
  return {
    output: {
      operation: "validate",
      valid: first === undefined,
      faults: faults.slice(0, MAX_LISTED),
      faults_left_out: Math.max(0, faults.length - MAX_LISTED),
      notices: notices.slice(0, MAX_LISTED).map((notice) => ({ ...notice })),
      notices_left_out: Math.max(0, notices.length - MAX_LISTED),
      schema_applied: hasSchema,
    },
    summary: summary.slice(0, 2000),
    quality: qualityOf(
      {
        correctness: 1,
        completeness:
          (hasSchema ? 1 : 0.6) * partOf(MAX_LISTED, Math.max(MAX_LISTED, faults.length)),
        efficiency: 1,
        maintainability: partOf(faults.filter(({ line }) => line !== null).length, faults.length),
      },
      `The documents are ${verdict} ${what}; ${faults.length} fault(s) and ${notices.length} notice(s).`,
    ),
    next_steps:
      first === undefined
        ? []
        : [
            `Correct ${first.pointer === "" ? first.document : first.pointer} first: ${first.expected}`.slice(
              0,
              500,
            ),
          ],
    lessons_learned: [],
  };
}
