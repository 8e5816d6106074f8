import * as z from "zod";

import { ok } from "../lib/result.ts";
import {
  objectiveRequestSchema,
  objectiveStatusSchema,
  sloIdSchema,
} from "../protocol/objectives.ts";
import { pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { empty, json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";
import { pageOfShort } from "./short-list.ts";

const objectiveParams = z.strictObject({ slo_id: sloIdSchema });

/** Service-level objectives. */
export const objectiveRoutes: readonly Route[] = [
  route({
    id: "list_objectives",
    method: "GET",
    path: "/v1/objectives",
    tag: "Operations",
    summary: "Service-level objectives, and what is left of their error budgets",
    description:
      "Those that the tenant has put, and those that come with Batuta and were not replaced. Each has two alert rules, `<slo_id>-burn-fast` and `<slo_id>-burn-slow`.",
    scopes: ["orchestrate", "observe"],
    query: pageQuerySchema,
    answers: { 200: json(pageOf(objectiveStatusSchema, "ObjectivePage"), "A page of objectives") },
    async handle({ objectives }, { principal, query }) {
      const all = await objectives.list(principal.tenant);
      return ok({ status: 200, body: pageOfShort(all, ({ slo_id }) => slo_id, query) });
    },
  }),
  route({
    id: "put_objective",
    method: "PUT",
    path: "/v1/objectives/:slo_id",
    tag: "Operations",
    summary: "Say which share has to be good, or change it",
    description:
      "`limit_s` of task_in_time is one of 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400.",
    scopes: ["admin"],
    params: objectiveParams,
    body: objectiveRequestSchema,
    answers: { 200: json(objectiveStatusSchema, "The objective and its budget") },
    refusals: ["alerting_refused"],
    audit: {
      action: "objective_put",
      kind: "objective",
      subject: ({ params }) => params.slo_id,
      detail: ({ body }) => ({
        indicator: body.indicator,
        target: body.target,
        window_days: body.window_days,
        limit_s: body.limit_s ?? null,
      }),
    },
    async handle({ objectives }, { principal, params, body }) {
      const put = await objectives.put(principal.tenant, params.slo_id, body);
      return replyWith(put, (objective) => ({ status: 200, body: objective }));
    },
  }),
  route({
    id: "delete_objective",
    method: "DELETE",
    path: "/v1/objectives/:slo_id",
    tag: "Operations",
    summary: "Take an objective away; its alerts resolve within six hours",
    description: "One that comes with Batuta under this id is in force again.",
    scopes: ["admin"],
    params: objectiveParams,
    answers: { 204: empty("It is gone") },
    refusals: ["objective_not_found"],
    audit: {
      action: "objective_deleted",
      kind: "objective",
      subject: ({ params }) => params.slo_id,
    },
    async handle({ objectives }, { principal, params }) {
      const removed = await objectives.remove(principal.tenant, params.slo_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
];
