import * as z from "zod";

import { ok } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { commandEntrySchema, commandRequestSchema, commandViewSchema } from "../protocol/agent.ts";
import { taskIdSchema } from "../protocol/primitives.ts";
import {
  eventsQuerySchema,
  pageOf,
  statusRequestSchema,
  streamQuerySchema,
} from "../protocol/queries.ts";
import { taskExecutionSchema } from "../protocol/task-execution.ts";
import {
  explanationSchema,
  reportSchema,
  taskEventSchema,
  taskViewSchema,
} from "../protocol/task-view.ts";
import { answered } from "./audit-rule.ts";
import {
  emptyBodySchema,
  empty,
  idempotencyHeaders,
  json,
  publicQuery,
  replyWith,
  route,
  submissionReply,
} from "./route.ts";
import type { Route } from "./route.ts";
import { eventStream } from "./stream.ts";
import { outflowOf } from "./withheld.ts";

const taskParams = z.strictObject({ task_id: taskIdSchema });

/** What EventSource sends when it connects again. */
const resumeHeaders = z.strictObject({
  "Last-Event-ID": z
    .string()
    .regex(/^\d{1,15}$/, "must be the seq of an event")
    .transform(Number)
    .pipe(z.int())
    .optional()
    .meta({ description: "The last seq that arrived; wins over `after`." }),
});

/** How long a stream may go on, milliseconds: that of a public token no longer than the token. */
function lastsFor({ public_task }: Principal, now: number): number | undefined {
  return public_task === undefined ? undefined : Math.max(0, public_task.expires_at - now);
}

const READERS = ["orchestrate", "execute", "observe"] as const;

const submission: readonly Route[] = [
  route({
    id: "submit_task",
    method: "POST",
    path: "/v1/tasks",
    tag: "Tasks",
    summary: "Submit a task",
    description:
      "Answers at once. The same Idempotency-Key or task_id with the same body gives the existing task.",
    audit: "kept by the task's own log",
    scopes: ["orchestrate"],
    headers: idempotencyHeaders,
    body: taskExecutionSchema,
    answers: {
      202: json(taskViewSchema, "Accepted; `Location` is the task's address"),
      200: json(taskViewSchema, "Submitted before; `Idempotency-Replayed` is true"),
    },
    refusals: [
      "idempotency_conflict",
      "endpoint_refused",
      "dependency_not_found",
      "dependency_cycle",
      "parent_refused",
      "budget_exceeded",
      "task_ended",
    ],
    async handle({ tasks }, { principal, body, headers, sentBody, traceId, hop, origin }) {
      const idempotencyKey = headers["Idempotency-Key"] ?? null;
      const submitted = await tasks.submit(principal, body, {
        body: sentBody,
        idempotencyKey,
        traceId,
        hop,
        origin,
      });
      return replyWith(submitted, ({ view, isNew }) =>
        submissionReply(isNew, view, `/v1/tasks/${view.task_id}`),
      );
    },
  }),
  route({
    id: "command_task",
    method: "POST",
    path: "/v1/tasks/:task_id/commands",
    tag: "Tasks",
    summary: "Give a task a command",
    audit: {
      action: "command_given",
      kind: "task",
      subject: (request) => request.params.task_id,
      detail: ({ body }, reply) => ({
        command: body.command,
        command_id: answered(reply, "command_id"),
        reason: body.reason ?? null,
        priority: body.priority ?? null,
        grant: body.grant ?? null,
        patched_fields: Object.keys(body.patch ?? {}),
      }),
    },
    scopes: ["orchestrate"],
    params: taskParams,
    body: commandRequestSchema,
    answers: { 202: json(commandViewSchema, "The command and how far it has come") },
    refusals: ["task_not_found", "task_gone", "task_ended", "command_refused", "patch_rejected"],
    async handle({ tasks }, { principal, params, body }) {
      const command = await tasks.command(principal, params.task_id, body);
      return replyWith(command, (view) => ({ status: 202, body: view }));
    },
  }),
  route({
    id: "list_task_commands",
    method: "GET",
    path: "/v1/tasks/:task_id/commands",
    tag: "Tasks",
    summary: "Commands of a task: who gave them, why, and what came of them",
    description: "In the order in which they were given; a task remembers its last 200.",
    scopes: READERS,
    params: taskParams,
    answers: { 200: json(pageOf(commandEntrySchema, "CommandPage"), "All of them on one page") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ tasks }, { principal, params }) {
      const commands = await tasks.commands(principal, params.task_id);
      return replyWith(commands, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "rebuild_task",
    method: "POST",
    path: "/v1/tasks/:task_id/rebuild",
    tag: "Operations",
    summary: "Send the whole log of a task to history again",
    audit: {
      action: "task_rebuilt",
      kind: "task",
      subject: (request) => request.params.task_id,
    },
    scopes: ["admin"],
    params: taskParams,
    body: emptyBodySchema,
    answers: { 202: json(z.strictObject({ seq: z.int() }), "The last seq that was sent") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ tasks }, { principal, params }) {
      const rebuilt = await tasks.rebuild(principal, params.task_id);
      return replyWith(rebuilt, ({ seq }) => ({ status: 202, body: { seq } }));
    },
  }),
];

