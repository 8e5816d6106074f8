import { vi } from "vitest";
import { z } from "zod";

import { problemSchema, type Problem } from "../../../src/protocol/problem.ts";
import { ROUTES } from "../../../src/rest/app.ts";
import { openApiDocument } from "../../../src/rest/openapi.ts";
import type { Route } from "../../../src/rest/route.ts";
import { readPrometheus } from "../../prometheus-text.ts";
import { PLANTED } from "./hostile.ts";
import type { World } from "./world.ts";

/* What must be true of every answer, whatever was asked. */

/** What came back. `text` is empty where the body is a stream that goes on. */
export interface Outcome {
  status: number;
  headers: Headers;
  text: string;
  path: string;
}

/** Routes whose answers show a secret to whom it was made for (protocol.md §4). */
const SHOWING = new Set([
  "put_agent",
  "rotate_agent_secret",
  "claim_tasks",
  "beat_heart",
  "notify",
  "end_task",
  "create_webhook",
  "rotate_webhook_secret",
  "get_callback_secret",
  "rotate_callback_secret",
  "create_key",
]);

/** Refusals that stand for any route: nobody asked for a limit, or for an address that is not there. */
const OF_NO_ROUTE: ReadonlySet<string> = new Set([
  "rate_limited",
  "temporarily_blocked",
  "not_found",
  "method_not_allowed",
]);

/** What only the inside of a program says. */
const INNARDS =
  /\.(?:ts|js|mjs):\d+|SQLITE|D1_ERROR|no such (?:table|column)|UNIQUE constraint|(?:Type|Range|Reference|Syntax)Error\b|node_modules|\bat (?:async )?\w+ \(|Durable Object|\[object /;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const TRACE = /^00-[0-9a-f]{32}-[0-9a-f]{16}-/;
const WORD = /[A-Za-z0-9_+/=-]{16,}/g;

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        responses: z.record(z.string(), z.object({ description: z.string().optional() })),
      }),
    ),
  ),
});

/** For each operation what the document says of its refusals, by status. */
const DECLARED = new Map(
  Object.values(documentSchema.parse(openApiDocument(ROUTES)).paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId, responses }) => [operationId, responses] as const),
);

/** The first of the secrets that a text contains as a word of its own. */
function secretIn(text: string, secrets: ReadonlySet<string>): string | undefined {
  return text.match(WORD)?.find((word) => secrets.has(word));
}

/** Everything that the Worker has logged since the watch began. */
export class LogWatch {
  readonly lines: string[] = [];

  constructor() {
    for (const method of ["debug", "log", "info", "warn", "error"] as const) {
      vi.spyOn(console, method).mockImplementation((...said: unknown[]) => {
        this.lines.push(said.map(String).join(" "));
      });
    }
  }

  /** The last that went wrong, for whoever reads why a test failed. */
  get lastError(): string {
    return this.lines.findLast((line) => line.includes('"level":"error"')) ?? "nothing";
  }

  /** Lines with a secret in them. */
  leaks(secrets: ReadonlySet<string>): string[] {
    return this.lines.filter(
      (line) => line.includes(PLANTED) || secretIn(line, secrets) !== undefined,
    );
  }
}

/** Adds what a showing answer has shown. */
function learn(value: unknown, world: World): void {
  if (value === null || typeof value !== "object") return;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === "string" && /^(?:secret|key|token)$/.test(name) && inner.length >= 20) {
      world.keep(inner);
    }
    learn(inner, world);
  }
}

type Rule<Subject> = readonly [fault: string, isBroken: (subject: Subject) => boolean];

/** The first rule that is broken. */
const brokenOf = <Subject>(rules: readonly Rule<Subject>[], subject: Subject): string | null =>
  rules.find(([, isBroken]) => isBroken(subject))?.[0] ?? null;

interface Refused extends Outcome {
  problem: Problem;
  /** What the problem says beyond the asker's own words: the address, and the id by which it knows what this answers. */
  rest: string;
}

