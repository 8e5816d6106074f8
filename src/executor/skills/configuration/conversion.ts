import { ok } from "../../../lib/result.ts";
import { isSame, leavesOf } from "../formats/json-value.ts";
import { refuseInput } from "../input-failure.ts";
import { progressAt } from "../progress.ts";
import { partOf, qualityOf } from "../score.ts";
import type { JsonObject, PureRun } from "../skill.ts";
import {
  readAll,
  readDocument,
  type ConfigurationDocument,
  type Format,
  type GivenDocument,
} from "./documents.ts";
import { writeValue, type Loss } from "./write.ts";

const STEPS = ["Reading the documents", "Writing them in the other format", "Reading them back"];
const MAX_LISTED = 200;
/** What a message of 1 MiB leaves for the texts. */
const MOST_CHARACTERS = 700_000;

interface Converted {
  document: ConfigurationDocument;
  text: string;
  losses: Loss[];
  values: number;
  /** Values that reading back gives otherwise; null when it can't be read at all. */
  differences: string[] | null;
}

/**
 * Writes each document in another format, says what that format can't hold, and reads it back to compare.
 *
 * Quality: correctness: share of values that are the same when read back; completeness: share of values without a loss;
 * maintainability: 0.8 when comments were lost.
 */
export function* convertDocuments(given: readonly GivenDocument[], to: Format): PureRun {
  yield progressAt(STEPS, 0);
  const read = readAll(given);
  if (!read.ok) return read;
  yield progressAt(STEPS, 1, { documents: read.value.length });
  const written = read.value.map((document) => ({ document, ...writeValue(document.value, to) }));
  const characters = written.reduce((sum, { text }) => sum + text.length, 0);
  if (characters > MOST_CHARACTERS) {
    return refuseInput(
      "result_too_large",
      `A result of at most ${MOST_CHARACTERS} characters can be told.`,
      `It has ${characters}.`,
      ["Convert fewer documents in one task."],
    );
  }
  yield progressAt(STEPS, 2, { characters });
  const converted = written.map((each): Converted => {
    const back = readDocument({ name: "", format: to, text: each.text, value: null });
    const leaves = leavesOf(each.document.value);
    const differences =
      back.ok && back.value[0] !== undefined
        ? differencesOf(leaves, leavesOf(back.value[0].value))
        : null;
    return { ...each, values: leaves.size, differences };
  });
  const sum = (count: (each: Converted) => number) =>
    converted.reduce((all, each) => all + count(each), 0);
  const values = sum((each) => each.values);
  const lost = sum((each) => each.losses.length);
  const different = sum((each) => each.differences?.length ?? each.values);
  const comments = converted.some(({ document }) => document.has_comments);
  return ok({
    output: { operation: "convert", to, documents: converted.map((each) => told(each, to)) },
    summary: `${converted.length} document(s) with ${values} values written as ${to}; ${lost} loss(es); ${different === 0 ? "read back, all values are the same" : `read back, ${different} value(s) differ`}.`,
    quality: qualityOf(
      {
        correctness: partOf(values - different, values),
        completeness: partOf(values - lost, values),
        efficiency: 1,
        maintainability: comments ? 0.8 : 1,
      },
      `${values - different} of ${values} values are the same after the round trip${comments ? "; comments are lost" : ""}.`,
    ),
    next_steps: [],
    lessons_learned: [],
  });
}

function differencesOf(
  before: Map<string, JsonObject[string]>,
  after: Map<string, JsonObject[string]>,
): string[] {
  return [...before].flatMap(([pointer, value]) =>
    isSame(value, after.get(pointer)) ? [] : [pointer],
  );
}

function told({ document, text, losses, differences }: Converted, to: Format): JsonObject {
  const warnings = [
    ...losses,
    ...document.dates.map((pointer) => ({ pointer, detail: "A date of TOML: becomes text." })),
    ...(document.has_comments ? [{ pointer: "", detail: "Comments are not carried over." }] : []),
  ];
  return {
    name: document.name,
    from: document.format,
    to,
    text,
    warnings: warnings.slice(0, MAX_LISTED).map((warning) => ({ ...warning })),
    warnings_left_out: Math.max(0, warnings.length - MAX_LISTED),
    round_trip: {
      readable: differences !== null,
      identical: differences?.length === 0,
      differences: (differences ?? []).slice(0, MAX_LISTED),
    },
  };
}
