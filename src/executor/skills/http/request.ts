import * as z from "zod";

import type { HttpRequest, JsonValue } from "../skill.ts";
import type { Unmet } from "./assertions.ts";
import { headersFault, METHODS, SAFE_METHODS } from "./sendable.ts";
import { filled, filledJson, filledUrl, steeringIn } from "./template.ts";
import type { Variables } from "./template.ts";

/** Characters of an address, as of a webhook's. */
const LONGEST_URL = 2_048;

/** An address in which variables may stand; what it must be is judged when it is called. */
export const urlSchema = z.string().min(1).max(LONGEST_URL);

/** Headers by name; what no header may be is named before anything is sent. */
export const headersSchema = z.record(z.string(), z.string()).superRefine((headers, context) => {
  const fault = headersFault(headers);
  if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

/** Milliseconds that one request may take. */
export const timeoutSchema = z.int().min(100).max(60_000);

/** A request as a task describes it. */
export const requestSchema = z
  .strictObject({
    method: z.string().toUpperCase().pipe(z.enum(METHODS)).default("GET"),
    url: urlSchema,
    headers: headersSchema.default({}),
    body: z.json().optional(),
    timeout_ms: timeoutSchema.optional(),
  })
  .refine(({ method, body }) => body === undefined || !SAFE_METHODS.includes(method), {
    path: ["body"],
    error: "GET, HEAD and OPTIONS carry no body",
  });
export type RequestForm = z.infer<typeof requestSchema>;

/**
 * The request that is sent: variables in place, a body that is no text as JSON.
 *
 * @param key value of Idempotency-Key for a request that changes something, unless it names its own
 */
export function requestOf(
  form: RequestForm,
  variables: Variables,
  { timeout_ms, key }: { timeout_ms: number; key: string | null },
): HttpRequest {
  const headers = Object.fromEntries(
    Object.entries(form.headers).map(([name, value]) => [
      name.toLowerCase(),
      filled(value, variables),
    ]),
  );
  const isSafe = SAFE_METHODS.includes(form.method);
  const isText = typeof form.body === "string";
  return {
    method: form.method,
    url: filledUrl(form.url, variables),
    headers: {
      ...(form.body !== undefined && !isText && { "content-type": "application/json" }),
      ...(!isSafe && key !== null && { "idempotency-key": key }),
      ...headers,
    },
    ...(form.body !== undefined && { body: bodyOf(form.body, variables) }),
    timeout_ms: form.timeout_ms ?? timeout_ms,
  };
}

/** Why a request with these variables is not sent: an answer would choose the host. Empty when it may be. */
export function steered({ url }: { url: string }, variables: Variables): Unmet[] {
  return steeringIn(url, variables).map((name) => ({
    path: "request",
    expected: "an address whose host no answer chooses",
    received: `request_refused: {{${name}}} was saved from an answer and stands in the host`,
  }));
}

function bodyOf(body: JsonValue, variables: Variables): string {
  return typeof body === "string"
    ? filled(body, variables)
    : JSON.stringify(filledJson(body, variables));
}
