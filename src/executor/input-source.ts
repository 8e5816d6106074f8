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

async function readCapped(response: Response): Promise<string | null> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    bytes += chunk.value.byteLength;
    if (bytes > LARGEST_INPUT_BYTES) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
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
    const text = await readCapped(response);
    return text === null
      ? refuse(unreadable("it is larger than 1 MiB", "input_data.url", false))
      : ok(form === "table" ? tableOf(text) : { text });
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : "Error";
    return refuse(unreadable("the request failed", name, true));
  }
}
