import * as z from "zod";

import { assertionSchema, pathSchema } from "../http/assertions.ts";
import { expectationSchema, jsonSchemaSchema } from "../http/expectations.ts";
import { requestSchema, timeoutSchema } from "../http/request.ts";
import { VARIABLE_NAME, variablesIn } from "../http/template.ts";

/** HTTP cases of one task, in turn; documents; valid and invalid examples each. */
const MOST_CASES = 50;
const MOST_DOCUMENTS = 100;
const MOST_EXAMPLES = 100;
const MOST_ASSERTIONS = 100;

const nameSchema = z.string().min(1).max(200);
const variableSchema = z
  .string()
  .regex(VARIABLE_NAME, "must be 1-100 characters of A-Z a-z 0-9 _ . -");

const caseSchema = z.strictObject({
  name: nameSchema.optional(),
  request: requestSchema,
  expect: expectationSchema.default({}),
  /** Values of the answer by the variables that later cases know them by. */
  save: z.record(variableSchema, pathSchema).default({}),
});
export type HttpCase = z.infer<typeof caseSchema>;

const assertionsSchema = z.array(assertionSchema).min(1).max(MOST_ASSERTIONS);
const documentSchema = z.strictObject({
  name: nameSchema.optional(),
  json: z.json(),
  assertions: assertionsSchema,
});
export type DocumentCase = z.infer<typeof documentSchema>;

const examplesSchema = z.array(z.json()).max(MOST_EXAMPLES);

const inputSchema = z
  .looseObject({
    variables: z.record(variableSchema, z.json()).default({}),
    http: z.array(caseSchema).min(1).max(MOST_CASES).optional(),
    documents: z.array(documentSchema).min(1).max(MOST_DOCUMENTS).optional(),
    json: z.json().optional(),
    assertions: assertionsSchema.optional(),
    schema: jsonSchemaSchema.optional(),
    valid: examplesSchema.default([]),
    invalid: examplesSchema.default([]),
  })
  .superRefine((input, context) => {
    const told = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((input.json === undefined) !== (input.assertions === undefined)) {
      told("assertions", "and json go together");
    }
    const examples = input.valid.length + input.invalid.length;
    if (input.schema !== undefined && examples === 0) {
      told("valid", "or invalid must have an example for the schema to judge");
    }
    if (input.schema === undefined && examples > 0) {
      told("schema", "is what the examples are judged by");
    }
  })
  .superRefine(({ variables, http = [] }, context) => {
    for (const { index, name } of unknownVariables(http, Object.keys(variables))) {
      context.addIssue({
        code: "custom",
        path: ["http", index],
        message: `uses {{${name}}}, which neither variables nor "save" of an earlier case gives`,
      });
    }
  });
export type TestInput = z.infer<typeof inputSchema>;

/** What a testing task may ask for. */
export const parametersSchema = z.object({
  input_data: inputSchema,
  configuration: z.looseObject({
    timeout_ms: timeoutSchema.default(10_000),
    /** Whether a test that fails fails the task. */
    fail_task: z.boolean().default(false),
  }),
});

/** Places where a variable is used that nobody gives: told before the first request is sent. */
function unknownVariables(
  cases: readonly HttpCase[],
  given: readonly string[],
): { index: number; name: string }[] {
  const known = new Set(given);
  return cases.flatMap((one, index) => {
    const missing = variablesIn([one.request, one.expect]).filter((name) => !known.has(name));
    for (const name of Object.keys(one.save)) known.add(name);
    return missing.map((name) => ({ index, name }));
  });
}
