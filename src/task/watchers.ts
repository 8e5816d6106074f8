import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { readEvents } from "./task-store.ts";
import { eventOf } from "./view.ts";

/** Most live streams of one task; further ones are refused (design.md §5: cap streams). */
const MOST_WATCHERS = 100;

/** Normal closure (RFC 6455 §7.4.1). */
const NORMAL_CLOSURE = 1_000;

function send(
  sockets: readonly WebSocket[],
  state: TaskState,
  events: readonly LoggedEvent[],
): void {
  for (const event of events) {
    const text = JSON.stringify(eventOf(state, event));
    for (const socket of sockets) {
      try {
        socket.send(text);
      } catch {
        // The socket is closing: its client resumes from the last seq that it has.
        continue;
      }
    }
  }
}

/** Closes sockets that may be closed already. */
export function closeWatchers(sockets: readonly WebSocket[], code = NORMAL_CLOSURE): void {
  for (const socket of sockets) {
    try {
      // 1005 and 1006 say that no code was received; they may not be sent.
      socket.close(code === 1_005 || code === 1_006 ? NORMAL_CLOSURE : code);
    } catch {
      continue;
    }
  }
}

/**
 * Opens a hibernatable socket, sends what has happened since, and leaves it open for what will.
 *
 * When one portion of the log does not reach the present, the socket closes behind it.
 *
 * @param url its `after` is the last seq that the watcher has
 */
export function openWatch(ctx: DurableObjectState, state: TaskState, url: string): Response {
  const after = Number(new URL(url).searchParams.get("after") ?? "0");
  const past = readEvents(ctx.storage.sql, after, state.seq);
  if (ctx.getWebSockets().length >= MOST_WATCHERS) return new Response(null, { status: 429 });
  const pair = new WebSocketPair();
  ctx.acceptWebSocket(pair[1]);
  send([pair[1]], state, past);
  const isBehind = (past.at(-1)?.seq ?? state.seq) < state.seq;
  if (state.phase === "ended" || isBehind) closeWatchers([pair[1]]);
  return new Response(null, { status: 101, webSocket: pair[0] });
}

/** Tells everyone who watches what has happened; after the end they are dismissed. */
export function tellWatchers(
  ctx: DurableObjectState,
  state: TaskState,
  events: readonly LoggedEvent[],
): void {
  const sockets = ctx.getWebSockets();
  if (sockets.length === 0) return;
  send(sockets, state, events);
  if (state.phase === "ended") closeWatchers(sockets);
}
