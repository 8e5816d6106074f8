import * as z from "zod";

import {
  modelDecisionRecordSchema,
  modelDecisionSchema,
  modelDecisionsQuerySchema,
  modelStatsQuerySchema,
  modelStatsSchema,
  modelVerdictSchema,
} from "../protocol/model-decision.ts";
import { pageOf } from "../protocol/queries.ts";
import { answered } from "./audit-rule.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const decisionParams = z.strictObject({ decision_id: pathIdSchema });
const pageSchema = pageOf(modelDecisionSchema, "ModelDecisionPage");

/** Which model the built-in executor chose and why, and how models do. */
export const modelDecisionRoutes: readonly Route[] = [
  route({
    id: "get_model_stats",
    method: "GET",
    path: "/v1/model-stats",
    tag: "Operations",
    summary: "How models do task types, and what the choice between them has learned",
    scopes: ["orchestrate", "observe"],
    query: modelStatsQuerySchema,
    answers: { 200: json(modelStatsSchema, "The figures, by model and task type") },
    refusals: ["unavailable"],
    async handle({ modelDecisions }, { principal, query }) {
      const stats = await modelDecisions.stats(principal, query);
      return replyWith(stats, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "list_model_decisions",
    method: "GET",
    path: "/v1/model-decisions",
    tag: "Operations",
    summary: "The choices of a model for a task, newest first",
    scopes: ["orchestrate", "observe"],
    query: modelDecisionsQuerySchema,
    answers: { 200: json(pageSchema, "A page of choices") },
    refusals: ["unavailable"],
    async handle({ modelDecisions }, { principal, query }) {
      const page = await modelDecisions.list(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_model_decision",
    method: "GET",
    path: "/v1/model-decisions/:decision_id",
    tag: "Operations",
    summary: "A choice of a model with all that led to it, made again",
    scopes: ["orchestrate", "observe"],
    params: decisionParams,
    answers: { 200: json(modelDecisionRecordSchema, "The choice") },
    refusals: ["model_decision_not_found", "unavailable"],
    async handle({ modelDecisions }, { principal, params }) {
      const found = await modelDecisions.get(principal, params.decision_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "judge_model_decision",
    method: "POST",
    path: "/v1/model-decisions/:decision_id/verdict",
    tag: "Operations",
    summary: "Say how good the work of the chosen model was, within seven days",
    description:
      "It takes the place of what was found automatically, and later choices learn from it. The last verdict counts, but a human's stands against an orchestrator's.",
    audit: {
      action: "model_decision_judged",
      kind: "model_decision",
      subject: ({ params }) => params.decision_id,
      detail: ({ body }, reply) => ({
        task_id: answered(reply, "task_id"),
        accepted: body.accepted,
        by: body.by,
        has_comment: body.comment !== undefined,
        ...(body.score !== undefined && { score: body.score }),
      }),
    },
    scopes: ["orchestrate"],
    params: decisionParams,
    body: modelVerdictSchema,
    answers: { 200: json(modelDecisionSchema, "The choice with its verdict") },
    refusals: ["model_decision_not_found", "verdict_refused", "unavailable"],
    async handle({ modelDecisions }, { principal, params, body }) {
      const judged = await modelDecisions.judge(principal, params.decision_id, body);
      return replyWith(judged, (decision) => ({ status: 200, body: decision }));
    },
  }),
];
