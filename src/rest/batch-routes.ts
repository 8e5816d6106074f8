import * as z from "zod";

import { batchViewSchema, cancelRequestSchema, taskBatchSchema } from "../protocol/batch.ts";
import { taskIdSchema } from "../protocol/primitives.ts";
import { idempotencyHeaders, json, replyWith, route, submissionReply } from "./route.ts";
import type { Route } from "./route.ts";

const batchParams = z.strictObject({ batch_id: taskIdSchema });

/** Several tasks at once, and what became of them. */
export const batchRoutes: readonly Route[] = [
  route({
    id: "submit_batch",
    method: "POST",
    path: "/v1/batches",
    tag: "Batches",
    summary: "Submit several tasks",
    description:
      "All of them are created or, if one is faulty, none. The same Idempotency-Key or batch_id with the same body gives the existing batch.",
    audit: "kept by the task's own log",
    scopes: ["orchestrate"],
    headers: idempotencyHeaders,
    body: taskBatchSchema,
    answers: {
      202: json(batchViewSchema, "Accepted; `Location` is the batch's address"),
      200: json(batchViewSchema, "Submitted before; `Idempotency-Replayed` is true"),
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
    async handle({ batches }, { principal, body, headers, sentBody, traceId, hop, origin }) {
      const idempotencyKey = headers["Idempotency-Key"] ?? null;
      const sent = { body: sentBody, idempotencyKey, traceId, hop, origin };
      const submitted = await batches.submit(principal, body, sent);
      return replyWith(submitted, ({ view, isNew }) =>
        submissionReply(isNew, view, `/v1/batches/${view.batch_id}`),
      );
    },
  }),
  route({
    id: "get_batch",
    method: "GET",
    path: "/v1/batches/:batch_id",
    tag: "Batches",
    summary: "A batch and what became of its tasks",
    scopes: ["orchestrate", "observe"],
    params: batchParams,
    answers: { 200: json(batchViewSchema, "The batch") },
    refusals: ["batch_not_found"],
    async handle({ batches }, { principal, params }) {
      const batch = await batches.view(principal, params.batch_id);
      return replyWith(batch, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "cancel_batch",
    method: "POST",
    path: "/v1/batches/:batch_id/cancel",
    tag: "Batches",
    summary: "Stop the tasks of a batch that have not ended",
    description: "Of a batch that has ended, or is being stopped, nothing changes.",
    audit: {
      action: "batch_cancelled",
      kind: "batch",
      subject: ({ params }) => params.batch_id,
      detail: ({ body }) => ({ reason: body.reason ?? null }),
    },
    scopes: ["orchestrate"],
    params: batchParams,
    body: cancelRequestSchema,
    answers: { 202: json(batchViewSchema, "The batch; `stop` says why it is stopped") },
    refusals: ["batch_not_found"],
    async handle({ batches }, { principal, params, body }) {
      const batch = await batches.cancel(principal, params.batch_id, body.reason ?? null);
      return replyWith(batch, (view) => ({ status: 202, body: view }));
    },
  }),
];
