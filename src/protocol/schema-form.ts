import * as z from "zod";

import { faultsOf } from "./faults.ts";
import type { JsonObject } from "./primitives.ts";
import type { Fault } from "./refusal.ts";

const TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"] as const;

const typeSchema = z.enum(TYPES);
const count = z.int().min(0);

/** The form of each keyword of JSON Schema 2020-12 that the validator reads; others are free, as there. */
const keywords = {
  type: z.union([typeSchema, z.array(typeSchema).min(1)]).optional(),
  enum: z.array(z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().gt(0).optional(),
  minLength: count.optional(),
  maxLength: count.optional(),
  minItems: count.optional(),
  maxItems: count.optional(),
  minProperties: count.optional(),
  maxProperties: count.optional(),
  minContains: count.optional(),
  maxContains: count.optional(),
  uniqueItems: z.boolean().optional(),
  $ref: z.string().optional(),
};

const partSchema: z.ZodType = z.lazy(() => z.union([z.boolean(), formSchema]));
const list = z.lazy(() => z.array(partSchema).min(1)).optional();
const named = z.lazy(() => z.record(z.string(), partSchema)).optional();

const formSchema = z.looseObject({
  ...keywords,
  properties: named,
  patternProperties: named,
  dependentSchemas: named,
  $defs: named,
  definitions: named,
  allOf: list,
  anyOf: list,
  oneOf: list,
  prefixItems: list,
  items: partSchema.optional(),
  contains: partSchema.optional(),
  additionalProperties: partSchema.optional(),
  propertyNames: partSchema.optional(),
  unevaluatedItems: partSchema.optional(),
  unevaluatedProperties: partSchema.optional(),
  not: partSchema.optional(),
  if: partSchema.optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema; nobody awaits this object
  then: partSchema.optional(),
  else: partSchema.optional(),
});

/** Keywords of a JSON Schema whose value has the wrong form: the validator would pass over them in silence. */
export function schemaFormFaults(schema: JsonObject, pointer: string): Fault[] {
  const parsed = formSchema.safeParse(schema);
  return parsed.success
    ? []
    : faultsOf(parsed.error, schema).map((fault) => ({
        ...fault,
        pointer: pointer + fault.pointer,
      }));
}