const OF_PROBLEMS: readonly Rule<Refused>[] = [
  ["it says another status", ({ problem, status }) => problem.status !== status],
  [
    "it has another id",
    ({ problem, headers }) => problem.request_id !== headers.get("x-request-id"),
  ],
  ["it repeats a secret", ({ rest }) => rest.includes(PLANTED)],
  ["it shows the inside", ({ rest }) => INNARDS.test(rest)],
];

function faultOfProblem(outcome: Outcome, route: Route | null): string | null {
  const { status, text, path } = outcome;
  // An answer to HEAD.
  if (text === "") return null;
  const parsed = problemSchema.safeParse(JSON.parse(text));
  if (!parsed.success) return `it is no problem: ${parsed.error.message}`;
  const { code, request_id, instance } = parsed.data;
  const rest = text
    .replace(JSON.stringify(instance), "")
    .replaceAll(path, "")
    .replace(request_id, "");
  const broken = brokenOf(OF_PROBLEMS, { ...outcome, problem: parsed.data, rest });
  if (broken !== null || route === null || OF_NO_ROUTE.has(code)) return broken;
  const said = DECLARED.get(route.id)?.[status]?.description ?? "";
  return said.split(", ").includes(code) ? null : `${code} is not declared for ${route.id}`;
}

/** An answer that is no JSON is one to Prometheus. */
function faultOfFigures(text: string): string | null {
  try {
    // An answer to HEAD has no text.
    if (text !== "") readPrometheus(text);
    return null;
  } catch (error) {
    return `it breaks the text format: ${String(error)}`;
  }
}

function faultOfAnswer({ status, headers, text }: Outcome, route: Route): string | null {
  const shape = route.answers[status];
  if (shape === undefined) return "the status is not declared";
  const type = headers.get("content-type");
  if (type === shape.streamType || shape.mediaType === "text/event-stream") return null;
  if (shape.schema === null && shape.mediaType !== null) return faultOfFigures(text);
  if (shape.schema === null) return text === "" ? null : "there is a body";
  if (type !== shape.mediaType) return `it is ${type}`;
  const parsed = shape.schema.safeParse(JSON.parse(text));
  return parsed.success ? null : `it breaks its schema: ${parsed.error.message}`;
}

interface Judged extends Outcome {
  route: Route | null;
  secrets: ReadonlySet<string>;
}

const isShowing = ({ status, route }: Judged): boolean =>
  status < 300 && route !== null && SHOWING.has(route.id);

const isDeclared = ({ status, route }: Judged): boolean =>
  DECLARED.get(route?.id ?? "")?.[status] !== undefined;

const OF_ALL: readonly Rule<Judged>[] = [
  // A part that cannot be reached may be declared; what is broken may not.
  ["the server broke", (all) => all.status >= 500 && !(all.status === 503 && isDeclared(all))],
  ["no request id", ({ headers }) => !REQUEST_ID.test(headers.get("x-request-id") ?? "")],
  ["no trace", ({ headers }) => !TRACE.test(headers.get("traceparent") ?? "")],
  ["a header was injected", ({ headers }) => headers.has("x-injected")],
  [
    "it tells a secret",
    (all) =>
      !isShowing(all) && secretIn(all.text.replaceAll(all.path, ""), all.secrets) !== undefined,
  ],
];

function faultOf(outcome: Outcome, route: Route | null, world: World): string | null {
  const judged = { ...outcome, route, secrets: world.secrets };
  if (isShowing(judged) && outcome.text !== "") learn(JSON.parse(outcome.text), world);
  const broken = brokenOf(OF_ALL, judged);
  if (broken !== null) return broken;
  if (outcome.headers.get("content-type") === "application/problem+json") {
    return faultOfProblem(outcome, route);
  }
  if (route !== null) return faultOfAnswer(outcome, route);
  return outcome.status < 400 ? null : "a refusal that is no problem";
}

/**
 * Checks an answer of a route, or of no route.
 *
 * @throws with what is wrong, the answer and the last error of the log
 */
export function judge(
  outcome: Outcome,
  { route, world, log }: { route: Route | null; world: World; log: LogWatch },
): void {
  const fault = faultOf(outcome, route, world);
  if (fault === null) return;
  throw new Error(
    `${fault}: ${outcome.status} ${outcome.text.slice(0, 600)}\nlog: ${log.lastError.slice(0, 1_500)}`,
  );
}
