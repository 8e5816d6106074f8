import { instant } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import { notesCallSchema } from "../protocol/notes.ts";
import type { Note, NoteList, NotesCall } from "../protocol/notes.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { memoryPolicy } from "./finish/memory-policy.ts";
import type { TaskState } from "./machine/state.ts";
import { readNote, readNotes, readUse, removeNote, removeNotes, writeNote } from "./notes-store.ts";
import { bytesOf, noNote, noteReader, noteWriter, roomFault } from "./notes.ts";

/** What keeping notes works on. */
interface NotesParts {
  sql: SqlStorage;
  now: Clock;
  /** Gives the task as it is now, clocks included. */
  task: { current: () => Promise<TaskState | null> };
}

type Change = Extract<NotesCall, { call: "put" | "remove" }>;

/** The task with nothing awaited since: where a clock has rung, others had their turn before that was known. */
async function present({ task }: NotesParts): Promise<TaskState | null> {
  let state = await task.current();
  for (;;) {
    const again = await task.current();
    if (again?.seq === state?.seq) return again;
    state = again;
  }
}

function read(
  sql: SqlStorage,
  state: TaskState,
  call: Exclude<NotesCall, Change>,
): Result<Note | NoteList, Refusal> {
  const reader = noteReader(state, call.token);
  if (!reader.ok) return reader;
  if (call.call === "list") return ok(readNotes(sql));
  const note = readNote(sql, call.key);
  return note === null ? refuse(noNote(call.key)) : ok(note);
}

function change(
  { sql, now }: NotesParts,
  state: TaskState,
  call: Change,
): Result<Note | null, Refusal> {
  const writer = noteWriter(state, call.token);
  if (!writer.ok) return writer;
  const { key } = call;
  if (call.call === "remove") return removeNote(sql, key) ? ok(null) : refuse(noNote(key));
  const { value } = call;
  const bytes = bytesOf(value);
  const fault = roomFault(readUse(sql, key), bytes);
  if (fault !== null) return refuse(fault);
  const { attempt, agent_id } = writer.value;
  const note = { key, value, updated_at: instant(now()), attempt, agent_id };
  writeNote(sql, note, bytes);
  return ok(note);
}

/**
 * Answers what is asked about a task's notes; both ways as JSON text. Refused: task_not_found, note_not_found, lease_lost; who
 * changes them also with task_ended and notes_full.
 */
export async function answerNotes(
  parts: NotesParts,
  text: string,
): Promise<Result<string, Refusal>> {
  const call = notesCallSchema.parse(JSON.parse(text));
  const state = await present(parts);
  if (state === null) {
    return refuse({ code: "task_not_found", detail: "There is no task with this id." });
  }
  const isChange = call.call === "put" || call.call === "remove";
  const done = isChange ? change(parts, state, call) : read(parts.sql, state, call);
  return done.ok ? ok(JSON.stringify(done.value)) : done;
}

/**
 * Drops the notes of a task that has its verdict, unless its memory policy keeps them. Belongs into the transaction
 * that records the cleanup: both are written, or neither.
 */
export function dropNotes(sql: SqlStorage, state: TaskState | null): void {
  if (state === null || state.verdict === null) return;
  const { task, verdict } = state;
  const policy = memoryPolicy(task.task_type, verdict.reason, task.execution_options.keep_memory);
  if (policy.notes === "drop") removeNotes(sql);
}
