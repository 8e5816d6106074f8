import * as z from "zod";

import { cancelRequestSchema } from "../protocol/batch.ts";
import { taskIdSchema } from "../protocol/primitives.ts";
import { requestSchema, requestViewSchema } from "../protocol/request.ts";
import { idempotencyHeaders, json, replyWith, route, submissionReply } from "./route.ts";
import type { Route } from "./route.ts";

const requestParams = z.strictObject({ request_id: taskIdSchema });

/** Goals that become tasks, and their plans. */
export const requestRoutes: readonly Route[] = [
  route({
    id: "submit_request",
    method: "POST",
    path: "/v1/requests",
    tag: "Requests",
    summary: "Hand over a goal, to be planned and carried out",
    description:
      "Rules find the steps, or an executor plans them as a task; each step becomes a task. `dry_run` only shows the plan. The same Idempotency-Key with the same body gives the existing request.",
    audit: "kept by the task's own log",
    scopes: ["orchestrate"],
    headers: idempotencyHeaders,
    body: requestSchema,
    answers: {
      202: json(requestViewSchema, "Accepted; `Location` is the request's address"),
      200: json(requestViewSchema, "The plan of a dry run, or what was submitted before"),
    },
    refusals: ["idempotency_conflict", "dependency_cycle"],
    async handle({ requests }, { principal, body, headers, sentBody, traceId, hop, origin }) {
      const idempotencyKey = headers["Idempotency-Key"] ?? null;
      const sent = { body: sentBody, idempotencyKey, traceId, hop, origin };
      const submitted = await requests.submit(principal, body, sent);
      return replyWith(submitted, ({ view, isNew }) =>
        view.request_id === null
          ? { status: isNew ? 202 : 200, body: view }
          : submissionReply(isNew, view, `/v1/requests/${view.request_id}`),
      );
    },
  }),
  route({
    id: "get_request",
    method: "GET",
    path: "/v1/requests/:request_id",
    tag: "Requests",
    summary: "A request, its plan and what became of its tasks",
    scopes: ["orchestrate", "observe"],
    params: requestParams,
    answers: { 200: json(requestViewSchema, "The request") },
    refusals: ["request_not_found"],
    async handle({ requests }, { principal, params }) {
      const request = await requests.view(principal, params.request_id);
      return replyWith(request, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "cancel_request",
    method: "POST",
    path: "/v1/requests/:request_id/cancel",
    tag: "Requests",
    summary: "Stop the tasks of a request that have not ended",
    audit: {
      action: "request_cancelled",
      kind: "request",
      subject: ({ params }) => params.request_id,
      detail: ({ body }) => ({ reason: body.reason ?? null }),
    },
    scopes: ["orchestrate"],
    params: requestParams,
    body: cancelRequestSchema,
    answers: { 202: json(requestViewSchema, "The request; `stop` says why it is stopped") },
    refusals: ["request_not_found"],
    async handle({ requests }, { principal, params, body }) {
      const request = await requests.cancel(principal, params.request_id, body.reason ?? null);
      return replyWith(request, (view) => ({ status: 202, body: view }));
    },
  }),
];
