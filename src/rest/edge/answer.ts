import type { Handler } from "hono";

import type { Log } from "../../lib/log.ts";
import { pointerOf } from "../../protocol/faults.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { RestPorts } from "../ports.ts";
import type { Reply, RestContext, RestEnv, Route } from "../route.ts";
import { performer } from "./audit.ts";
import { answerRefusal } from "./problems.ts";

/** A log names at most so many faulty places of an answer. */
const SHOWN_PATHS = 10;

/** Where a reply breaks its declaration, or null when it keeps it. Places only, never values. */
function faultOfReply(route: Pick<Route, "answers">, reply: Reply): string | null {
  const shape = route.answers[reply.status];
  if (shape === undefined) return `undeclared status ${reply.status}`;
  if (reply.connect !== undefined) return reply.status === 101 ? null : "undeclared socket";
  if (reply.stream !== undefined && shape.streamType !== undefined) return null;
  if (shape.schema === null) return reply.body === undefined ? null : "undeclared body";
  const parsed = shape.schema.safeParse(reply.body);
  if (parsed.success) return null;
  return parsed.error.issues
    .slice(0, SHOWN_PATHS)
    .map((issue) => `${pointerOf(issue.path) || "/"} ${issue.code}`)
    .join(", ");
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

/** Whatever must never leave is replaced by an answer that says nothing, and by a loud log line. */
function withhold(context: RestContext, log: Log, paths: string): Response {
  log("error", "answer_invalid", {
    route: context.get("route"),
    request_id: context.get("requestId"),
    paths,
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

/**
 * Runs a route's handler and answers with what it says: a reply that keeps its declared shape, or a
 * problem. A reply that breaks it does not leave (requirements.md row 115).
 */
export function answer(
  route: Pick<Route, "answers" | "handle" | "body" | "audit">,
  ports: RestPorts,
): Handler<RestEnv> {
  const perform = performer(route, ports);
  const hasBody = route.body !== undefined;
  return async (context) => {
    const outcome = await perform(context);
    if (!outcome.ok) return answerRefusal(context, placed(outcome.refusal, hasBody));
    const fault = faultOfReply(route, outcome.value);
    if (fault !== null) return withhold(context, ports.log, fault);
    const { connect } = outcome.value;
    if (connect === undefined) return respond(route, outcome.value);
    const { socket, response } = ports.openSocket();
    connect(socket, (work) => context.executionCtx.waitUntil(work));
    return response;
  };
}
