import type { Context } from "hono";
import * as z from "zod";

import { ok } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Scope } from "../protocol/enums.ts";
import type { OperationClass } from "../protocol/limits.ts";
import { schemaVersionSchema } from "../protocol/primitives.ts";
import type { Refusal, RefusalCode } from "../protocol/refusal.ts";
import type { Hop } from "../protocol/span-names.ts";
import type { Notice } from "../protocol/upgrader.ts";
import type { Check, ValidationRecord } from "../protocol/validation-record.ts";
import type { Audited } from "./audit-rule.ts";
import type { Trace } from "./edge/correlation.ts";
import type { Verdict } from "./edge/validation-log.ts";
import type { ChannelSocket } from "./executor-ports.ts";
import type { RestPorts } from "./ports.ts";

/* The shape of a route. One table of them mounts the handlers and makes the OpenAPI document. */

/** What a handler gets once every check of the edge has passed. */
interface RouteRequest<Params, Query, Headers, Body> {
  /** Who asks; nobody on a route without scopes. */
  principal: Principal;
  params: Params;
  query: Query;
  /** The headers that the route declares, by the names it declares. */
  headers: Headers;
  body: Body;
  /** The body as it was sent, in the newest form of its version, before defaults were filled in. */
  sentBody: unknown;
  traceId: string;
  /** This request as a span of the trace. */
  hop: Hop;
  /** Scheme, host and port by which the request came. */
  origin: string;
  isHead: boolean;
  /** Names this request in the log and in problems. */
  requestId: string;
  /** The known version that the header says; null where it says none. */
  version: string | null;
  /** Whether the key it was sent with still opens doors, for what goes on after the answer. Never fails. */
  isStillGood: () => Promise<boolean>;
}

/** Has the invocation live on until something is done, though its connection is gone. */
export type KeepAlive = (work: Promise<unknown>) => void;

/** What a handler answers. `body` is checked against the declared answer of its status. */
export interface Reply {
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Goes on as a WebSocket: called with our end of it once that is open. */
  connect?: (socket: ChannelSocket, keepAlive: KeepAlive) => void;
  /** Takes the place of `body` where the answer is not one JSON value; of the declared `streamType`, if there is one. */
  stream?: ReadableStream<Uint8Array>;
}

/** A declared answer: its shape, or null when it has no JSON body. */
export interface AnswerShape {
  description: string;
  schema: z.ZodType | null;
  mediaType: string | null;
  /** Media type of a stream that may be sent in place of the JSON body. */
  streamType?: string;
}

/** What all routes declare; `handle` sees parsed input only. */
interface RouteParts<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Body extends z.ZodType,
> {
  /** Name of the operation, unique in the API. */
  id: string;
  /** In Hono's notation: `/v1/tasks/:task_id`. */
  path: string;
  tag:
    | "Tasks"
    | "Batches"
    | "Requests"
    | "Escalations"
    | "Executors"
    | "Models"
    | "Webhooks"
    | "Alerts"
    | "Operations"
    | "Documentation";
  summary: string;
  description?: string;
  /** Which budget of requests it draws on, where that is not the one that `classOf` gives. */
  operation?: OperationClass;
  /** What every caller is told who still uses it; `text` names what takes its place. */
  deprecated?: Notice;
  /** Any one of them is enough, and `admin` always is; null where no key is needed. */
  scopes: readonly Scope[] | null;
  /** Whether a signature of the agent that the message is from may take the place of a key. */
  isSignable?: boolean;
  /**
   * Whether a public read token of the task in its path may take the place of a key. Its path has a `:task_id`, and its
   * query has what `publicQuery` has.
   */
  isPublicReadable?: boolean;
  params?: Params;
  query?: Query;
  headers?: Headers;
  body?: Body;
  answers: Readonly<Record<number, AnswerShape>>;
  /** Refusals by meaning; those of the edge follow from the rest of the declaration. */
  refusals?: readonly RefusalCode[];
  handle(
    ports: RestPorts,
    request: RouteRequest<z.output<Params>, z.output<Query>, z.output<Headers>, z.output<Body>>,
  ): Promise<Result<Reply, Refusal>>;
}

