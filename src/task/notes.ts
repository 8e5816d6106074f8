import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import { MOST_NOTED } from "../protocol/notes.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { endedRefusal, fence } from "./machine/lease.ts";
import type { Holder, TaskState } from "./machine/state.ts";
import { hasVerdict } from "./machine/state.ts";

/** What notes take up. `own` are the bytes of the note that is asked for; null when there is none. */
export interface NotesUse {
  notes: number;
  bytes: number;
  own: number | null;
}

/** Bytes of a value as it is counted: JSON text in UTF-8. */
export function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/**
 * Who may change notes: the holder of the lease, until the verdict. It does not renew the lease: a note is no sign that
 * the work goes on. Refused: task_ended, lease_lost.
 */
export function noteWriter(state: TaskState, token: string | null): Result<Holder, Refusal> {
  return hasVerdict(state) ? refuse(endedRefusal(state)) : fence(state, token, null);
}

/**
 * Whether someone may read by a lease: its holder may, also while the task is being finalised. Null lets pass, because
 * the key has been judged already. Refused: lease_lost.
 */
export function noteReader(state: TaskState, token: string | null): Result<null, Refusal> {
  if (token === null) return ok(null);
  const fenced = fence(state, token, null);
  return fenced.ok ? ok(null) : fenced;
}

/** The refusal of a key under which nothing is noted. */
export function noNote(key: string): Refusal {
  return { code: "note_not_found", detail: `The task has no note ${key}.`, extra: { key } };
}

function tooMany(used: number): Refusal {
  const limit = MOST_NOTED.notes;
  const detail = `The task has ${used} notes, and may have ${limit}; replace or remove one.`;
  return {
    code: "notes_full",
    detail,
    errors: [{ pointer: "/path/key", code: "too_many", detail }],
    extra: { resource: "notes", used, limit, would_fit: 0 },
  };
}

/**
 * Whether a note has room among the others: null, or notes_full with what is used, the limit and what would fit. What
 * the note replaces does not count.
 *
 * @param bytes of the new value
 */
export function roomFault(use: NotesUse, bytes: number): Refusal | null {
  if (use.own === null && use.notes >= MOST_NOTED.notes) return tooMany(use.notes);
  const used = use.bytes - (use.own ?? 0);
  const left = MOST_NOTED.bytes - used;
  const would_fit = Math.min(MOST_NOTED.note_bytes, left);
  if (bytes <= would_fit) return null;
  const isNoteTooLarge = bytes > MOST_NOTED.note_bytes;
  const detail = isNoteTooLarge
    ? `One note may have ${MOST_NOTED.note_bytes} bytes as JSON text.`
    : `The other notes of the task have ${used} of ${MOST_NOTED.bytes} bytes; ${left} are left.`;
  return {
    code: "notes_full",
    detail,
    errors: [
      {
        pointer: "/value",
        code: "too_big",
        detail,
        expected: `at most ${would_fit} bytes`,
        received: `${bytes} bytes`,
      },
    ],
    extra: {
      resource: isNoteTooLarge ? "note_bytes" : "bytes",
      used,
      limit: isNoteTooLarge ? MOST_NOTED.note_bytes : MOST_NOTED.bytes,
      would_fit,
    },
  };
}
