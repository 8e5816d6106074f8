import * as z from "zod";

import { pageOf } from "../protocol/queries.ts";
import {
  validationQuerySchema,
  validationRecordSchema,
  validationsQuerySchema,
  validationSummaryQuerySchema,
  validationSummarySchema,
} from "../protocol/validation-record.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const pageSchema = pageOf(validationRecordSchema, "ValidationRecordPage");

/** What was checked of requests and of what left, and why some of it was refused. */
export const validationRoutes: readonly Route[] = [
  route({
    id: "list_validations",
    method: "GET",
    path: "/v1/validations",
    tag: "Operations",
    summary: "What was checked of messages, and what came of it",
    description:
      "Newest first, kept for seven days; never with a value. What passed is sampled, and so is what was refused while there is very much of it: `weight` says how many a record stands for. A page may be short, even empty, with a `next_cursor` that goes on.",
    scopes: ["observe"],
    query: validationsQuerySchema,
    answers: { 200: json(pageSchema, "A page of records") },
    refusals: ["forbidden", "unavailable"],
    async handle({ validations }, { principal, query }) {
      const page = await validations.list(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "summarise_validations",
    method: "GET",
    path: "/v1/validations/summary",
    tag: "Operations",
    summary: "How many validations there were, by route, outcome and code",
    description: "Counted from the sampled records: `estimate` is the sum of their weights.",
    scopes: ["observe"],
    query: validationSummaryQuerySchema,
    answers: { 200: json(validationSummarySchema, "The counts, the largest first") },
    refusals: ["forbidden", "unavailable"],
    async handle({ validations }, { principal, query }) {
      const summary = await validations.summary(principal, query);
      return replyWith(summary, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_validation",
    method: "GET",
    path: "/v1/validations/:record_id",
    tag: "Operations",
    summary: "One validation",
    scopes: ["observe"],
    params: z.strictObject({ record_id: pathIdSchema }),
    query: validationQuerySchema,
    answers: { 200: json(validationRecordSchema, "The record") },
    refusals: ["forbidden", "validation_not_found", "unavailable"],
    async handle({ validations }, { principal, params, query }) {
      const found = await validations.get(principal, params.record_id, query.all);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
];
