import type { MiddlewareHandler } from "hono";
import type * as z from "zod";

import type { Fault } from "../../protocol/refusal.ts";
import { numbersOf, UPGRADER } from "../../protocol/upgrader.ts";
import type { Notice } from "../../protocol/upgrader.ts";
import { VERSION_HEADER } from "../../protocol/versions.ts";
import type { RestContext, RestEnv } from "../route.ts";

/** Where the notices of deprecation are explained. */
const NOTICE_LINK = '</v1/versions>; rel="deprecation"';

/** The middle of the night, UTC, in which a day begins. Milliseconds. */
const beginOf = (date: string): number => Date.parse(`${date}T00:00:00Z`);

/**
 * The headers of a deprecation: since when (RFC 9745 §2), until when at least where that is set (RFC 8594 §3), and
 * where to read more. Of several notices the earliest dates count.
 */
export function noticeHeaders(notices: readonly Notice[]): Record<string, string> {
  const [since] = notices.map(({ deprecated_since }) => deprecated_since).toSorted();
  if (since === undefined) return {};
  const [until] = notices.flatMap(({ sunset }) => sunset ?? []).toSorted();
  return {
    Deprecation: `@${beginOf(since) / 1_000}`,
    ...(until !== undefined && { Sunset: new Date(beginOf(until)).toUTCString() }),
    Link: NOTICE_LINK,
  };
}

/** Tells the version on every answer, whatever it is, and what of the request is deprecated. */
export function stampVersion(): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    await next();
    const { headers } = context.res;
    headers.set(VERSION_HEADER, UPGRADER.current);
    for (const [name, value] of Object.entries(noticeHeaders(context.get("notices") ?? []))) {
      headers.append(name, value);
    }
  };
}

/** What is wrong with the version that the header says; null when it is one that is read here, or is not there. */
function faultOfHeader(asked: string | undefined, field: unknown): Fault | null {
  if (asked === undefined) return null;
  const pointer = `/headers/${VERSION_HEADER}`;
  const numbers = numbersOf(asked);
  if (numbers === null) {
    // Not shown: what is no version may be anything, even a key in the wrong header.
    const detail = `must be a version such as ${UPGRADER.current}`;
    return { pointer, code: "invalid_format", detail, received: typeof asked };
  }
  const fault = { pointer, received: asked };
  if (UPGRADER.known(asked) === null) {
    const detail = `unsupported version; supported: ${UPGRADER.supported.join(", ")}`;
    return { ...fault, code: "unsupported_version", detail };
  }
  const own = typeof field === "string" ? numbersOf(field) : null;
  if (own === null || (own.major === numbers.major && own.minor === numbers.minor)) return null;
  const detail = `contradicts the body's schema_version ${String(field)}: send one of them, or the same in both`;
  return { ...fault, code: "contradiction", detail };
}

function versionIn(body: unknown): unknown {
  const isMessage = body !== null && typeof body === "object" && "schema_version" in body;
  return isMessage ? body.schema_version : undefined;
}

/** The kind of message that a schema reads: its id. */
export function kindOf(schema: z.ZodType): string | undefined {
  return schema.meta()?.id;
}

/** A request in the newest form, before any schema has seen it. */
export interface NewestInput {
  /** What the header says, as one of the known versions. */
  version: string | null;
  query: unknown;
  body: unknown;
  faults: Fault[];
}

/**
 * Lifts a request's query and body to the newest version, by the body's `schema_version` or else by the header, and
 * keeps for the answer and the log what is deprecated of them.
 *
 * @param reads the kinds that the route's schemas read, and whether the route itself is deprecated
 */
export function newestInput(
  context: RestContext,
  reads: { query: string | undefined; body: string | undefined; deprecated?: Notice | undefined },
  sent: { query: unknown; body: unknown },
): NewestInput {
  const asked = context.req.header(VERSION_HEADER);
  const field = versionIn(sent.body);
  const fault = faultOfHeader(asked, field);
  const version = asked === undefined ? null : UPGRADER.known(asked);
  const ofBody = typeof field === "string" ? UPGRADER.known(field) : null;
  const query = UPGRADER.upgrade(reads.query, sent.query, version ?? ofBody);
  const body = UPGRADER.upgrade(reads.body, sent.body, version);
  const ofRoute = reads.deprecated === undefined ? [] : [reads.deprecated];
  const notices = [...ofRoute, ...query.notices, ...body.notices];
  if (notices.length > 0) {
    const texts = new Set(notices.map(({ text }) => text));
    context.set("notices", notices);
    context.set("warnings", [...(context.get("warnings") ?? []), ...texts]);
  }
  const faults = fault === null ? [] : [fault];
  return { version, query: query.message, body: body.message, faults };
}
