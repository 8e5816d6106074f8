import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { readEvents } from "./task-store.ts";
import { eventOf } from "./view.ts";

/** Most live streams of one task; further ones are refused (design.md §5: cap streams). */
const MOST_WATCHERS = 250;

/** Most of them that were opened with a public token: whoever has a link must not lock out those who have a key. */
const MOST_PUBLIC_WATCHERS = 100;
const PUBLIC = "public";

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
 * @param url its `after` is the last seq that the watcher has; with `public` it came with a public token
 */
export function openWatch(ctx: DurableObjectState, state: TaskState, url: string): Response {
  const { searchParams } = new URL(url);
  const after = Number(searchParams.get("after") ?? "0");
  const isPublic = searchParams.has(PUBLIC);
  const past = readEvents(ctx.storage.sql, after, state.seq);
  const isFull =
    ctx.getWebSockets().length >= MOST_WATCHERS ||
    (isPublic && ctx.getWebSockets(PUBLIC).length >= MOST_PUBLIC_WATCHERS);
  if (isFull) return new Response(null, { status: 429 });
  const pair = new WebSocketPair();
  ctx.acceptWebSocket(pair[1], isPublic ? [PUBLIC] : []);
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
