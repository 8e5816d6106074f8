import { jsonSchema, tool } from "ai";

import type { JsonObject } from "../../skills/skill.ts";
import type { ModelTool } from "../model-port.ts";
import type { Judge } from "./answer-text.ts";

/** Of what a tool answers the model sees no more: about 12,000 tokens. Characters. */
const LONGEST_RESULT = 50_000;

/**
 * Tools as the SDK takes them. What a model passes that breaks a tool's schema is answered to the model as an error,
 * and so is what a tool throws.
 *
 * @param of `called` gets the name of each tool that is run; `fit` cuts what it answers to the room there is
 */
export function sdkTools(
  tools: readonly ModelTool[],
  judge: Judge,
  of: { called: (name: string) => void; fit: (text: string) => string },
) {
  return Object.fromEntries(
    tools.map((one) => [
      one.name,
      tool({
        description: one.description,
        inputSchema: jsonSchema<JsonObject>(one.input_schema, {
          validate: (value) => validated(judge, one.input_schema, value),
        }),
        execute: async (input) => {
          of.called(one.name);
          return of.fit(textOf(await one.run(input)));
        },
      }),
    ]),
  );
}

function validated(judge: Judge, schema: JsonObject, value: unknown) {
  // The last one is about the value itself, the ones before about what it is in.
  const fault = judge(schema, value).at(-1);
  if (fault === undefined && isObject(value)) return { success: true as const, value };
  const where = fault === undefined ? "it must be an object" : `${fault.pointer} ${fault.detail}`;
  return { success: false as const, error: new Error(`The input is not valid: ${where}`) };
}

/** It was parsed as JSON, so an object is a JSON object. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(result: unknown): string {
  const text = typeof result === "string" ? result : JSON.stringify(result);
  return text.length <= LONGEST_RESULT
    ? text
    : `${text.slice(0, LONGEST_RESULT)}\n[cut: ${text.length - LONGEST_RESULT} more characters]`;
}
