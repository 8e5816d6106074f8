import { ok } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { noteListSchema, noteSchema } from "../protocol/notes.ts";
import type { Note, NoteList, NotesCall } from "../protocol/notes.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases of notes are built from. */
export interface NotesParts {
  /** Asks something of a task's object; the answer is JSON text. */
  ask: (tenant: string, task_id: string, call: NotesCall) => Answer<string>;
  /** The task, for a key that may read it. */
  view: (by: Principal, task_id: string) => Answer<unknown>;
}

/** A task, and the lease token of whoever says that he holds it. */
interface At {
  task_id: string;
  token: string | null;
}

/** Use cases of a task's short-term memory. */
export interface NotesUse {
  /** For keys that may read the task, and for whoever holds it. Refused: task_not_found, also where its object is empty. */
  list: (by: Principal, at: At) => Answer<NoteList>;
  /** As `list`; also refused with note_not_found. */
  get: (by: Principal, at: At, key: string) => Answer<Note>;
  /** For the holder. Refused: task_not_found, task_ended, lease_lost, notes_full. */
  put: (by: Principal, at: At, note: { key: string; value: unknown }) => Answer<Note>;
  /** For the holder. Refused: task_not_found, task_ended, lease_lost, note_not_found. */
  remove: (by: Principal, at: At, key: string) => Answer<null>;
}

type Question = { call: "list" } | { call: "get"; key: string };

/** Asks for whoever may read by the key, or else by the lease; of a task that is not his he learns nothing. */
async function read(
  { ask, view }: NotesParts,
  by: Principal,
  { task_id, token }: At,
  question: Question,
): Answer<string> {
  const allowed = await view(by, task_id);
  if (!allowed.ok && token === null) return allowed;
  const found = await ask(by.tenant, task_id, { ...question, token: allowed.ok ? null : token });
  if (found.ok) return found;
  return !allowed.ok && found.refusal.code === "lease_lost" ? allowed : found;
}

/** The use cases of notes. */
export function createNotes(parts: NotesParts): NotesUse {
  const { ask } = parts;
  return {
    async list(by, at) {
      const found = await read(parts, by, at, { call: "list" });
      return found.ok ? ok(noteListSchema.parse(JSON.parse(found.value))) : found;
    },
    async get(by, at, key) {
      const found = await read(parts, by, at, { call: "get", key });
      return found.ok ? ok(noteSchema.parse(JSON.parse(found.value))) : found;
    },
    async put(by, { task_id, token }, { key, value }) {
      const written = await ask(by.tenant, task_id, { call: "put", token, key, value });
      return written.ok ? ok(noteSchema.parse(JSON.parse(written.value))) : written;
    },
    async remove(by, { task_id, token }, key) {
      const removed = await ask(by.tenant, task_id, { call: "remove", token, key });
      return removed.ok ? ok(null) : removed;
    },
  };
}
