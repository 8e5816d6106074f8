import * as z from "zod";

import { bulkCommandAnswerSchema, bulkCommandSchema } from "../protocol/bulk-command.ts";
import {
  approvalSchema,
  lessonSchema,
  lessonsQuerySchema,
  nextStepsSchema,
} from "../protocol/lesson.ts";
import { taskIdSchema, type JsonObject } from "../protocol/primitives.ts";
import { pageOf, wholeNumber } from "../protocol/queries.ts";
import { taskViewSchema } from "../protocol/task-view.ts";
import { answered } from "./audit-rule.ts";
import { json, replyWith, route, submissionReply } from "./route.ts";
import type { Route } from "./route.ts";

const READERS = ["orchestrate", "execute", "observe"] as const;

const stepParams = z.strictObject({
  task_id: taskIdSchema,
  index: wholeNumber(0, 99).meta({ description: "Of the step, from 0." }),
});

/** What a command to many tasks has come to, for the audit: how many it was given to, and which ones. */
function givenTo(answer: unknown): JsonObject {
  const { data } = bulkCommandAnswerSchema.safeParse(answer);
  const task_ids = data?.issued.map(({ task_id }) => task_id) ?? [];
  return { issued: task_ids.length, refused: data?.refused.length ?? 0, task_ids };
}

/** What follows from tasks: commands to many of them, lessons, and what their executors recommend. */
export const followUpRoutes: readonly Route[] = [
  route({
    id: "command_tasks",
    method: "POST",
    path: "/v1/commands",
    tag: "Tasks",
    summary: "Give one command to all tasks that fit and have not ended",
    description:
      "Tasks are found in history, so one that was submitted this second may be missed. Each decides for itself. Go on with `cursor` while `next_cursor` is not null.",
    audit: {
      action: "commands_given",
      kind: "tasks",
      subject: ({ body }) => (body.dry_run ? null : "tasks"),
      detail: ({ body }, { body: answer }) => ({
        command: body.command,
        reason: body.reason ?? null,
        filter: body.filter ?? "all",
        ...givenTo(answer),
      }),
    },
    scopes: ["orchestrate"],
    body: bulkCommandSchema,
    answers: { 202: json(bulkCommandAnswerSchema, "What each task made of it") },
    refusals: ["forbidden", "unavailable"],
    async handle({ followUps }, { principal, body }) {
      const done = await followUps.commandAll(principal, body);
      return replyWith(done, (answer) => ({ status: 202, body: answer }));
    },
  }),
  route({
    id: "list_lessons",
    method: "GET",
    path: "/v1/lessons",
    tag: "Tasks",
    summary: "What executors learned from tasks",
    description: "With `q` a search among the newest 2,000; without it all, newest first.",
    // They are of all tasks of the tenant, of which an executor's key sees only its own.
    scopes: ["orchestrate", "observe"],
    query: lessonsQuerySchema,
    answers: { 200: json(pageOf(lessonSchema, "LessonPage"), "A page of lessons") },
    refusals: ["unavailable"],
    async handle({ observe }, { principal, query }) {
      const lessons = await observe.lessons(principal.tenant, query);
      return replyWith(lessons, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "list_next_steps",
    method: "GET",
    path: "/v1/tasks/:task_id/next-steps",
    tag: "Tasks",
    summary: "What the executor recommends to do next, as drafts of tasks",
    scopes: READERS,
    params: z.strictObject({ task_id: taskIdSchema }),
    answers: { 200: json(nextStepsSchema, "The drafts; none without a result") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ followUps }, { principal, params }) {
      const steps = await followUps.nextSteps(principal, params.task_id);
      return replyWith(steps, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "approve_next_step",
    method: "POST",
    path: "/v1/tasks/:task_id/next-steps/:index/approve",
    tag: "Tasks",
    summary: "Submit a recommended next step as a task, once",
    audit: {
      action: "next_step_approved",
      kind: "task",
      subject: ({ params }, { status }) => (status === 200 ? null : params.task_id),
      detail: ({ params }, reply) => ({
        index: params.index,
        submitted_task_id: answered(reply, "task_id"),
      }),
    },
    scopes: ["orchestrate"],
    params: stepParams,
    body: approvalSchema,
    answers: {
      202: json(taskViewSchema, "Accepted; `Location` is the task's address"),
      200: json(taskViewSchema, "Approved before; `Idempotency-Replayed` is true"),
    },
    refusals: [
      "task_not_found",
      "task_gone",
      "patch_rejected",
      "idempotency_conflict",
      "endpoint_refused",
    ],
    async handle({ followUps }, { principal, params, body, traceId, hop, origin }) {
      const approved = await followUps.approve(principal, params, body, { traceId, hop, origin });
      return replyWith(approved, ({ view, isNew }) =>
        submissionReply(isNew, view, `/v1/tasks/${view.task_id}`),
      );
    },
  }),
];