/** A route as declared. */
export type RouteSpec<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Body extends z.ZodType,
> = RouteParts<Params, Query, Headers, Body> &
  Audited<RouteRequest<z.output<Params>, z.output<Query>, z.output<Headers>, z.output<Body>>>;

/** A route with its types forgotten, as the table holds it. */
export type Route = RouteSpec<z.ZodObject, z.ZodObject, z.ZodObject, z.ZodType>;

type None = z.ZodObject<Record<never, never>>;

/** Declares a route. It does nothing but infer what the handler gets. */
export function route<
  Params extends z.ZodObject = None,
  Query extends z.ZodObject = None,
  Headers extends z.ZodObject = None,
  Body extends z.ZodType = z.ZodUndefined,
>(spec: RouteSpec<Params, Query, Headers, Body>): Route {
  return spec;
}

/** Declares an answer with a JSON body. */
export function json(
  schema: z.ZodType,
  description: string,
  mediaType = "application/json",
): AnswerShape {
  return { schema, description, mediaType };
}

/** Declares an answer without a body. */
export function empty(description: string): AnswerShape {
  return { schema: null, description, mediaType: null };
}

/** The reply to a submission: 202 with its address when it is new, 200 when the same had come before. */
export function submissionReply(isNew: boolean, body: unknown, address: string): Reply {
  return {
    status: isNew ? 202 : 200,
    body,
    headers: { Location: address, ...(!isNew && { "Idempotency-Replayed": "true" }) },
  };
}

/** The reply to an outcome: what `form` makes of its value, or its refusal as it is. */
export function replyWith<Value>(
  outcome: Result<Value, Refusal>,
  form: (value: Value) => Reply,
): Result<Reply, Refusal> {
  return outcome.ok ? ok(form(outcome.value)) : outcome;
}

/**
 * An id in a path: anything that could be one. Whether it exists is a question of meaning, so a
 * made-up id is answered with 404 and not with a lesson in spelling.
 */
export const pathIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:@~-]{1,300}$/, "must be 1-300 characters of A-Z a-z 0-9 _ . : @ ~ -");

/** 1-255 visible ASCII characters, as the widely used draft of the header has it. */
export const idempotencyHeaders = z.strictObject({
  "Idempotency-Key": z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "must be 1-255 visible ASCII characters")
    .optional()
    .meta({ description: "Makes a repeated submission answer with what the first one has made." }),
});

/** Whether the token is the right one is a question of meaning; here it only has to be a header value. */
export const leaseHeaders = z.strictObject({
  "Lease-Token": z
    .string()
    .regex(/^[\x21-\x7e]{1,500}$/, "must be the token of a lease")
    .optional()
    .meta({ description: "The token that came with the lease." }),
});

/** What the query of a public-readable route has besides its own: what it is worth is judged before all else. */
export const publicQuery = {
  access_token: z
    .string()
    .optional()
    .meta({ description: "A public read token of this task, in place of a key." }),
};

/** The body of a call that says everything by its address. */
export const emptyBodySchema = z
  .strictObject({ schema_version: schemaVersionSchema })
  .meta({ id: "Empty", title: "Nothing more to say" });

/** What has been checked of a message. */
interface Checked {
  checks: readonly Check[];
  /** Microseconds of the checks of form. */
  duration_us: number;
  /** The body as it was sent, where it could be read. */
  body: unknown;
}

/** What the edge knows of a request while it passes. */
export interface RestEnv {
  Variables: {
    requestId: string;
    trace: Trace;
    /** The pattern that matched, never the raw path: labels must stay few. */
    route: string;
    principal: Principal;
    bytes: Uint8Array;
    request: Parameters<Route["handle"]>[1];
    /** What of the request is deprecated, where anything is. */
    notices?: Notice[];
    /** What was understood and should be sent otherwise, in words, for the record of the request. */
    warnings?: string[];
    /** Under what the caller's address is counted. */
    address: string;
    /** Who asks, where that is known before the key is looked at: by memory alone. */
    remembered: Principal;
    /** What has been judged of the message so far; absent while nothing is. */
    checked: Checked;
    /** What was wrong with it, as it was answered. */
    refusal: Refusal;
    /** Where the answer broke its schema, so that it did not leave. */
    withheld: ValidationRecord["errors"];
    verdict: Verdict;
  };
}

/** A request on its way through this face. */
export type RestContext = Context<RestEnv>;
