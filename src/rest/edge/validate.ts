import type { MiddlewareHandler } from "hono";
import * as z from "zod";

import type { Principal } from "../../protocol/access.ts";
import { faultsOf } from "../../protocol/faults.ts";
import type { Fault, Refusal, RefusalCode } from "../../protocol/refusal.ts";
import { UPGRADER } from "../../protocol/upgrader.ts";
import type { Check } from "../../protocol/validation-record.ts";
import { stillGoodBy } from "../channel/still-good.ts";
import type { RestPorts } from "../ports.ts";
import type { RestContext, RestEnv, Route } from "../route.ts";
import { NOBODY } from "./auth.ts";
import { parseBody } from "./body.ts";
import { answerRefusal } from "./problems.ts";
import { kindOf, newestInput } from "./version.ts";

/** More faults than anyone mends at once; a body of 10,000 unknown keys must not be answered tenfold. */
const MAX_FAULTS = 1_000;

/** What a route says of its input. */
export type InputSchemas = Pick<Route, "params" | "query" | "headers" | "body" | "deprecated">;

/** Query parameters by name; one that was given twice is a list, which no schema takes. */
function queryOf(url: string): Record<string, string | string[]> {
  const start = url.indexOf("?");
  if (start < 0) return {};
  const search = new URLSearchParams(url.slice(start));
  return Object.fromEntries(
    [...new Set(search.keys())].map((name) => {
      const values = search.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

/** Whether a fault is of a version that is not spoken: the message's, or that of a message inside it. */
function isOfVersion({ pointer, code }: Fault): boolean {
  if (code === "unsupported_version") return true;
  return code === "invalid_format" && pointer.endsWith("/schema_version");
}

/** The refusal for a list of faults. A version that is not spoken has its own code (protocol.md §3). */
export function faultsRefusal(faults: Fault[]): Refusal {
  const version = faults.find(isOfVersion);
  const errors = faults.slice(0, MAX_FAULTS);
  const supported = UPGRADER.supported.join(", ");
  return version === undefined
    ? {
        code: "validation_failed",
        detail: faults.length === 1 ? "one fault" : `${faults.length} faults`,
        errors,
      }
    : {
        code: "unsupported_version",
        detail: `supported versions: ${supported}`,
        errors,
        extra: { supported_versions: supported },
      };
}

interface Part<Schema extends z.ZodType> {
  schema: Schema;
  /** Where the faults of this part are said to be; those of the body are at its root. */
  base: "" | "/path" | "/query" | "/headers";
}

/** Parses one part; null and more faults in the list when it breaks its schema. */
function parse<Schema extends z.ZodType>(
  { schema, base }: Part<Schema>,
  input: unknown,
  faults: Fault[],
): z.output<Schema> | null {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  for (const fault of faultsOf(parsed.error, input)) {
    faults.push({ ...fault, pointer: base + fault.pointer });
  }
  return null;
}

/** Reads the declared headers; others are nobody's business. */
function headersOf(context: RestContext, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = context.req.header(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Scheme, host and port of an absolute URL as the platform gives it; to parse it again costs microseconds. */
function originOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("://") + "://".length);
  return path < 0 ? url : url.slice(0, path);
}

function principalOf(context: RestContext): Principal {
  return context.get("principal") ?? NOBODY;
}

function bodyOf(context: RestContext): ReturnType<typeof parseBody> {
  return parseBody(context.get("bytes"), {
    type: context.req.header("Content-Type"),
    encoding: context.req.header("Content-Encoding"),
  });
}

function noteChecked(
  context: RestContext,
  checks: readonly Check[],
  { body, us }: { body: unknown; us: number },
): void {
  context.set("checked", { checks, duration_us: Math.round(us), body });
}

/** What had been checked when a body was refused before its schema was asked. */
function checksBefore(code: RefusalCode): readonly Check[] {
  if (code === "unsupported_media_type") return ["size", "content_type"];
  const isUnread = code === "malformed_json" || code === "body_too_large";
  return isUnread
    ? ["size", "content_type", "json"]
    : ["size", "content_type", "json", "complexity"];
}

/** What is checked of a message that gets as far as its schemas. */
function checksOf(schemas: InputSchemas): readonly Check[] {
  const ofBody: readonly Check[] = ["content_type", "json", "complexity"];
  return [
    "size",
    ...(schemas.body === undefined ? [] : ofBody),
    ...(schemas.params === undefined ? [] : (["path"] as const)),
    // One that is not declared is refused too.
    "query",
    ...(schemas.headers === undefined ? [] : (["headers"] as const)),
    ...(schemas.body === undefined ? [] : (["body"] as const)),
  ];
}

/**
 * The last check of form: content type, JSON, complexity, then the schemas of path, query, headers
 * and body, all of them, so that one answer lists every fault.
 *
 * A fault in the path, the query or a header has a pointer that begins with `/path`, `/query` or
 * `/headers`; one in the body points into the body.
 */
export function validate(
  schemas: InputSchemas,
  ports: {
    validations: Pick<RestPorts["validations"], "micros">;
    keys: Pick<RestPorts["keys"], "principalOf">;
  },
): MiddlewareHandler<RestEnv> {
  const none: z.ZodObject = z.strictObject({});
  const params = { schema: schemas.params ?? none, base: "/path" } as const;
  const query = { schema: schemas.query ?? none, base: "/query" } as const;
  const headers = { schema: schemas.headers ?? none, base: "/headers" } as const;
  const headerNames = Object.keys(headers.schema.shape);
  const body = schemas.body === undefined ? null : ({ schema: schemas.body, base: "" } as const);
  const reads = {
    query: kindOf(query.schema),
    body: body === null ? undefined : kindOf(body.schema),
    deprecated: schemas.deprecated,
  };
  const checks = checksOf(schemas);
  const { validations, keys } = ports;

  return async (context, next) => {
    const { req } = context;
    const startedAt = validations.micros();
    const sent = body === null ? null : await bodyOf(context);
    const note = (done: readonly Check[], value?: unknown): void =>
      noteChecked(context, done, { body: value, us: validations.micros() - startedAt });
    if (sent?.ok === false) {
      note(checksBefore(sent.refusal.code));
      return answerRefusal(context, sent.refusal);
    }

    const { traceId, spanId, parentId, receivedAt } = context.get("trace");
    const newest = newestInput(context, reads, { query: queryOf(req.url), body: sent?.value });
    const { faults, version } = newest;
    const request = {
      principal: principalOf(context),
      // A part that is null here has left faults, and the request ends below.
      params: parse(params, req.param(), faults) ?? {},
      query: parse(query, newest.query, faults) ?? {},
      headers: parse(headers, headersOf(context, headerNames), faults) ?? {},
      body: body === null ? undefined : parse(body, newest.body, faults),
      sentBody: newest.body,
      traceId,
      hop: { span_id: spanId, parent_id: parentId, received_at: receivedAt },
      origin: originOf(req.url),
      isHead: req.method === "HEAD",
      requestId: context.get("requestId"),
      version,
      isStillGood: stillGoodBy(keys, req.header("Authorization")),
    };
    note(checks, sent?.value);
    if (faults.length > 0) return answerRefusal(context, faultsRefusal(faults));
    context.set("request", request);
    return next();
  };
}
