import * as z from "zod";

import { instantSchema } from "./primitives.ts";
import { cursorSchema, wholeNumber } from "./queries.ts";

/* What was checked of a message, and what came of it: never with a value of the message. */

/**
 * What can be checked, in the order in which it is: the form of a request, its meaning, and at last what is about to
 * leave.
 */
const checkSchema = z.enum([
  "size",
  "content_type",
  "json",
  "complexity",
  "path",
  "query",
  "headers",
  "body",
  "meaning",
  "output",
]);
export type Check = z.infer<typeof checkSchema>;

export const validationOutcomeSchema = z.enum(["passed", "refused", "withheld"]);
export type ValidationOutcome = z.infer<typeof validationOutcomeSchema>;

/** How much of a message a record names at most. */
export const MOST_NAMED = { fields: 50, errors: 20, warnings: 10 } as const;

/** Characters of a name, a pointer or a warning. */
export const LONGEST_NAME = 200;

const nameSchema = z.string().max(LONGEST_NAME);

/** One validation. What nobody declared is counted and not named, because a name may be a secret too. */
export const validationRecordSchema = z
  .strictObject({
    record_id: z.string(),
    at: instantSchema,
    outcome: validationOutcomeSchema,
    route: nameSchema.meta({
      description: "Pattern of the path; of what leaves by itself `webhook:`, `push:` and such",
    }),
    operation: z.string().nullable(),
    request_id: z.string().nullable(),
    tenant: z.string().nullable().meta({ description: "null where nobody had been recognised" }),
    key_id: z.string().nullable(),
    code: z.string().nullable().meta({ description: "Code of the refusal" }),
    validations: z.array(checkSchema).meta({ description: "What was checked, in order" }),
    fields: z
      .array(nameSchema)
      .max(MOST_NAMED.fields)
      .meta({ description: "Pointers to the declared fields that were there" }),
    unknown_fields: z.int().min(0).meta({ description: "Fields that nobody declared" }),
    errors: z
      .array(z.strictObject({ pointer: nameSchema, code: nameSchema }))
      .max(MOST_NAMED.errors)
      .meta({ description: "The first faults; a name that nobody declared is `*`" }),
    faults: z.int().min(0).meta({ description: "All faults, also those that are not listed" }),
    warnings: z.array(nameSchema).max(MOST_NAMED.warnings),
    duration_us: z.int().min(0).meta({
      description: "Microseconds of the checks of form, by a clock that may stand still meanwhile",
    }),
    weight: z.int().min(1).meta({ description: "How many validations this one stands for" }),
  })
  .meta({ id: "ValidationRecord", title: "What was checked of a message, without its values" });
export type ValidationRecord = z.infer<typeof validationRecordSchema>;

/** Something that broke its schema and so did not leave; `route` says what it was, such as `webhook:task_progress`. */
export interface Withheld {
  tenant: string;
  route: string;
  places: ValidationRecord["errors"];
}

const everyone = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .pipe(z.boolean())
  .default(false)
  .meta({ description: "Of all tenants and of nobody: for the bootstrap key" });

export const validationQuerySchema = z.strictObject({ all: everyone });

export const validationsQuerySchema = z.strictObject({
  outcome: validationOutcomeSchema.optional(),
  route: z.string().min(1).max(LONGEST_NAME).optional(),
  code: z.string().min(1).max(100).optional(),
  since: instantSchema.optional(),
  all: everyone,
  cursor: cursorSchema.optional(),
  limit: wholeNumber(1, 200).default(50),
});
export type ValidationsQuery = z.infer<typeof validationsQuerySchema>;

export const validationSummaryQuerySchema = z.strictObject({
  window: wholeNumber(1, 604_800).default(3_600).meta({ description: "Seconds" }),
  all: everyone,
});
export type ValidationSummaryQuery = z.infer<typeof validationSummaryQuerySchema>;

/** How many validations there were, by what they came to. */
export const validationSummarySchema = z
  .strictObject({
    since: instantSchema.meta({ description: "What is counted came at this instant or later" }),
    is_complete: z.boolean().meta({
      description: "false when there were more records than are looked at: the newest count",
    }),
    items: z.array(
      z.strictObject({
        route: nameSchema,
        outcome: validationOutcomeSchema,
        code: z.string().nullable(),
        records: z.int().meta({ description: "What is stored" }),
        estimate: z.int().meta({ description: "What it stands for: the sum of the weights" }),
      }),
    ),
  })
  .meta({ id: "ValidationSummary", title: "Validations by route and outcome" });
export type ValidationSummary = z.infer<typeof validationSummarySchema>;
