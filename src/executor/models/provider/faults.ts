import { APICallError, InvalidResponseDataError, JSONParseError, TypeValidationError } from "ai";

import type { Keyless } from "../keyless.ts";
import type { ModelFault, ModelFaultClass } from "../model-port.ts";

/** What went wrong, before it is known what it has cost. */
export type Trouble = Omit<ModelFault, "usage" | "duration_ms">;

/** Of what a provider says about an error this much is passed on. Characters. */
const LONGEST_MESSAGE = 300;

/** The longest text of a model that a fault carries. Characters. */
const LONGEST_TEXT = 10_000;

/** Whatever a provider asks for, waiting longer is the same as giving up. Milliseconds. */
const LONGEST_WAIT_MS = 3_600_000;

/** How OpenAI, vLLM, llama.cpp, Ollama and gateways before others say that a prompt is too long. */
const TOO_LONG =
  /context[ _]?(length|window|size)|maximum context|too many (input )?tokens|(prompt|input) is too long|exceeds? the (available )?context|reduce the length/i;

const FILTERED = /content[ _]?(filter|policy|management)|responsible_?ai|moderation|flagged/i;

/** An account without money: no waiting helps. */
const UNPAID = /insufficient_quota|billing_hard_limit|insufficient (credit|balance|funds)/i;

/** What went wrong, from its class and a sentence. */
export function trouble(
  fault: ModelFaultClass,
  detail: string,
  more: Partial<Trouble> = {},
): Trouble {
  const text = more.text?.slice(0, LONGEST_TEXT) ?? null;
  return { status: null, retry_after_ms: null, ...more, class: fault, detail, text };
}

/** A part of a stream that says that it has failed, as gateways send it. */
interface StreamedError {
  message?: unknown;
  code?: unknown;
}

function isStreamedError(error: unknown): error is StreamedError {
  return typeof error === "object" && error !== null && !(error instanceof Error);
}

/** What it takes to read an error. */
interface Reading {
  /** For a Retry-After that is a date. */
  now: number;
  /** Of what a provider says, nothing goes on without it: one that quotes the request quotes its key. */
  clean: Keyless;
}

/** What went wrong, from what was thrown. */
export function troubleOf(error: unknown, reading: Reading): Trouble {
  const { clean } = reading;
  if (APICallError.isInstance(error)) return ofCall(error, reading);
  if (JSONParseError.isInstance(error)) {
    return trouble("bad_output", "the provider's answer is not JSON", { text: clean(error.text) });
  }
  if (TypeValidationError.isInstance(error)) {
    const text = clean(JSON.stringify(error.value) ?? "");
    return trouble("bad_output", "the provider's answer is not a chat completion", { text });
  }
  if (InvalidResponseDataError.isInstance(error)) {
    // A stream that only stops shows no data that would be invalid.
    return error.data === undefined
      ? trouble("network", "the answer broke off without an end")
      : trouble("bad_output", "the provider's answer is not a chat completion");
  }
  if (isStreamedError(error)) return ofStream(error, clean);
  const message = error instanceof Error ? error.message : String(error);
  return trouble("unavailable", `the provider failed${quoted(clean(message))}`);
}

function ofStream({ message, code }: StreamedError, clean: Keyless): Trouble {
  const status = typeof code === "number" && code >= 400 && code < 600 ? code : null;
  const words = [message, code].filter((said) => typeof said === "string");
  return ofStatus(status ?? 500, clean(words.join(" ")), { status });
}

function ofCall(error: APICallError, { now, clean }: Reading): Trouble {
  const { statusCode, cause } = error;
  const message = clean(error.message);
  const responseBody = clean(error.responseBody ?? "");
  if (statusCode === undefined) {
    return trouble("network", `the provider can't be reached${quoted(message)}`);
  }
  if (statusCode < 300) {
    const reason =
      JSONParseError.isInstance(cause) || TypeValidationError.isInstance(cause)
        ? "the provider's answer is not a chat completion"
        : `the provider's answer can't be read${quoted(message)}`;
    return trouble("bad_output", reason, { status: statusCode, text: responseBody });
  }
  return ofStatus(statusCode, `${message} ${responseBody.slice(0, LONGEST_TEXT)}`, {
    status: statusCode,
    retry_after_ms: retryAfterMs(error.responseHeaders ?? {}, now),
    message,
  });
}

/** Whether the caller is not let in. Gateways before several providers forbid a prompt as they forbid a caller. */
function isForbidden(status: number, said: string): boolean {
  return status === 401 || (status === 403 && !FILTERED.test(said));
}

/** @param said everything that was said about it, to find the reason in */
function ofStatus(
  status: number,
  said: string,
  { message = said, ...more }: Partial<Trouble> & { message?: string },
): Trouble {
  const is = (fault: ModelFaultClass, what: string) =>
    trouble(fault, `${what} (${status})${quoted(message)}`, more);
  if (isForbidden(status, said)) {
    // What a provider says about a key may have parts of it.
    return trouble("unauthorized", `the provider does not accept the api_key (${status})`, more);
  }
  if (status < 400) {
    return trouble(
      "rejected",
      `the provider redirects (${status}), which is not followed: base_url has to be where that leads`,
      more,
    );
  }
  if (status === 413 || (status !== 429 && TOO_LONG.test(said))) {
    return is("too_long", "the prompt does not fit the model");
  }
  if (status === 402 || UNPAID.test(said)) return is("rejected", "the account can't pay");
  if (status === 429) return is("rate_limited", "the provider has had too many requests");
  return status >= 500 ? is("unavailable", "the provider has failed") : ofRequest(status, said, is);
}

/** What is wrong with the request itself, as far as the provider says. */
function ofRequest(
  status: number,
  said: string,
  is: (fault: ModelFaultClass, what: string) => Trouble,
): Trouble {
  if (status === 408) return is("timeout", "the provider took too long");
  if (FILTERED.test(said)) return is("filtered", "the provider's filter stopped the prompt");
  return is("rejected", "the provider refuses the request");
}

function quoted(message: string): string {
  const text = message.replaceAll(/\s+/g, " ").trim();
  return text === "" ? "" : `: ${JSON.stringify(text.slice(0, LONGEST_MESSAGE))}`;
}

/** Milliseconds of `retry-after-ms` or `retry-after`, seconds or a date; null where neither says anything. */
function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | null {
  const exact = Number(headers["retry-after-ms"] ?? Number.NaN);
  const text = headers["retry-after"] ?? "";
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  const found = [exact, seconds * 1_000, Date.parse(text) - now].find((ms) => Number.isFinite(ms));
  return found === undefined ? null : Math.round(Math.min(Math.max(found, 0), LONGEST_WAIT_MS));
}
