import { withoutSecrets } from "../lib/redact.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import { requestFault } from "./skills/http/sendable.ts";
import type { HttpAnswer, HttpFault, HttpRequest } from "./skills/skill.ts";

/** Read of an answer when the request does not say, and the most that it may say (skill.ts). Bytes. */
const USUAL_BYTES = 262_144;
const MOST_BYTES = 1_048_576;

/** Longest wait for an answer, its body included. Milliseconds. */
const LONGEST_TIMEOUT_MS = 60_000;

/** Kept of what the platform says of a failure. */
const LONGEST_DETAIL = 200;

/** What the door stands on. */
interface HttpDoorParts {
  /** The platform's way to fetch a URL. */
  get: (url: string, init: RequestInit) => Promise<Response>;
  /** Why nothing may be sent to an address, by the URL policy of webhooks; null when it may. */
  urlFault: (url: string) => Promise<string | null>;
  /** Epoch milliseconds. */
  now: () => number;
}

/** Sends one request of a skill; the run's signal ends it early. Never throws. */
export type HttpDoor = (
  request: HttpRequest,
  signal: AbortSignal,
) => Promise<Result<HttpAnswer, HttpFault>>;

/**
 * The only way out for skills.
 *
 * Each address is judged right before it is called; redirects are answers and never followed, so that no server
 * can send us to an address that was not judged. The timeout covers the answer's body, of which no more than
 * `max_bytes` is read: an endless answer is cut, an endlessly slow one times out. `duration_ms` lasts until the
 * last byte that was read.
 */
export function createHttpDoor(parts: HttpDoorParts): HttpDoor {
  return async (request, signal) => {
    const faulty = requestFault(request);
    if (faulty !== null) return notSent("request_refused", faulty);
    const refused = await parts.urlFault(request.url);
    if (refused !== null) return notSent("address_refused", refused);
    if (signal.aborted) return notSent("aborted", "the run was stopped");
    if (request.is_trial === true) return ok(NOTHING_SENT);
    return send(parts, request, signal);
  };
}

const NOTHING_SENT: HttpAnswer = {
  status: 0,
  headers: {},
  text: "",
  bytes: 0,
  is_cut: false,
  duration_ms: 0,
};

function notSent(cause: HttpFault["class"], detail: string): { ok: false; refusal: HttpFault } {
  return refuse({ class: cause, detail, duration_ms: 0 });
}

async function send(
  { get, now }: HttpDoorParts,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Result<HttpAnswer, HttpFault>> {
  const startedAt = now();
  const timeout_ms = Math.min(LONGEST_TIMEOUT_MS, Math.max(1, request.timeout_ms));
  const timeout = new AbortController();
  // Not AbortSignal.timeout: its timer would outlive the answer.
  const timer = setTimeout(() => timeout.abort(), timeout_ms);
  try {
    const response = await get(request.url, initOf(request, [signal, timeout.signal]));
    const read = await readCapped(response.body, maxBytesOf(request));
    return ok({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      ...read,
      duration_ms: Math.max(0, now() - startedAt),
    });
  } catch (cause) {
    const duration_ms = Math.max(0, now() - startedAt);
    if (signal.aborted) return refuse({ ...ABORTED, duration_ms });
    if (timeout.signal.aborted) {
      return refuse({ class: "timeout", detail: `no answer in ${timeout_ms} ms`, duration_ms });
    }
    return refuse({ class: "network", detail: reasonOf(cause, request.url), duration_ms });
  } finally {
    clearTimeout(timer);
  }
}

const ABORTED = { class: "aborted", detail: "the run was stopped" } as const;

function initOf(
  { method, headers, body }: HttpRequest,
  signals: readonly AbortSignal[],
): RequestInit {
  return {
    method,
    headers: { "user-agent": "Batuta", ...lowerCased(headers ?? {}) },
    ...(body !== undefined && { body }),
    redirect: "manual",
    // What a cache says tells nothing about the server.
    cache: "no-store",
    signal: AbortSignal.any([...signals]),
  };
}

/** In lower case, so that a request's own User-Agent takes the place of ours and does not join it. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function maxBytesOf({ max_bytes = USUAL_BYTES }: HttpRequest): number {
  return Math.min(MOST_BYTES, Math.max(0, max_bytes));
}

async function readCapped(
  body: ReadableStream<Uint8Array> | null,
  max_bytes: number,
): Promise<Pick<HttpAnswer, "text" | "bytes" | "is_cut">> {
  if (body === null) return { text: "", bytes: 0, is_cut: false };
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const kept = chunk.value.subarray(0, max_bytes - bytes);
    bytes += kept.byteLength;
    text += decoder.decode(kept, { stream: true });
    if (kept.byteLength === chunk.value.byteLength) continue;
    // An unread body holds one of the six connections (facts/platform.md §4). The answer is known: what the other
    // side says to being left is of no interest.
    await reader.cancel().catch(() => undefined);
    return { text: text.toWellFormed(), bytes, is_cut: true };
  }
  return { text: (text + decoder.decode()).toWellFormed(), bytes, is_cut: false };
}

/** What the platform says, with the cause that Node hides one level down; never the address, which may hold a key. */
function reasonOf(cause: unknown, url: string): string {
  if (!(cause instanceof Error)) return "the request failed";
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : "";
  const text = `${cause.message}${inner}`.replaceAll(url, "the address");
  return withoutSecrets(text).slice(0, LONGEST_DETAIL) || "the request failed";
}
