import * as z from "zod";

import { escalationsQuerySchema, pageOf } from "../protocol/queries.ts";
import { escalationResolutionSchema, escalationSchema } from "../protocol/task-view.ts";
import { answered } from "./audit-rule.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const escalationParams = z.strictObject({ escalation_id: pathIdSchema });

/** The inbox of questions that tasks wait for an answer to. */
export const escalationRoutes: readonly Route[] = [
  route({
    id: "list_escalations",
    method: "GET",
    path: "/v1/escalations",
    tag: "Escalations",
    summary: "Questions that tasks wait for an answer to",
    description: "A key with the scope execute alone sees those that agents may answer.",
    scopes: ["orchestrate", "execute", "observe"],
    query: escalationsQuerySchema,
    answers: { 200: json(pageOf(escalationSchema, "EscalationPage"), "A page of escalations") },
    async handle({ escalations }, { principal, query }) {
      const page = await escalations.list(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_escalation",
    method: "GET",
    path: "/v1/escalations/:escalation_id",
    tag: "Escalations",
    summary: "An escalation with its evidence",
    scopes: ["orchestrate", "execute", "observe"],
    params: escalationParams,
    answers: { 200: json(escalationSchema, "The escalation") },
    refusals: ["escalation_not_found", "task_gone"],
    async handle({ escalations }, { principal, params }) {
      const found = await escalations.get(principal, params.escalation_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "resolve_escalation",
    method: "POST",
    path: "/v1/escalations/:escalation_id/resolve",
    tag: "Escalations",
    summary: "Answer an escalation, once",
    description:
      "The answer is free text; the options are proposals. A key that may execute but not orchestrate may answer with resume what is asked of agents, unless its own agent asks, or one that is bound to no key.",
    audit: {
      action: "escalation_resolved",
      kind: "escalation",
      subject: ({ params }) => params.escalation_id,
      detail: ({ body }, reply) => ({
        decision: body.decision,
        task_id: answered(reply, "task_id"),
        has_answer: body.answer !== undefined,
        patched_fields: Object.keys(body.patch ?? {}),
      }),
    },
    scopes: ["orchestrate", "execute"],
    params: escalationParams,
    body: escalationResolutionSchema,
    answers: { 200: json(escalationSchema, "The resolved escalation") },
    refusals: [
      "forbidden",
      "escalation_not_found",
      "escalation_closed",
      "patch_rejected",
      "task_gone",
    ],
    async handle({ escalations }, { principal, params, body }) {
      const resolved = await escalations.resolve(principal, params.escalation_id, body);
      return replyWith(resolved, (escalation) => ({ status: 200, body: escalation }));
    },
  }),
];
