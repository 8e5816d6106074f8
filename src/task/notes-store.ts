import * as z from "zod";

import { MOST_NOTED } from "../protocol/notes.ts";
import type { Note, NoteList } from "../protocol/notes.ts";
import type { NotesUse } from "./notes.ts";

/*
 * One table, made when the first note comes: a task without notes pays nothing for them. A row is a note; `bytes` are
 * those of its value, so that their sum does not read the values.
 */

const noteSchema = z.object({
  value: z.unknown(),
  updated_at: z.string(),
  attempt: z.int(),
  agent_id: z.string(),
});

interface Row extends Record<string, SqlStorageValue> {
  key: string;
  body: string;
}

/** Whether the task has ever noted anything that was not dropped since. */
export function hasNotes(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'note'").toArray().length > 0;
}

function noteOf({ key, body }: Row): Note {
  return { key, ...noteSchema.parse(JSON.parse(body)) };
}

/** What the notes take up, and that of one of them. */
export function readUse(sql: SqlStorage, key: string): NotesUse {
  if (!hasNotes(sql)) return { notes: 0, bytes: 0, own: null };
  return sql
    .exec<{ notes: number; bytes: number; own: number | null }>(
      `SELECT count(*) AS notes, coalesce(sum(bytes), 0) AS bytes,
         max(CASE WHEN key = ? THEN bytes END) AS own
       FROM note`,
      key,
    )
    .one();
}

/** One note; null when there is none under this key. */
export function readNote(sql: SqlStorage, key: string): Note | null {
  if (!hasNotes(sql)) return null;
  const [row] = sql.exec<Row>("SELECT key, body FROM note WHERE key = ?", key).toArray();
  return row === undefined ? null : noteOf(row);
}

/** All notes by key, and what they take up. */
export function readNotes(sql: SqlStorage): NoteList {
  const bytes_limit = MOST_NOTED.bytes;
  if (!hasNotes(sql)) return { items: [], bytes_used: 0, bytes_limit };
  const items = sql.exec<Row>("SELECT key, body FROM note ORDER BY key").toArray().map(noteOf);
  return { items, bytes_used: readUse(sql, "").bytes, bytes_limit };
}

/**
 * Writes a note over the one of its key.
 *
 * @param bytes of its value as JSON text
 */
export function writeNote(sql: SqlStorage, { key, ...note }: Note, bytes: number): void {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS note
     (key TEXT PRIMARY KEY, bytes INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID`,
  );
  sql.exec(
    "INSERT OR REPLACE INTO note (key, bytes, body) VALUES (?, ?, ?)",
    key,
    bytes,
    JSON.stringify(note),
  );
}

/** Forgets one note; false when there is none under this key. */
export function removeNote(sql: SqlStorage, key: string): boolean {
  if (readUse(sql, key).own === null) return false;
  sql.exec("DELETE FROM note WHERE key = ?", key);
  return true;
}

/** Forgets all notes and their table. A task that has none writes nothing. */
export function removeNotes(sql: SqlStorage): void {
  if (hasNotes(sql)) sql.exec("DROP TABLE note");
}
