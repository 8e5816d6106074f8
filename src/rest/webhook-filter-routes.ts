import * as z from "zod";

import { ok } from "../lib/result.ts";
import { eventsQuerySchema } from "../protocol/queries.ts";
import {
  filterTestSchema,
  filterVerdictSchema,
  taskDeliveriesSchema,
} from "../protocol/webhook-operations.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const READERS = ["orchestrate", "observe"] as const;

/**
 * Who gets what, before and after it is sent. To be mounted before `/v1/webhooks/:webhook_id/test`, which would
 * take `filters` for an id.
 */
export const webhookFilterRoutes: readonly Route[] = [
  route({
    id: "test_filters",
    method: "POST",
    path: "/v1/webhooks/filters/test",
    tag: "Webhooks",
    summary: "Try filters on a sample notification; nothing is registered or sent",
    audit: "changes nothing",
    scopes: READERS,
    body: filterTestSchema,
    answers: { 200: json(filterVerdictSchema, "Whether it would be sent, and what is against it") },
    async handle(ports, { body }) {
      return ok({ status: 200, body: ports.routing.testFilters(body) });
    },
  }),
  route({
    id: "list_task_deliveries",
    method: "GET",
    path: "/v1/tasks/:task_id/deliveries",
    tag: "Webhooks",
    summary: "What became of a task's notifications, endpoint by endpoint, with all attempts",
    description:
      "Endpoints are found by the filters that they have today. Once a task's own memory was emptied, days after its end, nobody knows its callback and its stakeholders any more: they are among them only if their filters fit.",
    scopes: READERS,
    params: z.strictObject({ task_id: pathIdSchema }),
    query: eventsQuerySchema,
    answers: { 200: json(taskDeliveriesSchema, "Notifications in order of seq") },
    refusals: ["task_not_found", "task_gone", "not_supported"],
    async handle(ports, { principal, params, query }) {
      const found = await ports.routing.taskDeliveries(principal, params.task_id, query);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
];
