import * as z from "zod";

import { agentIdSchema, instantSchema, schemaVersionSchema } from "./primitives.ts";

/* Short-term memory: what the executors of a task note for themselves and for whoever has it after them. */

/**
 * The most that a task's notes may hold. A note is a thought and not a file: all of them together fit into one answer,
 * and into a quarter of the largest body. `note_bytes` and `bytes` are of values as JSON text in UTF-8.
 */
export const MOST_NOTED = { note_bytes: 65_536, bytes: 262_144, notes: 200 } as const;

/**
 * The name of a note, which is the last part of its address: no slash, and no dot at its beginning, because `.` and
 * `..` are resolved in addresses before they are sent.
 */
export const noteKeySchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,99}$/,
    "must be 1-100 characters of A-Z a-z 0-9 _ . : - and not begin with a dot",
  )
  .meta({ description: "Name of a note inside its task." });

const valueSchema = z.unknown().meta({
  description: `Any JSON, null included; at most ${MOST_NOTED.note_bytes} bytes as text.`,
});

/** What PUT of a note says. */
export const noteWriteSchema = z
  .strictObject({ schema_version: schemaVersionSchema, value: valueSchema })
  .meta({ id: "NoteWrite", title: "What is to be noted" });

/** One note, and who wrote it last. */
export const noteSchema = z
  .strictObject({
    key: noteKeySchema,
    value: valueSchema,
    updated_at: instantSchema,
    attempt: z.int().meta({ description: "The attempt that wrote it last." }),
    agent_id: agentIdSchema.meta({ description: "The executor that wrote it last." }),
  })
  .meta({ id: "Note", title: "Note of a task" });
export type Note = z.infer<typeof noteSchema>;

/** All notes of a task; none after the end, unless the memory policy keeps them. */
export const noteListSchema = z
  .strictObject({
    items: z.array(noteSchema).meta({ description: "By key, in the order of their characters." }),
    bytes_used: z.int().meta({ description: "Bytes of all values as JSON text." }),
    bytes_limit: z.int().meta({ description: "The most that they may be together." }),
  })
  .meta({ id: "NoteList", title: "Notes of a task" });
export type NoteList = z.infer<typeof noteListSchema>;

const underLease = { token: z.string().nullable(), key: noteKeySchema };

/**
 * What is asked of a task's object about its notes, as JSON text. `token` is a lease's. It fences what changes notes;
 * who reads sends null where the key alone allows it.
 */
export const notesCallSchema = z.discriminatedUnion("call", [
  z.strictObject({ call: z.literal("list"), token: underLease.token }),
  z.strictObject({ call: z.literal("get"), ...underLease }),
  z.strictObject({ call: z.literal("put"), ...underLease, value: z.unknown() }),
  z.strictObject({ call: z.literal("remove"), ...underLease }),
]);
export type NotesCall = z.infer<typeof notesCallSchema>;
