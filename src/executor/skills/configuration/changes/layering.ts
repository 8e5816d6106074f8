import { ok } from "../../../../lib/result.ts";
import { typeOf } from "../../formats/json-value.ts";
import { refuseInput } from "../../input-failure.ts";
import { progressAt } from "../../progress.ts";
import { schemaFaults, type SchemaFault } from "../../schema/schema-faults.ts";
import { partOf, qualityOf } from "../../score.ts";
import type { JsonObject, PureRun, SkillResult } from "../../skill.ts";
import { readAll, type Format, type GivenDocument } from "../documents.ts";
import type { Options } from "../options.ts";
import { readSchema, refuseSchema } from "../schema-input.ts";
import { masked } from "../secrets.ts";
import { writeValue } from "../write.ts";
import { mergeLayers, type Merged, type Override } from "./merge.ts";

const STEPS = [
  "Reading the layers",
  "Laying them on each other",
  "Checking and writing the result",
];
const MAX_LISTED = 1_000;

/**
 * Merges layers, the first lowest, and says which one set each value. The result holds secrets as they are; `overridden`
 * does not.
 *
 * Quality: correctness 1, or 0.5 when a schema was given and the result breaks it; completeness: share of values whose layer
 * is listed, and of values that the format holds; maintainability: share of overrides that keep the type.
 */
export function* mergeDocuments(
  given: readonly GivenDocument[],
  input: JsonObject,
  options: Options,
): PureRun {
  yield progressAt(STEPS, 0);
  const read = readAll(given);
  if (!read.ok) return read;
  const schema = readSchema(input);
  if (!schema.ok) return schema;
  yield progressAt(STEPS, 1, { layers: read.value.length });
  const merged = mergeLayers(read.value, options);
  if (!merged.ok) {
    const { layer, detail } = merged.refusal;
    return refuseInput(
      "inapplicable_layer",
      `The layer ${layer} can't be applied: ${detail}.`,
      `Mode ${options.mode}.`,
      [`Correct the layer ${layer}, or choose another configuration.mode.`],
    );
  }
  const { value, origins, overrides } = merged.value;
  yield progressAt(STEPS, 2, { values: origins.size, overridden: overrides.length });
  const judged = schema.value === null ? null : schemaFaults(schema.value, value);
  if (judged !== null && !judged.ok) return refuseSchema(judged.refusal, "the result");
  const format = options.to ?? read.value[0]?.format ?? "json";
  const faults = judged === null ? null : judged.value;
  return ok(
    resultOf(merged.value, { layers: read.value.length, mode: options.mode, format, faults }),
  );
}

interface Told {
  layers: number;
  mode: string;
  format: Format;
  faults: readonly SchemaFault[] | null;
}

function resultOf(merged: Merged, { layers, mode, format, faults }: Told): SkillResult {
  const { value, origins, overrides } = merged;
  const { text, losses } = writeValue(value, format);
  const retyped = overrides.filter(
    ({ before, after }) => after !== undefined && typeOf(before) !== typeOf(after),
  );
  const provenance = [...origins]
    .slice(0, MAX_LISTED)
    .map(([pointer, layer]) => ({ pointer, layer }));
  const isBroken = faults !== null && faults.length > 0;
  const kept = partOf(origins.size - losses.length, origins.size);
  return {
    output: {
      operation: "merge",
      mode,
      result: value,
      format,
      text,
      provenance,
      provenance_left_out: origins.size - provenance.length,
      overridden: overrides.slice(0, MAX_LISTED).map(overrideRow),
      valid: faults === null ? null : !isBroken,
      faults: (faults ?? [])
        .slice(0, MAX_LISTED)
        .map((fault) => ({ ...fault, layer: origins.get(fault.pointer) ?? null })),
      warnings: losses.slice(0, MAX_LISTED).map((loss) => ({ ...loss })),
    },
    summary: `${layers} layers give ${origins.size} values in ${format}; later layers changed ${overrides.length}${isBroken ? "; the result breaks the schema" : ""}.`,
    quality: qualityOf(
      {
        correctness: isBroken ? 0.5 : 1,
        completeness: partOf(provenance.length, origins.size) * kept,
        efficiency: 1,
        maintainability: partOf(overrides.length - retyped.length, overrides.length),
      },
      `${overrides.length} value(s) overridden, ${retyped.length} of them with another type; ${losses.length} lost in ${format}.`,
    ),
    next_steps: retyped
      .slice(0, 5)
      .map(({ pointer, by }) => `Check ${pointer}: ${by} gives it another type.`),
    lessons_learned: [],
  };
}

function overrideRow({ pointer, by, set_by, before, after }: Override): JsonObject {
  const now = after === undefined ? null : masked(after, pointer);
  return {
    pointer,
    by,
    set_by,
    before: masked(before, pointer),
    after: now,
    removed: after === undefined,
  };
}
