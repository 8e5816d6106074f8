import { withoutEchoes } from "./echo.ts";
import type { SendFault } from "./response-class.ts";

/** Kept of an answer's body (protocol.md §5). */
const KEPT_CHARACTERS = 1_000;

/** Read of it: a credential that begins before the cut, a header value of 1,000 at most, is known whole. */
const READ_CHARACTERS = 2 * KEPT_CHARACTERS;

/** One POST. */
export interface SendRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  timeoutMs: number;
  /** Credentials of this request that are not among its headers: in its address or its body. */
  hidden?: readonly string[];
}

/** What came back; `status_code` is null when there was no answer, and `fault` says why. */
export interface SendAnswer {
  status_code: number | null;
  fault: SendFault | null;
  response_body: string | null;
  retry_after: string | null;
}

/**
 * Sends one webhook request. Never throws: no answer is an answer too.
 *
 * Redirects are not followed (protocol.md §5). The timeout covers the answer's body, of which the first 1,000
 * characters are kept; the rest is cancelled, because an unread body holds one of the six connections
 * (facts/platform.md §4).
 */
export async function sendRequest(request: SendRequest): Promise<SendAnswer> {
  const abort = new AbortController();
  // Not AbortSignal.timeout: its timer would outlive the answer, and a timer keeps an object awake and on the bill
  // (facts/platform.md §4, Keep-alive).
  const timer = setTimeout(() => abort.abort(), request.timeoutMs);
  try {
    const response = await fetch(request.url, {
      method: "POST",
      headers: request.headers,
      body: request.body,
      redirect: "manual",
      signal: abort.signal,
    });
    return {
      status_code: response.status,
      fault: null,
      response_body: await readStart(response.body, request),
      retry_after: response.headers.get("retry-after"),
    };
  } catch {
    // What was thrown tells little (facts/webhooks.md §5): whether it was our own timeout is what can be known.
    const fault = abort.signal.aborted ? "timeout" : "network";
    return { status_code: null, fault, response_body: null, retry_after: null };
  } finally {
    clearTimeout(timer);
  }
}

/** The beginning of an answer, without what it repeats of the request's credentials. */
async function readStart(
  body: ReadableStream<Uint8Array> | null,
  { headers, hidden = [] }: Pick<SendRequest, "headers" | "hidden">,
): Promise<string | null> {
  if (body === null) return null;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < READ_CHARACTERS) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // The status has come and decides; what was read of a body that broke off is still worth keeping.
  }
  // A cut through a surrogate pair would leave half a character.
  return withoutEchoes(text, headers, hidden).slice(0, KEPT_CHARACTERS).toWellFormed();
}
