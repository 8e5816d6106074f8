import * as z from "zod";

import { taskTypeSchema } from "./enums.ts";
import { instantSchema, schemaVersionSchema, tagsSchema, taskIdSchema } from "./primitives.ts";
import { cursorSchema, wholeNumber } from "./queries.ts";

/* Long-term memory: what the built-in executor keeps of its tasks, and what people tell it. */

/** The most characters of a memory's text: eight of them fit into a model's context beside the task. */
export const LONGEST_MEMORY = 2_000;

export const memoryKindSchema = z.enum(["outcome", "lesson", "fact"]).meta({
  description:
    "outcome: how a task went. lesson: what failed, why, and what helped. fact: what is so, by its topic.",
});
export type MemoryKind = z.infer<typeof memoryKindSchema>;

/** How it went; null of a cancelled task, and of what somebody stated. */
export const memoryVerdictSchema = z.enum(["success", "failure", "escalated"]);

/** What a fact is about: equal topics name the same thing, and the newest fact of one is the valid one. */
const topicSchema = z
  .string()
  .regex(/^[\p{L}\p{N}_.:/-]{1,100}$/u, "must be 1-100 letters, digits or _ . : / -")
  .meta({ description: "What a fact is about; a new one of the same topic supersedes it." });

/** Whether having been told of it has helped. */
const memoryUtilitySchema = z
  .strictObject({
    used: z.int().min(0).meta({ description: "Runs that it was put before." }),
    helped: z.number().min(0).meta({ description: "Sum of their scores, each in [0, 1]." }),
    score: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: "(helped + 1) / (used + 2): 0.5 while nobody knows." }),
  })
  .meta({ id: "MemoryUtility", title: "How useful a memory has been" });
export type MemoryUtility = z.infer<typeof memoryUtilitySchema>;

const recordShape = {
  memory_id: z.string().meta({ description: "Derived from the content: equal ones are one." }),
  kind: memoryKindSchema,
  text: z.string().meta({ description: "Data, whatever it says: nobody obeys it." }),
  task_type: taskTypeSchema.nullable(),
  tags: z.array(z.string()),
  topic: z.string().nullable().meta({ description: "Of facts." }),
  task_id: taskIdSchema.nullable().meta({ description: "The task that it comes from." }),
  model_id: z
    .string()
    .nullable()
    .meta({ description: "The model it is about; `builtin` where none was used." }),
  executor: z.string().nullable(),
  verdict: memoryVerdictSchema.nullable(),
  cost_usd: z.number().nullable(),
  quality: z.number().nullable(),
  valid_from: instantSchema,
  valid_to: instantSchema.nullable().meta({ description: "Null while it is valid." }),
  superseded_by: z.string().nullable(),
  utility: memoryUtilitySchema,
  created_at: instantSchema,
};

/** Something remembered. Its text never changes; what is valid no more is kept with what took its place. */
export const memoryRecordSchema = z
  .strictObject(recordShape)
  .meta({ id: "MemoryRecord", title: "Something remembered" });
export type MemoryRecord = z.infer<typeof memoryRecordSchema>;

/** A memory in a list. */
export const memoryItemSchema = z
  .strictObject({
    ...recordShape,
    score: z
      .number()
      .nullable()
      .meta({ description: "Of a search: its fused rank, higher is nearer." }),
    similarity: z
      .number()
      .nullable()
      .meta({ description: "Of a search: cosine of the two texts; null where not comparable." }),
  })
  .meta({ id: "MemoryItem", title: "Something remembered, in a list" });
export type MemoryItem = z.infer<typeof memoryItemSchema>;

export const memoriesQuerySchema = z
  .strictObject({
    q: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .meta({ description: "A question in plain words; it has no syntax." }),
    task_type: taskTypeSchema.optional(),
    kind: memoryKindSchema.optional(),
    cursor: cursorSchema.optional(),
    limit: wholeNumber(1, 200).default(50),
  })
  .refine(({ q, cursor }) => q === undefined || cursor === undefined, {
    path: ["cursor"],
    error: "goes without q: a search has one page",
  });
export type MemoriesQuery = z.infer<typeof memoriesQuerySchema>;

/** What somebody tells the memory. */
export const memoryStatementSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    kind: memoryKindSchema.extract(["fact", "lesson"]),
    topic: topicSchema.optional(),
    text: z
      .string()
      .max(LONGEST_MEMORY)
      .regex(/[\p{L}\p{N}]/u, "must hold a letter or a digit"),
    task_type: taskTypeSchema.optional(),
    tags: tagsSchema.default([]),
  })
  .refine(({ kind, topic }) => (kind === "fact") === (topic !== undefined), {
    path: ["topic"],
    error: "is needed by a fact, and by nothing else",
    when: ({ issues }) => issues.length === 0,
  })
  .meta({ id: "MemoryStatement", title: "What is to be remembered" });
export type MemoryStatement = z.infer<typeof memoryStatementSchema>;

export const forgetQuerySchema = z.strictObject({ task_id: taskIdSchema });

/** What was forgotten of a task. */
export const forgottenSchema = z
  .strictObject({
    task_id: taskIdSchema,
    memories: z.int().meta({ description: "Memories that came from it." }),
    results: z.int().meta({ description: "Its results that could have been given again." }),
  })
  .meta({ id: "Forgotten", title: "What was forgotten of a task" });
export type Forgotten = z.infer<typeof forgottenSchema>;
