import { retryAfterMs } from "../lib/backoff.ts";
import type { Shape } from "../lib/shape.ts";
import { createStore } from "../lib/store.ts";
import { pause } from "../lib/waits.ts";
import {
  ABANDONED,
  DONE_ANYWAY,
  UNREACHABLE,
  problemOf,
  type Answer,
  type Problem,
} from "./problem.ts";
import { session, sessionSignal, signOut } from "./session.ts";

/** How often a call that the server puts off is made again. */
const MOST_WAITS = 4;

/** Until when the server asks for patience, epoch milliseconds; null while nobody waits. The shell says so. */
export const patience = createStore<number | null>(null);

/** What a call may say beside its address. */
export interface CallOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Another key than the session's: to try one before signing in. A refusal of it ends no session. */
  key?: string;
}

/** A request with the session's key. Its answer may be of any status; a network that fails rejects. */
export function request(path: string, options: CallOptions = {}): Promise<Response> {
  const { method = "GET", body, headers, signal, key = session.get() ?? "" } = options;
  return fetch(path, {
    method,
    headers: {
      Accept: "application/json, application/problem+json",
      Authorization: `Bearer ${key}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  });
}

/** Waits as long as the server asks for, and lets everybody see it. Ends early when the signal does. */
export async function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  const until = Date.now() + ms;
  patience.set(Math.max(until, patience.get() ?? 0));
  await pause(ms, signal);
  if ((patience.get() ?? 0) <= until) patience.set(null);
}

/** A refused 429 has changed nothing; behind a 503 only what reads may be asked again without a thought. */
function mayRepeat(status: number, isReading: boolean): boolean {
  return status === 429 || (status === 503 && isReading);
}

async function jsonOf(response: Response): Promise<unknown> {
  const body = await response.text();
  try {
    return body === "" ? null : JSON.parse(body);
  } catch {
    return null;
  }
}

/** A call as it is made: with the key and for as long as the session in which it began. */
interface Asked extends CallOptions {
  isReading: boolean;
  key: string;
  signal: AbortSignal;
}

function askedBy(options: CallOptions): Asked {
  const { signal, key } = options;
  const signals = [signal ?? [], key === undefined ? sessionSignal() : []].flat();
  return {
    ...options,
    isReading: (options.method ?? "GET") === "GET",
    key: key ?? session.get() ?? "",
    signal: AbortSignal.any(signals),
  };
}

/** An answer with its body; null where there is none. */
async function heardOf(path: string, asked: Asked) {
  const { signal, isReading, ...options } = asked;
  try {
    // A change that is on its way is not cut off: what came of it would be known to nobody.
    const response = await request(path, { ...options, ...(isReading && { signal }) });
    return { response, body: await jsonOf(response) };
  } catch {
    return null;
  }
}

type Heard = Awaited<ReturnType<typeof heardOf>>;

/** Why there is no good answer, for whoever still waits for one. */
function problemIn(heard: Heard, { isReading, signal }: Asked): Problem {
  const isUnsure = !isReading && (heard === null || heard.response.status >= 500);
  const { response, body } = heard ?? { response: null, body: null };
  const problem = signal.aborted
    ? ABANDONED
    : response === null
      ? UNREACHABLE
      : problemOf(response.status, response.headers.get("X-Request-Id"), body);
  return isUnsure ? { ...problem, mayHaveHappened: true } : problem;
}

/** A good answer; of a change for which nobody waits any more, that it has been done. */
function goodAnswer<T>(value: T, { isReading, signal }: Asked): Answer<T> {
  if (!signal.aborted) return { ok: true, value };
  return { ok: false, problem: isReading ? ABANDONED : DONE_ANYWAY };
}

/**
 * Calls the API and reads the answer by a shape. A server that is busy is waited for, and the page says so; a key that
 * is refused ends the session. All of a call carries the key with which it began: it ends with its session, and with
 * its signal, and is not made again then. Of a change whose answer was lost the problem says that it may have happened.
 *
 * @param path with the query, e.g. `/v1/tasks?limit=50`; build ids in by `encodeURIComponent`
 */
export async function call<T>(
  path: string,
  shape: Shape<T>,
  options: CallOptions = {},
): Promise<Answer<T>> {
  const asked = askedBy(options);
  const { signal } = asked;
  for (let waits = 0; ; waits += 1) {
    const heard = await heardOf(path, asked);
    if (heard?.response.ok === true) return goodAnswer(shape(heard.body), asked);
    if (heard === null || signal.aborted) return { ok: false, problem: problemIn(heard, asked) };
    const { status, headers } = heard.response;
    if (!mayRepeat(status, asked.isReading) || waits === MOST_WAITS) {
      const problem = problemIn(heard, asked);
      if (status === 401 && options.key === undefined) signOut("refused");
      return { ok: false, problem };
    }
    await waitFor(retryAfterMs(headers.get("Retry-After"), Date.now()), signal);
    if (signal.aborted) return { ok: false, problem: ABANDONED };
  }
}

/** Changes something: `call` with a method and a body. */
export type Send = <T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  shape: Shape<T>,
  body?: unknown,
) => Promise<Answer<T>>;

/**
 * Sends as long as somebody waits for it.
 *
 * @param nameOf what is sent is named by it (Idempotency-Key), where the route knows such names
 */
export function sender(signal: AbortSignal, nameOf?: (body: unknown) => string): Send {
  return (method, path, shape, body) =>
    call(path, shape, {
      method,
      signal,
      ...(body !== undefined && { body }),
      ...(nameOf !== undefined && { headers: { "Idempotency-Key": nameOf(body) } }),
    });
}

/** A query of those values that are there, with its question mark; empty where there are none. */
export function queryOf(values: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  return search.size === 0 ? "" : `?${search.toString()}`;
}
