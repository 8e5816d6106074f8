import {
  taskEventSchema,
  taskViewSchema,
  type TaskEvent,
  type TaskView,
} from "../protocol/task-view.ts";

/*
 * The form in which tasks leave D1: NDJSON, several tasks in a file. The lines of a task follow each other: its view
 * with everything that lists leave out, then its events in order.
 */

/** Where a task stands in a file, bytes. */
export interface Slice {
  offset: number;
  length: number;
}

/** A file that grows by tasks. */
export class ArchiveFile {
  readonly #parts: Uint8Array[] = [];
  readonly #encoder = new TextEncoder();
  #length = 0;

  /** Adds a task; where it stands. */
  add(view: TaskView, events: readonly TaskEvent[]): Slice {
    const offset = this.#length;
    for (const line of [view, ...events]) {
      const bytes = this.#encoder.encode(`${JSON.stringify(line)}\n`);
      this.#parts.push(bytes);
      this.#length += bytes.byteLength;
    }
    return { offset, length: this.#length - offset };
  }

  /** The whole of it. */
  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  }
}

/** The lines of a text that comes in pieces. Who stops early lets go of the rest. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** A task's first line. @throws ZodError when it is none */
export function viewOfLine(line: string | undefined): TaskView {
  return taskViewSchema.parse(JSON.parse(line ?? "null"));
}

/** One of the lines behind it. @throws ZodError when it is none */
export function eventOfLine(line: string): TaskEvent {
  return taskEventSchema.parse(JSON.parse(line));
}

/** Where in the archive a task is: the key of the file, and its place there in bytes. */
export interface ArchivePlace extends Slice {
  key: string;
}
