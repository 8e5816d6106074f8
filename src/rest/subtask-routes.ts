import * as z from "zod";

import { taskIdSchema } from "../protocol/primitives.ts";
import {
  sharedContextPatchSchema,
  sharedContextSchema,
  subtaskOfferAnswerSchema,
  subtaskOfferSchema,
  subtaskViewSchema,
} from "../protocol/subtasks.ts";
import { json, leaseHeaders, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const taskParams = z.strictObject({ task_id: taskIdSchema });

const READERS = ["orchestrate", "execute", "observe"] as const;

/** What executors do that work on one task together. */
export const subtaskRoutes: readonly Route[] = [
  route({
    id: "offer_subtasks",
    method: "POST",
    path: "/v1/tasks/:task_id/subtasks",
    tag: "Executors",
    summary: "Hand parts of a task that you hold to other executors",
    description:
      "All of them are accepted, or none. Give each a `task_id`, so that a repeated offer changes nothing.",
    audit: "kept by the task's own log",
    scopes: ["execute"],
    params: taskParams,
    headers: leaseHeaders,
    body: subtaskOfferSchema,
    answers: { 202: json(subtaskOfferAnswerSchema, "The subtasks, in the order of the offer") },
    refusals: [
      "task_not_found",
      "task_gone",
      "lease_lost",
      "task_ended",
      "parent_refused",
      "budget_exceeded",
      "dependency_not_found",
      "dependency_cycle",
      "endpoint_refused",
      "idempotency_conflict",
    ],
    async handle(
      { subtasks },
      { principal, params, headers, body, sentBody, traceId, hop, origin },
    ) {
      const at = { task_id: params.task_id, token: headers["Lease-Token"] ?? null };
      const request = { body: sentBody, idempotencyKey: null, traceId, hop, origin };
      const offered = await subtasks.offer(principal, at, body, request);
      return replyWith(offered, (outcomes) => ({ status: 202, body: outcomes }));
    },
  }),
  route({
    id: "get_subtasks",
    method: "GET",
    path: "/v1/tasks/:task_id/subtasks",
    tag: "Tasks",
    summary: "The subtasks of a task, and how far they are",
    scopes: READERS,
    params: taskParams,
    answers: { 200: json(subtaskViewSchema, "The subtasks, in the order in which they came") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ subtasks }, { principal, params }) {
      const found = await subtasks.view(principal, params.task_id);
      return replyWith(found, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "get_shared_context",
    method: "GET",
    path: "/v1/tasks/:task_id/shared-context",
    tag: "Executors",
    summary: "What the executors of a task and of its subtasks share",
    scopes: READERS,
    params: taskParams,
    query: z.strictObject({
      subtask_id: taskIdSchema
        .optional()
        .meta({ description: "For an executor that has this subtask, but not the task itself." }),
    }),
    answers: { 200: json(sharedContextSchema, "The shared context") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ subtasks }, { principal, params, query }) {
      const subtask_id = query.subtask_id ?? null;
      const found = await subtasks.shared(principal, params.task_id, subtask_id);
      return replyWith(found, (context) => ({ status: 200, body: context }));
    },
  }),
  route({
    id: "patch_shared_context",
    method: "PATCH",
    path: "/v1/tasks/:task_id/shared-context",
    tag: "Executors",
    summary: "Change what the executors of a task and of its subtasks share",
    description:
      "For orchestrators, for the holder of the task, and with `subtask_id` for the holder of that subtask.",
    audit: {
      action: "shared_context_changed",
      kind: "task",
      // Whoever holds the task or a subtask shares as part of the work on it.
      subject: ({ params, headers }) =>
        headers["Lease-Token"] === undefined ? params.task_id : null,
      detail: ({ body }) => ({ patched_fields: Object.keys(body.patch) }),
    },
    scopes: ["execute", "orchestrate"],
    params: taskParams,
    headers: leaseHeaders,
    body: sharedContextPatchSchema,
    answers: { 200: json(sharedContextSchema, "The shared context after the change") },
    refusals: ["task_not_found", "task_gone", "task_ended", "lease_lost", "parent_refused"],
    async handle({ subtasks }, { principal, params, headers, body }) {
      const at = { task_id: params.task_id, token: headers["Lease-Token"] ?? null };
      const changed = await subtasks.share(principal, at, body);
      return replyWith(changed, (context) => ({ status: 200, body: context }));
    },
  }),
];
