import * as z from "zod";

import { pathSchema } from "../http/assertions.ts";
import { expectationSchema } from "../http/expectations.ts";
import { headersSchema, requestSchema, timeoutSchema, urlSchema } from "../http/request.ts";
import { METHODS } from "../http/sendable.ts";
import { VARIABLE_NAME, variablesIn } from "../http/template.ts";
import type { JsonObject, JsonValue } from "../skill.ts";

/** Checks of one stage. */
const MOST_CHECKS = 10;

/** Milliseconds that the pauses of all checks may take: a queue's consumer has 15 minutes (facts/platform.md §4). */
const LONGEST_WAIT_MS = 480_000;

const nameSchema = z.string().regex(VARIABLE_NAME, "must be 1-100 characters of A-Z a-z 0-9 _ . -");

const checkSchema = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  // A check is repeated: what it asks must change nothing.
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(["GET", "HEAD", "OPTIONS"]))
    .default("GET"),
  url: urlSchema,
  headers: headersSchema.default({}),
  expect: expectationSchema.default({}),
  attempts: z.int().min(1).max(20).default(5),
  interval_ms: z.int().min(0).max(60_000).default(5_000),
  timeout_ms: timeoutSchema.optional(),
});
export type Check = z.infer<typeof checkSchema>;

const checksSchema = z.array(checkSchema).max(MOST_CHECKS);

const hookSchema = requestSchema.safeExtend({
  method: z.string().toUpperCase().pipe(z.enum(METHODS)).default("POST"),
  expect: expectationSchema.default({ status: "2xx" }),
  /** Calls of the hook when it gives no clear answer, all with one Idempotency-Key. */
  attempts: z.int().min(1).max(5).default(1),
  /** Values of the hook's answer by the variables that later requests know them by. */
  save: z.record(nameSchema, pathSchema).default({}),
});
export type Hook = z.infer<typeof hookSchema>;

const configurationSchema = z
  .looseObject({
    deploy: hookSchema,
    verify: checksSchema.default([]),
    rollback: hookSchema.safeExtend({ verify: checksSchema.optional() }).optional(),
    canary: hookSchema.safeExtend({ verify: checksSchema.min(1) }).optional(),
    dry_run: z.boolean().default(false),
    timeout_ms: timeoutSchema.default(30_000),
  })
  .superRefine(({ verify, rollback, canary }, context) => {
    const checks = [...verify, ...(canary?.verify ?? []), ...(rollback?.verify ?? verify)];
    const wait_ms = checks.reduce((sum, one) => sum + (one.attempts - 1) * one.interval_ms, 0);
    if (wait_ms <= LONGEST_WAIT_MS) return;
    context.addIssue({
      code: "custom",
      path: ["verify"],
      message: `may pause ${wait_ms} ms in all, of at most ${LONGEST_WAIT_MS}: ask for fewer attempts or shorter pauses`,
    });
  });
export type Deployment = z.infer<typeof configurationSchema>;

/** What a deployment task may ask for. */
export const parametersSchema = z
  .object({
    input_data: z.looseObject({ variables: z.record(nameSchema, z.json()).default({}) }),
    configuration: configurationSchema,
  })
  .superRefine(({ input_data, configuration }, context) => {
    const known = Object.keys(variablesOf(input_data));
    for (const { place, name } of unknownVariables(configuration, known)) {
      context.addIssue({
        code: "custom",
        path: ["configuration", place],
        message: `uses {{${name}}}, which neither input_data nor "save" of an earlier hook gives`,
      });
    }
  });

/** The variables of an input: its own texts, numbers and flags, and what `variables` holds. */
export function variablesOf(input: {
  variables: Readonly<Record<string, JsonValue>>;
  [field: string]: unknown;
}): JsonObject {
  const own = Object.entries(input).flatMap(([name, value]): [string, JsonValue][] => {
    const isPlain =
      typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    return isPlain && VARIABLE_NAME.test(name) ? [[name, value]] : [];
  });
  return { ...Object.fromEntries(own), ...input.variables };
}

/** Places where a variable is used that nobody gives: told before anything is called. */
function unknownVariables(
  { canary, deploy, verify, rollback }: Deployment,
  given: readonly string[],
): { place: string; name: string }[] {
  const known = new Set(given);
  const missing = (place: string, used: object): { place: string; name: string }[] => {
    return variablesIn(used)
      .filter((name) => !known.has(name))
      .map((name) => ({ place, name }));
  };
  const found: { place: string; name: string }[] = [];
  for (const [place, hook] of Object.entries({ canary, deploy })) {
    if (hook === undefined) continue;
    const { verify: checks, ...call } = { verify: [], ...hook };
    found.push(...missing(place, call));
    for (const name of Object.keys(hook.save)) known.add(name);
    found.push(...missing(place, checks));
  }
  found.push(...missing("verify", verify));
  if (rollback !== undefined) found.push(...missing("rollback", rollback));
  return found;
}
