import * as z from "zod";

import { dataBoundsSchema } from "../../protocol/data-bounds.ts";
import { taskTypeSchema } from "../../protocol/enums.ts";
import {
  LONGEST_MEMORY,
  memoryKindSchema,
  memoryRecordSchema,
  memoryVerdictSchema,
} from "../../protocol/memory.ts";

/* What a tenant's memory is asked, as JSON text. Vectors travel as base64 of their bytes. */

const vectorSchema = z.strictObject({ embedder: z.string(), vector: z.string().max(8_192) });

/** A memory to be written, with its vector. */
const newMemorySchema = z.strictObject({
  memory_id: z.string(),
  kind: memoryKindSchema,
  text: z.string().max(LONGEST_MEMORY),
  subject: z.string(),
  task_type: taskTypeSchema.nullable(),
  tags: z.array(z.string()),
  topic: z.string().nullable(),
  task_id: z.string().nullable(),
  bounds: dataBoundsSchema.nullable(),
  model_id: z.string().nullable(),
  is_blamed: z.boolean(),
  executor: z.string().nullable(),
  verdict: memoryVerdictSchema.nullable(),
  cost_usd: z.number().nullable(),
  quality: z.number().nullable(),
  created_at: z.number(),
  ...vectorSchema.shape,
});
export type NewMemory = z.infer<typeof newMemorySchema>;

/** A task whose models were told memories, and what came of it. */
const settledRunSchema = z.strictObject({
  task_id: z.string(),
  memory_ids: z.array(z.string()).max(100),
  score: z.number(),
});
export type SettledRun = z.infer<typeof settledRunSchema>;

const filterSchema = z.strictObject({
  kind: memoryKindSchema.nullable(),
  task_type: taskTypeSchema.nullable(),
});
export type MemoryFilter = z.infer<typeof filterSchema>;

const searchSchema = z.strictObject({
  call: z.literal("search"),
  /** Stems: letters and digits only. */
  stems: z.array(z.string()),
  ...vectorSchema.shape,
  threshold: z.number(),
  filter: filterSchema,
  /** Memories of this type are preferred. */
  task_type: taskTypeSchema.nullable(),
  limit: z.int().min(1),
  max_tokens: z.number(),
});
export type MemorySearch = z.infer<typeof searchSchema>;

/** What the result said of itself: JSON, because it was. */
export const completedSchema = z.record(z.string(), z.json());

/** A result that is kept to be given again. Instants are epoch milliseconds. */
const cachedSchema = z.strictObject({
  key: z.string(),
  task_id: z.string(),
  at: z.number(),
  completed: completedSchema,
});
export type CacheEntry = z.infer<typeof cachedSchema>;

export const memoryCallSchema = z.discriminatedUnion("call", [
  z.strictObject({
    call: z.literal("remember"),
    memories: z.array(newMemorySchema).max(10),
    run: settledRunSchema.nullable(),
  }),
  searchSchema,
  z.strictObject({
    call: z.literal("list"),
    filter: filterSchema,
    /** The place behind which the page begins; null at the newest. */
    before: z.int().nullable(),
    limit: z.int().min(1),
  }),
  z.strictObject({ call: z.literal("get"), memory_id: z.string() }),
  z.strictObject({ call: z.literal("remove"), memory_id: z.string() }),
  z.strictObject({ call: z.literal("forget"), task_ids: z.array(z.string()) }),
  z.strictObject({
    call: z.literal("revector"),
    embedder: z.string(),
    vectors: z.array(z.strictObject({ memory_id: z.string(), vector: z.string() })).max(100),
  }),
  z.strictObject({ call: z.literal("cached"), key: z.string() }),
  z.strictObject({ call: z.literal("cache"), entry: cachedSchema }),
]);
export type MemoryCall = z.infer<typeof memoryCallSchema>;

/** What a search gives: records, best first, and memories whose vectors are of another embedder. */
export const foundSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      record: memoryRecordSchema,
      bounds: dataBoundsSchema.nullable(),
      is_blamed: z.boolean(),
      score: z.number(),
      similarity: z.number().nullable(),
    }),
  ),
  stale: z.array(z.strictObject({ memory_id: z.string(), subject: z.string() })),
});
export type Found = z.infer<typeof foundSchema>;

/** A page: records with their places, newest first. */
export const listedSchema = z.strictObject({
  items: z.array(z.strictObject({ place: z.int(), record: memoryRecordSchema })),
});

/** For each memory the id under which it is known, and whether it is new. */
export const rememberedSchema = z.strictObject({
  memories: z.array(z.strictObject({ memory_id: z.string(), is_new: z.boolean() })),
});
export type Remembered = z.infer<typeof rememberedSchema>;

export const recordOrNullSchema = memoryRecordSchema.nullable();
export const countsSchema = z.strictObject({ memories: z.int(), results: z.int() });
export const cachedOrNullSchema = cachedSchema.nullable();

/** A tenant's memory: answers a call, both ways as JSON text. */
export interface MemoryStub {
  ask(call: string): Promise<string>;
}
