import * as z from "zod";

import type { Log } from "../lib/log.ts";
import { eventTypeSchema } from "../protocol/enums.ts";
import type { EventSocket } from "./ports.ts";

/** A comment so often keeps proxies from closing a quiet stream, and is the only way to notice a dead client. */
const KEEP_ALIVE_MS = 15_000;

/** A stream ends after so long; the client resumes at its last id. Nothing may live on unnoticed. */
const MAX_AGE_MS = 600_000;

/** A client that lets so many bytes pile up is cut off; it resumes from the log when it can read again. */
const MAX_UNREAD_BYTES = 1_048_576;

/** RFC 6455 §7.4.1: normal closure. */
const NORMAL_CLOSURE = 1_000;

/** What the stream itself reads of an event; the rest passes as it is. */
const eventHeadSchema = z.object({ seq: z.int().min(1), type: eventTypeSchema });

function parseHead(text: string): z.infer<typeof eventHeadSchema> | null {
  try {
    return eventHeadSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * A server-sent event stream of what a task's object sends on a socket, one event as JSON text each.
 *
 * The stream ends here and not in the object, so that a watched task may sleep
 * (facts/platform.md §5.3). It ends when the socket does, after ten minutes, or when the client
 * reads too slowly; when the client is gone the socket is closed.
 *
 * @param lasts_ms after so long it ends, when that is less: who may read it may no longer then
 */
export function eventStream(
  socket: EventSocket,
  log: Log,
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
    socket.addEventListener("message", ({ data }) => {
      const text = typeof data === "string" ? data : "";
      const head = parseHead(text);
      if (head !== null) return send(`id: ${head.seq}\nevent: ${head.type}\ndata: ${text}\n\n`);
      log("error", "answer_invalid", { route: "stream", paths: "/" });
      return end();
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
