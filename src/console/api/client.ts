import { retryAfterMs } from "../lib/backoff.ts";
import type { Shape } from "../lib/shape.ts";
import { createStore } from "../lib/store.ts";
import { UNREACHABLE, problemOf, type Answer } from "./problem.ts";
import { session, signOut } from "./session.ts";

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
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
  if ((patience.get() ?? 0) <= until) patience.set(null);
}

/** A refused 429 has changed nothing; behind a 503 only what reads may be asked again without a thought. */
function mayRepeat(status: number, method: string): boolean {
  return status === 429 || (status === 503 && method === "GET");
}

async function jsonOf(response: Response): Promise<unknown> {
  const body = await response.text();
  try {
    return body === "" ? null : JSON.parse(body);
  } catch {
    return null;
  }
}

/**
 * Calls the API and reads the answer by a shape. A server that is busy is waited for, and the page says so; a key that
 * is refused ends the session.
 *
 * @param path with the query, e.g. `/v1/tasks?limit=50`; build ids in by `encodeURIComponent`
 */
export async function call<T>(
  path: string,
  shape: Shape<T>,
  options: CallOptions = {},
): Promise<Answer<T>> {
  for (let waits = 0; ; waits += 1) {
    let response: Response;
    let body: unknown;
    try {
      response = await request(path, options);
      body = await jsonOf(response);
    } catch {
      return { ok: false, problem: UNREACHABLE };
    }
    if (response.ok) return { ok: true, value: shape(body) };
    if (mayRepeat(response.status, options.method ?? "GET") && waits < MOST_WAITS) {
      await waitFor(retryAfterMs(response.headers.get("Retry-After"), Date.now()), options.signal);
      if (options.signal?.aborted !== true) continue;
    }
    if (response.status === 401 && options.key === undefined) signOut("refused");
    const problem = problemOf(response.status, response.headers.get("X-Request-Id"), body);
    return { ok: false, problem };
  }
}

/** Changes something: `call` with a method and a body. */
export function send<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  shape: Shape<T>,
  body?: unknown,
): Promise<Answer<T>> {
  return call(path, shape, { method, ...(body !== undefined && { body }) });
}

/** A query of those values that are there, with its question mark; empty where there are none. */
export function queryOf(values: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  return search.size === 0 ? "" : `?${search.toString()}`;
}
