import type { MiddlewareHandler } from "hono";

import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { RestContext, RestEnv } from "../route.ts";
import { gunzip, joined, slicesOf } from "./gunzip.ts";
import { findJsonFault } from "./json-fault.ts";
import { answerRefusal } from "./problems.ts";

/** The largest body and the largest frame (protocol.md §7, Sizes, as the limits below). */
export const MAX_BODY_BYTES = 1_048_576;
const MAX_DEPTH = 32;
const MAX_KEYS = 10_000;

/** The longest address, with its query; what is legitimate is far below: an id is at most 300 characters, a cursor 500. */
const MAX_URL_CHARACTERS = 8_192;

const NOTHING = new Uint8Array();

const TOO_LARGE: Refusal = {
  code: "body_too_large",
  detail: `the body must not exceed ${MAX_BODY_BYTES} bytes`,
  extra: { max_bytes: MAX_BODY_BYTES },
};

const URL_TOO_LONG: Refusal = {
  code: "validation_failed",
  detail: "one fault",
  errors: [
    {
      pointer: "",
      code: "too_big",
      detail: `the address with its query must not exceed ${MAX_URL_CHARACTERS} characters`,
    },
  ],
};

/** Reads a stream up to the limit; null when it goes on beyond it. */
async function readUpTo(stream: ReadableStream<Uint8Array>): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      return null;
    }
    chunks.push(value);
  }
  return joined(chunks, length);
}

async function readBytes(request: Request): Promise<Result<Uint8Array, Refusal>> {
  if (request.body === null) return ok(NOTHING);
  try {
    // The connection holds a body to its declared length; only an undeclared one has to be counted.
    const bytes = request.headers.has("Content-Length")
      ? new Uint8Array(await request.arrayBuffer())
      : await readUpTo(request.body);
    return bytes === null || bytes.length > MAX_BODY_BYTES ? refuse(TOO_LARGE) : ok(bytes);
  } catch {
    return refuse({ code: "malformed_json", detail: "the body broke off before its end" });
  }
}

function refuseSize(context: RestContext, refusal: Refusal): Response {
  context.set("checked", { checks: ["size"], duration_us: 0, body: undefined });
  return answerRefusal(context, refusal);
}

/**
 * The first check: refuses an address beyond 8 KiB, and a body above 1 MiB, by its declared length before it is read and by
 * counting while it is read. Keeps the bytes for later, when the route takes a body.
 */
export function limitSize(takesBody: boolean): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    if (context.req.url.length > MAX_URL_CHARACTERS) return answerRefusal(context, URL_TOO_LONG);
    const declared = Number(context.req.header("Content-Length") ?? 0);
    if (declared > MAX_BODY_BYTES) return refuseSize(context, TOO_LARGE);
    if (takesBody) {
      const read = await readBytes(context.req.raw);
      if (!read.ok) return refuseSize(context, read.refusal);
      context.set("bytes", read.value);
    }
    return next();
  };
}

/** The one key that schemas pass over, and so would drop without a word. */
const PROTOTYPE = "__proto__";

/** Whether a parsed body stays within depth and number of keys. Without recursion: depth is the point. */
function judge(value: unknown): "fine" | "complex" | "prototype" {
  let keys = 0;
  let hasPrototype = false;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const deeper: unknown[] = [];
    for (const item of level) {
      if (item === null || typeof item !== "object") continue;
      if (depth >= MAX_DEPTH) return "complex";
      const isList = Array.isArray(item);
      const children: unknown[] = isList ? item : Object.values(item);
      if (!isList) keys += children.length;
      if (keys > MAX_KEYS) return "complex";
      hasPrototype ||= Object.hasOwn(item, PROTOTYPE);
      for (const child of children) deeper.push(child);
    }
    level = deeper;
  }
  return hasPrototype ? "prototype" : "fine";
}

/** Where a body that is not too deep has the key; the first such place, as a JSON Pointer. */
function prototypeIn(value: unknown): string | null {
  if (value === null || typeof value !== "object") return null;
  for (const [key, inner] of Object.entries(value)) {
    const step = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (key === PROTOTYPE) return step;
    const found = prototypeIn(inner);
    if (found !== null) return step + found;
  }
  return null;
}

function prototypeRefusal(value: unknown): Refusal {
  const detail = "is a key that no object may have: it would be lost on the way";
  return {
    code: "validation_failed",
    detail: "one fault",
    errors: [{ pointer: prototypeIn(value) ?? "", code: "forbidden_key", detail }],
  };
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decode(bytes: Uint8Array): string | null {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return null;
  }
}

function parseJson(text: string): Result<unknown, Refusal> {
  try {
    return ok(JSON.parse(text));
  } catch {
    const { position, line, column } = findJsonFault(text);
    const where = position >= text.length ? "ends too early, at" : "is not JSON at";
    return refuse({
      code: "malformed_json",
      detail: `the body ${where} character ${position} (line ${line}, column ${column})`,
      extra: { position, line, column },
    });
  }
}

function refusalOfType(type: string | undefined, encoding: string | undefined): Refusal | null {
  if (type?.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") {
    return {
      code: "unsupported_media_type",
      detail: "the body must be sent as `Content-Type: application/json`",
    };
  }
  if (!["identity", "gzip"].includes(codingOf(encoding))) {
    return {
      code: "unsupported_media_type",
      detail: "the body must be sent as it is or with `Content-Encoding: gzip`",
    };
  }
  return null;
}

/** The content coding of a body, a word without case (RFC 9110 §8.4.1). */
function codingOf(encoding: string | undefined): string {
  return encoding?.trim().toLowerCase() ?? "identity";
}

/**
 * The JSON value of a body, which may come compressed with gzip and then holds at most 1 MiB in either form.
 *
 * No body at all counts as `{}`: whether that is enough is for the schema to say. Of a repeated key
 * the last value counts, as in JSON.parse.
 *
 * Refuses with unsupported_media_type, malformed_json (with the position), body_too_large, body_too_complex and,
 * where a key is `__proto__`, validation_failed.
 */
export async function parseBody(
  bytes: Uint8Array,
  headers: { type: string | undefined; encoding: string | undefined },
): Promise<Result<unknown, Refusal>> {
  if (bytes.length === 0 && headers.type === undefined) return ok({});
  const ofType = refusalOfType(headers.type, headers.encoding);
  if (ofType !== null) return refuse(ofType);
  if (bytes.length === 0) return ok({});
  const isPlain = codingOf(headers.encoding) === "identity";
  const plain = isPlain ? ok(bytes) : await gunzip(slicesOf(bytes), MAX_BODY_BYTES);
  return plain.ok ? parsePlain(plain.value) : plain;
}

function parsePlain(bytes: Uint8Array): Result<unknown, Refusal> {
  const text = decode(bytes);
  if (text === null) {
    return refuse({ code: "malformed_json", detail: "the body is not valid UTF-8" });
  }
  return parseText(text);
}

/**
 * The JSON value of a text. Refuses with malformed_json (with the position), body_too_complex and, where a key
 * is `__proto__`, validation_failed.
 */
export function parseText(text: string): Result<unknown, Refusal> {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  const judgement = judge(parsed.value);
  if (judgement === "fine") return parsed;
  if (judgement === "prototype") return refuse(prototypeRefusal(parsed.value));
  return refuse({
    code: "body_too_complex",
    detail: `the body must not be nested deeper than ${MAX_DEPTH} levels or have more than ${MAX_KEYS} keys`,
    extra: { max_depth: MAX_DEPTH, max_keys: MAX_KEYS },
  });
}
