import type { Clock } from "../../../lib/ports.ts";
import type { Keyless } from "../keyless.ts";
import { trouble } from "./faults.ts";
import type { Trouble } from "./faults.ts";

/** The platform's way to send a request. */
export type Get = (url: string, init: RequestInit) => Promise<Response>;

/** What bounds an answer. */
export interface AnswerLimits {
  /** Bytes of one answer: a model may talk on for ever. */
  maxBytes: number;
  /** Milliseconds between two parts of an answer that has begun. */
  idleMs: number;
}

/** 4 MiB are a million tokens. A minute: a busy local model thinks longer before it begins, never between two words. */
export const ANSWER_LIMITS: AnswerLimits = { maxBytes: 4 * 1_048_576, idleMs: 60_000 };

/** What is known of the connection of one question. What was seen here is said, however an SDK wraps it. */
export interface Watch {
  trouble: Trouble | null;
  /** Since when an answer is waited for that has not begun, epoch milliseconds; null where none is, or one has. */
  silentSince: number | null;
}

/** What a watched request needs. */
interface WatchedParts {
  now: Clock;
  get: Get;
  /** Why nothing may be sent to this address; null when it may. */
  addressFault: (url: string) => Promise<string | null>;
  limits: AnswerLimits;
  /** Takes the key out of what is quoted. */
  clean: Keyless;
}

/**
 * A `fetch` for one question: to permitted addresses only, without following redirects, and with an end.
 *
 * @param watch is told why it throws, and since when nothing is heard
 */
export function watchedFetch(parts: WatchedParts, watch: Watch) {
  const { get, addressFault, limits, clean } = parts;
  const stop = (why: Trouble, cause?: unknown): Error => {
    watch.trouble ??= why;
    return new Error(why.detail, { cause });
  };
  return async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const url = String(input);
    const fault = await addressFault(url);
    if (fault !== null) throw stop(trouble("rejected", `base_url ${fault}`));
    watch.silentSince = parts.now();
    const response = await got(get(url, { ...init, redirect: "manual" }), init, stop);
    const misfit = typeFault(response, init, clean);
    if (misfit !== null) {
      await response.body?.cancel();
      throw stop(trouble("rejected", misfit, { status: response.status }));
    }
    const headers = new Headers(response.headers);
    // They speak of the body before it was unpacked.
    headers.delete("content-encoding");
    headers.delete("content-length");
    const { status, statusText } = response;
    const begun = () => void (watch.silentSince = null);
    const body =
      response.body === null ? null : watchedBody(response.body, limits, { init, stop, begun });
    return new Response(body, { status, statusText, headers });
  };
}

type Stop = (why: Trouble, cause?: unknown) => Error;

async function got(pending: Promise<Response>, init: RequestInit, stop: Stop): Promise<Response> {
  try {
    return await pending;
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    throw stop(trouble("network", "the provider can't be reached"), cause);
  }
}

/** A page where an answer was expected, as of a wrong base_url; null when it is an answer or an error. */
function typeFault(
  { ok, headers }: Response,
  { body }: RequestInit,
  clean: Keyless,
): string | null {
  const said = clean(headers.get("content-type") ?? "");
  const type = said.split(";")[0]?.trim().toLowerCase() ?? "";
  const isStreamed = typeof body === "string" && body.includes('"stream":true');
  const wanted = isStreamed ? "text/event-stream" : "application/json";
  if (!ok || type === "" || type === wanted) return null;
  return type === "application/json"
    ? "the provider does not stream: register the model with is_streamed false"
    : `the provider answers ${type.slice(0, 100)} in place of ${wanted}: base_url has to be what /chat/completions is appended to`;
}

function watchedBody(
  body: ReadableStream<Uint8Array>,
  { maxBytes, idleMs }: AnswerLimits,
  { init, stop, begun }: { init: RequestInit; stop: Stop; begun: () => void },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;
  let isWanted = true;
  const next = async (): Promise<Uint8Array | null> => {
    // How long a model thinks before its first word is the question's own limit.
    const part = await (bytes === 0 ? reader.read() : inTime(reader.read(), idleMs));
    if (part === "idle") {
      const detail = `the answer stalled: nothing for ${idleMs / 1_000} s`;
      throw stop(trouble("timeout", detail));
    }
    begun();
    if (part.done) return null;
    bytes += part.value.byteLength;
    if (bytes > maxBytes) {
      throw stop(trouble("cut_off", `the answer was cut at ${maxBytes} bytes`));
    }
    return part.value;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const part = await next();
        if (!isWanted) return;
        if (part === null) controller.close();
        else controller.enqueue(part);
      } catch (cause) {
        if (!isWanted) return;
        const isAborted = init.signal?.aborted === true;
        const why = trouble("network", "the connection broke off in mid-answer");
        controller.error(isAborted ? cause : stop(why, cause));
        // A connection that has failed can't be closed either.
        reader.cancel().catch(() => {});
      }
    },
    cancel: (reason) => {
      isWanted = false;
      return reader.cancel(reason);
    },
  });
}

async function inTime<Value>(pending: Promise<Value>, ms: number): Promise<Value | "idle"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = new Promise<"idle">((resolve) => {
    timer = setTimeout(() => resolve("idle"), ms);
  });
  try {
    return await Promise.race([pending, idle]);
  } finally {
    clearTimeout(timer);
  }
}
