import { reconnectDelayMs, retryAfterMs } from "../lib/backoff.ts";
import { eventParser, type StreamEvent } from "../lib/sse.ts";
import { pause } from "../lib/waits.ts";
import { request, waitFor } from "./client.ts";
import { problemOf, type Problem } from "./problem.ts";
import { session, signOut } from "./session.ts";

/** A stream that has said nothing for so long is dead: keep-alives come every 15 s. */
const SILENCE_MS = 45_000;

/** How a stream is doing. `over`: the server has nothing more to say. `refused`: it will not be asked again. */
export type StreamState = "connecting" | "open" | "waiting" | "over" | "refused";

/** Who listens to a stream. */
export interface StreamListener {
  onEvent(event: StreamEvent): void;
  onState(state: StreamState, problem: Problem | null): void;
}

interface Following extends StreamListener {
  path: string;
  /** With which it began. */
  key: string;
  signal: AbortSignal;
  lastId: string;
}

/** Reads one connection to its end. */
async function drain(body: ReadableStream<Uint8Array>, following: Following): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parse = eventParser();
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  following.signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      clearTimeout(watchdog);
      watchdog = setTimeout(cancel, SILENCE_MS);
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of parse(decoder.decode(value, { stream: true }))) {
        following.lastId = event.id || following.lastId;
        following.onEvent(event);
      }
    }
  } finally {
    clearTimeout(watchdog);
    following.signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** What came of one connection: it was open and ended, it failed, or there will be no other. */
type Outcome = "ended" | "failed" | "final";

async function refusedBy(response: Response, following: Following): Promise<Outcome> {
  const { status, headers } = response;
  if (status === 429 || status === 503) {
    following.onState("waiting", null);
    await waitFor(retryAfterMs(headers.get("Retry-After"), Date.now()), following.signal);
    return "ended";
  }
  if (status === 401 && session.get() === following.key) signOut("refused");
  if (status >= 500) return "failed";
  const body: unknown = await response.json().catch(() => null);
  following.onState("refused", problemOf(status, headers.get("X-Request-Id"), body));
  return "final";
}

async function connect(following: Following): Promise<Outcome> {
  const { path, key, signal, lastId } = following;
  following.onState("connecting", null);
  const response = await request(path, {
    key,
    signal,
    headers: { Accept: "text/event-stream", ...(lastId !== "" && { "Last-Event-ID": lastId }) },
  });
  if (response.status === 204) {
    following.onState("over", null);
    return "final";
  }
  if (!response.ok || response.body === null) return refusedBy(response, following);
  following.onState("open", null);
  await drain(response.body, following);
  return "ended";
}

/**
 * Follows a stream of server-sent events over fetch, because EventSource cannot send a key. Connects again when it
 * ends, with the last id and growing pauses, until the server has nothing more to say or refuses.
 *
 * @param lastId where to go on: the id of the last event that was seen, if any
 * @returns ends it
 */
export function follow(path: string, listener: StreamListener, lastId = ""): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const following: Following = { ...listener, path, key: session.get() ?? "", lastId, signal };
  const run = async (): Promise<void> => {
    for (let failures = 0; !controller.signal.aborted;) {
      const outcome = await connect(following).catch((): Outcome => "failed");
      if (outcome === "final" || controller.signal.aborted) return;
      failures = outcome === "failed" ? failures + 1 : 0;
      following.onState("waiting", null);
      await pause(reconnectDelayMs(Math.max(failures, 1), Math.random()), controller.signal);
    }
  };
  void run();
  return () => controller.abort();
}
