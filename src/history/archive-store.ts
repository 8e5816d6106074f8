import { derivedId } from "../lib/ports.ts";
import type { TaskEvent, TaskView } from "../protocol/task-view.ts";
import { eventOfLine, linesOf, viewOfLine, type ArchivePlace } from "./archive-file.ts";

/* The archive in R2: what history has kept for long enough. */

/** The bucket has not got the file: whoever owns it has removed it, or a lifecycle rule has. */
export class NotArchivedError extends Error {}

/** Events that are handed on together when a whole log is read. */
const EVENTS_TOGETHER = 1_000;

/** Characters of events in one page, unless a single event has more: a Worker has 128 MB. */
const PAGE_LENGTH = 4_000_000;

/**
 * Writes a file of tasks and gives its key: by what is in it, so that a removal that was cut off writes its file again,
 * and no run overwrites what another one has written.
 *
 * @param day of the creation of its first task, e.g. 2026-11-22
 * @throws when the bucket does not confirm it
 */
export async function writeArchiveFile(
  bucket: R2Bucket,
  tenant: string,
  { day, bytes }: { day: string; bytes: Uint8Array },
): Promise<string> {
  const key = `tasks/${tenant}/${day}/${await derivedId(bytes)}.ndjson`;
  await bucket.put(key, bytes, { httpMetadata: { contentType: "application/x-ndjson" } });
  return key;
}

async function* lines(bucket: R2Bucket, place: ArchivePlace): AsyncGenerator<string> {
  const { key, offset, length } = place;
  const found = await bucket.get(key, { range: { offset, length } });
  if (found === null) throw new NotArchivedError(`the archive has no ${key}`);
  yield* linesOf(found.body);
}

/** A task's view as it was removed. @throws when the bucket fails, or has it not */
export async function readArchivedView(bucket: R2Bucket, place: ArchivePlace): Promise<TaskView> {
  for await (const line of lines(bucket, place)) return viewOfLine(line);
  return viewOfLine(undefined);
}

async function* events(bucket: R2Bucket, place: ArchivePlace): AsyncGenerator<[TaskEvent, number]> {
  let isFirst = true;
  for await (const line of lines(bucket, place)) {
    if (!isFirst) yield [eventOfLine(line), line.length];
    isFirst = false;
  }
}

/** A task's whole log in portions. @throws when the bucket fails, or has it not */
export async function* readArchivedLog(
  bucket: R2Bucket,
  place: ArchivePlace,
): AsyncGenerator<TaskEvent[]> {
  let portion: TaskEvent[] = [];
  for await (const [event] of events(bucket, place)) {
    portion.push(event);
    if (portion.length < EVENTS_TOGETHER) continue;
    yield portion;
    portion = [];
  }
  yield portion;
}

/** A page of a task's events in order; `next_cursor` is the `after` of the next one. @throws as the log */
export async function readArchivedEvents(
  bucket: R2Bucket,
  place: ArchivePlace,
  page: { after: number; limit: number },
): Promise<{ items: TaskEvent[]; next_cursor: string | null }> {
  const items: TaskEvent[] = [];
  let together = 0;
  for await (const [event, length] of events(bucket, place)) {
    if (event.seq <= page.after) continue;
    together += length;
    const isFull = items.length === page.limit || (items.length > 0 && together > PAGE_LENGTH);
    if (isFull) return { items, next_cursor: String(items.at(-1)?.seq ?? page.after) };
    items.push(event);
  }
  return { items, next_cursor: null };
}
