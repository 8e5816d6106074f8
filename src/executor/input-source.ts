import * as z from "zod";

import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { SkillFailure } from "./skills/skill.ts";

/** The largest input that is fetched: as much as a request may carry (protocol.md §7, Sizes). */
const LARGEST_INPUT_BYTES = 1_048_576;

/** How long fetching an input may take. Milliseconds. */
const FETCH_LIMIT_MS = 15_000;

function unreadable(detail: string, evidence: string, mayRetry: boolean): SkillFailure {
  return {
    error_type: "input_unreadable",
    error_message: `The input could not be read: ${detail}`,
    root_cause: { class: "input", detail, evidence },
    recovery_suggestions: ["Send the input itself in input_data instead of its address"],
    retry_recommended: mayRetry,
  };
}

const rowsSchema = z.union([
  z.array(z.unknown()).transform((rows): JsonObject => ({ rows })),
  z.looseObject({ rows: z.array(z.unknown()) }).transform(({ rows }): JsonObject => ({ rows })),
]);

/** A table out of a document: JSON rows when it is JSON, CSV otherwise. */
export function tableOf(text: string): JsonObject {
  if (!/^\s*[[{]/.test(text)) return { csv: text };
  try {
    const rows = rowsSchema.safeParse(JSON.parse(text));
    return rows.success ? rows.data : { csv: text };
  } catch {
    // It only looked like JSON: the CSV parser says what is wrong with it, if anything is.
    return { csv: text };
  }
}

/** What a content type says of its text's encoding (RFC 9110 §8.3.2); UTF-8 when it says nothing. */
function charsetOf(contentType: string | null): string {
  return /;\s*charset\s*=\s*"?([^";\s]{1,40})/i.exec(contentType ?? "")?.[1] ?? "utf-8";
}

/** A decoder that refuses bytes which are no text in its encoding; null when the encoding is not known here. */
function decoderOf(charset: string) {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: false });
  } catch {
    return null;
  }
}

type Decoder = NonNullable<ReturnType<typeof decoderOf>>;

/** Null when it is too large. @throws NotText when it is no text in the decoder's encoding */
async function readCapped(response: Response, decoder: Decoder): Promise<string | null> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  let text = "";
  let bytes = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    bytes += chunk.value.byteLength;
    if (bytes > LARGEST_INPUT_BYTES) {
      await reader.cancel();
      return null;
    }
    try {
      text += decoder.decode(chunk.value, { stream: true });
    } catch (cause) {
      await reader.cancel();
      throw new NotText(cause);
    }
  }
  try {
    return text + decoder.decode();
  } catch (cause) {
    throw new NotText(cause);
  }
}

/** Bytes that are no text in the encoding that they should be in. */
class NotText extends Error {
  constructor(cause: unknown) {
    super("no text in its encoding", { cause });
  }
}

function failureOf(cause: unknown): SkillFailure {
  if (cause instanceof NotText) {
    const told = "its bytes are no text in the encoding it is said to have, else UTF-8";
    return unreadable(told, "content-type", false);
  }
  return unreadable("the request failed", cause instanceof Error ? cause.name : "Error", true);
}

/** The platform's way to fetch a URL. */
type Get = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Reads a table or a text from a URL. Never throws.
 *
 * @param form "table" gives `{csv}` or `{rows}`, "text" gives `{text}`
 * @param source `isAllowed` keeps requests away from addresses that are not public; `signal` stops the request
 */
export async function fetchInput(
  url: string,
  form: "table" | "text",
  source: { get: Get; isAllowed: (url: string) => Promise<boolean>; signal?: AbortSignal },
): Promise<Result<JsonObject, SkillFailure>> {
  if (!(await source.isAllowed(url))) {
    return refuse(unreadable("the URL must be https and public", "input_data.url", false));
  }
  const limit = AbortSignal.timeout(FETCH_LIMIT_MS);
  const signal = source.signal === undefined ? limit : AbortSignal.any([limit, source.signal]);
  try {
    const response = await source.get(url, { redirect: "manual", signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      const mayRetry = response.status >= 500 || response.status === 429;
      return refuse(
        unreadable("the server did not answer 200", `status ${response.status}`, mayRetry),
      );
    }
    const charset = charsetOf(response.headers.get("content-type"));
    const decoder = decoderOf(charset);
    if (decoder === null) {
      await response.body?.cancel();
      return refuse(unreadable("its encoding is not known; send it as UTF-8", charset, false));
    }
    const text = await readCapped(response, decoder);
    return text === null
      ? refuse(unreadable("it is larger than 1 MiB", "input_data.url", false))
      : ok(form === "table" ? tableOf(text) : { text });
  } catch (cause) {
    return refuse(failureOf(cause));
  }
}
