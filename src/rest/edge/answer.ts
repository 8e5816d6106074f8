import type { Handler } from "hono";
import * as z from "zod";

import type { Log } from "../../lib/log.ts";
import { placesOf } from "../../protocol/declared-names.ts";
import { REFUSAL_CODES, type Refusal } from "../../protocol/refusal.ts";
import type { Check, ValidationRecord } from "../../protocol/validation-record.ts";
import type { RestPorts } from "../ports.ts";
import type { Reply, RestContext, RestEnv, Route } from "../route.ts";
import { performer } from "./audit.ts";
import { answerRefusal } from "./problems.ts";

/** Where something broke its declaration, and how. Places only, never values. */
type Places = ValidationRecord["errors"];

/** A refusal as rooms give it: it comes out of objects as unparsed data. */
const refusalSchema = z.object({
  code: z.enum(REFUSAL_CODES),
  detail: z.string(),
  errors: z
    .array(
      z.strictObject({
        pointer: z.string(),
        code: z.string(),
        detail: z.string(),
        expected: z.string().optional(),
        received: z.string().optional(),
      }),
    )
    .optional(),
  extra: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
});

/** Where a value breaks its schema; null when it keeps it. */
function faultOf(schema: z.ZodType, value: unknown): Places | null {
  const parsed = schema.safeParse(value);
  return parsed.success ? null : placesOf(schema, parsed.error);
}

/** Where a reply breaks its declaration, or null when it keeps it. */
function faultOfReply(route: Pick<Route, "answers">, reply: Reply): Places | null {
  const shape = route.answers[reply.status];
  if (shape === undefined) return [{ pointer: "/", code: `undeclared_status_${reply.status}` }];
  if (reply.connect !== undefined) {
    return reply.status === 101 ? null : [{ pointer: "/", code: "undeclared_socket" }];
  }
  if (reply.stream !== undefined && shape.streamType !== undefined) return null;
  if (shape.schema === null) {
    return reply.body === undefined ? null : [{ pointer: "/", code: "undeclared_body" }];
  }
  return faultOf(shape.schema, reply.body);
}

function respond(route: Pick<Route, "answers">, reply: Reply): Response {
  const shape = route.answers[reply.status];
  const streamType = reply.stream === undefined ? undefined : shape?.streamType;
  const mediaType = streamType ?? shape?.mediaType ?? null;
  return new Response(reply.stream ?? (mediaType === null ? null : JSON.stringify(reply.body)), {
    status: reply.status,
    headers: { ...(mediaType !== null && { "Content-Type": mediaType }), ...reply.headers },
  });
}

/** Whatever must never leave is replaced by an answer that says nothing, and by a loud log line; its record alerts. */
function withhold(context: RestContext, log: Log, places: Places): Response {
  context.set("withheld", places);
  log("error", "answer_invalid", {
    route: context.get("route"),
    request_id: context.get("requestId"),
    paths: places.map(({ pointer, code }) => `${pointer} ${code}`).join(", "),
  });
  return answerRefusal(context, {
    code: "internal_error",
    detail: "the answer broke its own contract and was withheld; quote the request_id",
  });
}

/**
 * A refusal of a room in terms of the request: what a route without a body was told wrongly, it was
 * told in its query.
 */
function placed(refusal: Refusal, hasBody: boolean): Refusal {
  if (hasBody || refusal.errors === undefined) return refusal;
  const errors = refusal.errors.map((fault) => ({ ...fault, pointer: `/query${fault.pointer}` }));
  return { ...refusal, errors };
}

/** Adds to what has been checked of the message. */
function noteChecks(context: RestContext, more: readonly Check[]): void {
  const checked = context.get("checked");
  if (checked === undefined) return;
  context.set("checked", { ...checked, checks: [...checked.checks, ...more] });
}

/**
 * Runs a route's handler and answers with what it says: a reply that keeps its declared shape, or a
 * problem. A reply that breaks it does not leave (requirements.md row 115).
 */
export function answer(
  route: Pick<Route, "answers" | "handle" | "method" | "body" | "audit">,
  ports: RestPorts,
): Handler<RestEnv> {
  const perform = performer(route, ports);
  const hasBody = route.body !== undefined;
  return async (context) => {
    const outcome = await perform(context);
    noteChecks(context, outcome.ok ? ["meaning", "output"] : ["meaning"]);
    if (!outcome.ok) {
      const fault = faultOf(refusalSchema, outcome.refusal);
      if (fault !== null) return withhold(context, ports.log, fault);
      return answerRefusal(context, placed(outcome.refusal, hasBody));
    }
    const fault = faultOfReply(route, outcome.value);
    if (fault !== null) return withhold(context, ports.log, fault);
    const { connect } = outcome.value;
    if (connect === undefined) return respond(route, outcome.value);
    const { socket, response } = ports.openSocket();
    connect(socket, (work) => context.executionCtx.waitUntil(work));
    return response;
  };
}