const reading: readonly Route[] = [
  route({
    id: "get_task",
    method: "GET",
    path: "/v1/tasks/:task_id",
    tag: "Tasks",
    summary: "The authoritative view of a task",
    scopes: READERS,
    isPublicReadable: true,
    params: taskParams,
    query: z.strictObject(publicQuery),
    answers: { 200: json(taskViewSchema, "The task") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ tasks }, { principal, params }) {
      const task = await tasks.view(principal, params.task_id);
      return replyWith(task, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "list_tasks",
    method: "GET",
    path: "/v1/tasks",
    tag: "Tasks",
    summary: "Tasks from history, newest first",
    description: "A page may be short although more follow: go on while `next_cursor` is not null.",
    scopes: ["orchestrate", "observe"],
    query: statusRequestSchema,
    answers: { 200: json(pageOf(taskViewSchema, "TaskPage"), "A page of tasks") },
    async handle({ tasks }, { principal, query }) {
      const page = await tasks.list(principal.tenant, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "list_task_events",
    method: "GET",
    path: "/v1/tasks/:task_id/events",
    tag: "Tasks",
    summary: "The log of a task, in order",
    scopes: READERS,
    isPublicReadable: true,
    params: taskParams,
    query: eventsQuerySchema.extend(publicQuery),
    answers: { 200: json(pageOf(taskEventSchema, "EventPage"), "A page of events") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ tasks }, { principal, params, query }) {
      const page = await tasks.events(principal, params.task_id, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "stream_task_events",
    method: "GET",
    path: "/v1/tasks/:task_id/stream",
    tag: "Tasks",
    summary: "The log of a task as it grows (server-sent events)",
    description:
      "`id` is the seq, `event` the type, `data` the event. Resumes after `Last-Event-ID` or `after`; ends when the task has ended, and every ten minutes, to be resumed.",
    scopes: READERS,
    isPublicReadable: true,
    params: taskParams,
    query: streamQuerySchema.extend(publicQuery),
    headers: resumeHeaders,
    answers: {
      200: { schema: null, description: "The stream", mediaType: "text/event-stream" },
      204: empty("The task has ended and all of it was seen: do not connect again"),
    },
    refusals: ["task_not_found", "task_gone"],
    async handle(ports, { principal, params, query, headers, isHead, requestId }) {
      const { tasks, now } = ports;
      const resumed = headers["Last-Event-ID"];
      if (resumed !== undefined || isHead) {
        const task = await tasks.view(principal, params.task_id);
        if (!task.ok) return task;
        const isOver = task.value.phase === "ended" && (resumed ?? 0) >= task.value.seq;
        // EventSource connects again after every end but a 204 (HTML, Server-sent events).
        if (isOver || isHead) return ok({ status: isOver ? 204 : 200 });
      }
      const operation = "stream_task_events";
      const outflow = outflowOf(ports, { kind: "stream", operation, requestId, by: principal });
      const socket = await tasks.watch(principal, params.task_id, resumed ?? query.after ?? 0);
      return replyWith(socket, (open) => ({
        status: 200,
        stream: eventStream(open, now, outflow, lastsFor(principal, now())),
        headers: { "Cache-Control": "no-cache, no-transform" },
      }));
    },
  }),
  route({
    id: "get_task_report",
    method: "GET",
    path: "/v1/tasks/:task_id/report",
    tag: "Tasks",
    summary: "The end-task report",
    scopes: READERS,
    isPublicReadable: true,
    params: taskParams,
    query: z.strictObject(publicQuery),
    answers: { 200: json(reportSchema, "The report") },
    refusals: ["task_not_found", "task_gone", "report_not_ready"],
    async handle({ tasks }, { principal, params }) {
      const report = await tasks.report(principal, params.task_id);
      return replyWith(report, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "explain_task",
    method: "GET",
    path: "/v1/tasks/:task_id/explain",
    tag: "Tasks",
    summary: "Why a task is where it is, and what would move it",
    scopes: READERS,
    isPublicReadable: true,
    params: taskParams,
    query: z.strictObject(publicQuery),
    answers: { 200: json(explanationSchema, "The explanation") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ tasks }, { principal, params }) {
      const explanation = await tasks.explain(principal, params.task_id);
      return replyWith(explanation, (body) => ({ status: 200, body }));
    },
  }),
];

/** What orchestrators and onlookers do with tasks. */
export const taskRoutes: readonly Route[] = [...submission, ...reading];
