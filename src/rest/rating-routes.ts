import * as z from "zod";

import { ratingRequestSchema, ratingSchema } from "../protocol/metric-series.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const params = z.strictObject({ task_id: pathIdSchema });

/** How people judge what tasks have made. */
export const ratingRoutes: readonly Route[] = [
  route({
    id: "rate_task",
    method: "PUT",
    path: "/v1/tasks/:task_id/rating",
    tag: "Tasks",
    summary: "Judge the result of a task that has ended",
    description:
      "Takes the place of an earlier judgement. It is counted once in `task_rating` of GET /v1/metrics, in the step in which the task ended. It goes when history removes the task; the figures stay.",
    audit: {
      action: "task_rated",
      kind: "task",
      subject: (request) => request.params.task_id,
      detail: ({ body }) => ({ score: body.score, has_comment: body.comment !== undefined }),
    },
    scopes: ["orchestrate"],
    params,
    body: ratingRequestSchema,
    answers: { 200: json(ratingSchema, "The judgement as kept") },
    refusals: ["task_not_found", "task_gone", "transition_refused", "unavailable"],
    async handle({ ratings }, { principal, params: { task_id }, body }) {
      const rated = await ratings.put(principal, task_id, body);
      return replyWith(rated, (rating) => ({ status: 200, body: rating }));
    },
  }),
  route({
    id: "get_task_rating",
    method: "GET",
    path: "/v1/tasks/:task_id/rating",
    tag: "Tasks",
    summary: "How a person has judged the result of a task",
    scopes: ["orchestrate", "observe"],
    params,
    answers: { 200: json(ratingSchema, "The judgement") },
    refusals: ["task_not_found", "task_gone", "rating_not_found", "unavailable"],
    async handle({ ratings }, { principal, params: { task_id } }) {
      const found = await ratings.get(principal, task_id);
      return replyWith(found, (rating) => ({ status: 200, body: rating }));
    },
  }),
];
