import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Note, NoteList } from "../protocol/notes.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A task, and the lease token of whoever says that he holds it. */
interface Held {
  task_id: string;
  token: string | null;
}

/** The short-term memory of tasks. */
export interface NotesPort {
  list(by: Principal, at: Held): Answer<NoteList>;
  get(by: Principal, at: Held, key: string): Answer<Note>;
  put(by: Principal, at: Held, note: { key: string; value: unknown }): Answer<Note>;
  remove(by: Principal, at: Held, key: string): Answer<null>;
}
