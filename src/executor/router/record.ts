import * as z from "zod";

import { canonicalJson } from "../../lib/ports.ts";
import { answerSchema, decide } from "./rules/choose.ts";
import { inputsSchema, type Inputs } from "./rules/question.ts";
import { tuningSchema, type Tuning } from "./rules/tuning.ts";

/** A decision with all that it was made from. Its canonical JSON is what is stored. */
const recordSchema = z.strictObject({
  tuning: tuningSchema,
  inputs: inputsSchema,
  answer: answerSchema,
});
export type RoutingRecord = z.infer<typeof recordSchema>;

/** Decides, and writes down all of it. */
export function recordOf(inputs: Inputs, tuning: Tuning): RoutingRecord {
  return { tuning, inputs, answer: decide(inputs, tuning) };
}

/** A stored decision; null where it is none of today's form. */
export function readRecord(stored: string): RoutingRecord | null {
  return recordSchema.safeParse(JSON.parse(stored)).data ?? null;
}

/**
 * The text that a stored decision gives when it is made again from its own inputs and numbers; null where other rules
 * than today's made it (`tuning.version`).
 */
export function replay(stored: string, version: string): string | null {
  const record = readRecord(stored);
  if (record === null || record.tuning.version !== version) return null;
  return canonicalJson(recordOf(record.inputs, record.tuning));
}
