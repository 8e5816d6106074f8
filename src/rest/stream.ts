import * as z from "zod";

import { instant, type Clock } from "../lib/ports.ts";
import { placesOf } from "../protocol/declared-names.ts";
import { eventTypeSchema } from "../protocol/enums.ts";
import { taskEventSchema, type TaskEvent } from "../protocol/task-view.ts";
import type { EventSocket } from "./ports.ts";
import type { Outflow } from "./withheld.ts";

/** A comment so often keeps proxies from closing a quiet stream, and is the only way to notice a dead client. */
const KEEP_ALIVE_MS = 15_000;

/** A stream ends after so long; the client resumes at its last id. Nothing may live on unnoticed. */
const MAX_AGE_MS = 600_000;

/** A client that lets so many bytes pile up is cut off; it resumes from the log when it can read again. */
const MAX_UNREAD_BYTES = 1_048_576;

/** RFC 6455 §7.4.1: normal closure. */
const NORMAL_CLOSURE = 1_000;

/** What is needed to put a notice in the place of an event. */
const eventHeadSchema = z.object({ seq: z.int().min(1), type: eventTypeSchema });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What stands in a stream where an event was withheld: whoever follows sees no gap, and where to ask. */
function noticeOf({ seq, type }: z.infer<typeof eventHeadSchema>, now: number): TaskEvent {
  return {
    seq,
    event_id: `withheld_${seq}`,
    type,
    at: instant(now),
    actor: { kind: "system", id: "batuta" },
    correlation_id: "",
    data: { notice: "The event was withheld because it broke its schema." },
  };
}

/**
 * A server-sent event stream of what a task's object sends on a socket, one event as JSON text each.
 *
 * The stream ends here and not in the object, so that a watched task may sleep
 * (facts/platform.md §5.3). It ends when the socket does, after ten minutes, or when the client
 * reads too slowly; when the client is gone the socket is closed. An event that breaks its schema does
 * not pass: a notice stands in its place, and the stream ends where not even that can be said.
 *
 * @param lasts_ms after so long it ends, when that is less: who may read it may no longer then
 */
export function eventStream(
  socket: EventSocket,
  now: Clock,
  { tellWithheld }: Pick<Outflow, "tellWithheld">,
  lasts_ms = MAX_AGE_MS,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const timers: ReturnType<typeof setInterval>[] = [];
  let isOpen = true;

  const closeSocket = (): void => {
    isOpen = false;
    for (const timer of timers) clearInterval(timer);
    socket.close(NORMAL_CLOSURE, "stream ended");
  };

  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const end = (): void => {
      if (!isOpen) return;
      closeSocket();
      controller.close();
    };
    const send = (text: string): void => {
      if (!isOpen) return;
      controller.enqueue(encoder.encode(text));
      if ((controller.desiredSize ?? 0) < 0) end();
    };
    const show = ({ seq, type }: z.infer<typeof eventHeadSchema>, text: string): void =>
      send(`id: ${seq}\nevent: ${type}\ndata: ${text}\n\n`);
    socket.addEventListener("message", ({ data }) => {
      const text = typeof data === "string" ? data : "";
      const event = jsonOf(text);
      const parsed = taskEventSchema.safeParse(event);
      if (parsed.success) return show(parsed.data, text);
      // The stream goes on, and with it the invocation.
      void tellWithheld(placesOf(taskEventSchema, parsed.error));
      const head = eventHeadSchema.safeParse(event);
      if (!head.success) return end();
      return show(head.data, JSON.stringify(noticeOf(head.data, now())));
    });
    socket.addEventListener("close", end);
    socket.addEventListener("error", end);
    socket.accept();
    // The client learns at once that the stream is open, even when nothing happens for long.
    send(": open\n\n");
    timers.push(setInterval(() => send(": keep-alive\n\n"), KEEP_ALIVE_MS));
    timers.push(setInterval(end, Math.min(lasts_ms, MAX_AGE_MS)));
  };

  return new ReadableStream(
    { start, cancel: closeSocket },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_UNREAD_BYTES }),
  );
}
