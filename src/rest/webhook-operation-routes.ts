import * as z from "zod";

import { pollQuerySchema, statsQuerySchema } from "../protocol/queries.ts";
import {
  pollSchema,
  recoveryMatchSchema,
  recoveryRequestSchema,
  recoverySchema,
  webhookStatsSchema,
} from "../protocol/webhook-operations.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const webhookParams = z.strictObject({ webhook_id: pathIdSchema });
const recoveryParams = webhookParams.extend({ recovery_id: pathIdSchema });

const WRITERS = ["orchestrate"] as const;
const READERS = ["orchestrate", "observe"] as const;

/** Statistics, polling and recovery of an endpoint. */
export const webhookOperationRoutes: readonly Route[] = [
  route({
    id: "get_webhook_stats",
    method: "GET",
    path: "/v1/webhooks/:webhook_id/stats",
    tag: "Webhooks",
    summary: "How an endpoint has done over the last `window` seconds",
    scopes: READERS,
    params: webhookParams,
    query: statsQuerySchema,
    answers: { 200: json(webhookStatsSchema, "Its figures") },
    refusals: ["webhook_not_found"],
    async handle(ports, { principal, params, query }) {
      const { tenant } = principal;
      const stats = await ports.operations.stats(tenant, params.webhook_id, query.window);
      return replyWith(stats, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "poll_webhook_events",
    method: "GET",
    path: "/v1/webhooks/:webhook_id/events",
    tag: "Webhooks",
    summary: "Read notifications instead of having them sent",
    description:
      "In the order in which they came, whatever became of them. Begin with `after=0`, go on with `next_after`. Reading changes nothing: register with `active: false` to be sent nothing.",
    scopes: READERS,
    params: webhookParams,
    query: pollQuerySchema,
    answers: {
      200: json(pollSchema, "What came behind `after`; waits up to `wait` seconds for it"),
    },
    refusals: ["webhook_not_found", "not_supported"],
    async handle(ports, { principal, params, query }) {
      const polled = await ports.operations.poll(principal.tenant, params.webhook_id, query);
      return replyWith(polled, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "recover_webhook",
    method: "POST",
    path: "/v1/webhooks/:webhook_id/recover",
    tag: "Webhooks",
    summary: "Send many deliveries again, or count them",
    description:
      "Those created from `since` on and before `until` that are in `state`. They go in order, under their own ids, with all their retries. It goes on by itself until all are open again; `dry_run` only counts.",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    body: recoveryRequestSchema,
    answers: {
      200: json(recoveryMatchSchema, "What a recovery would send again"),
      202: json(recoverySchema, "The recovery, to be watched or cancelled"),
    },
    refusals: ["webhook_not_found", "forbidden"],
    async handle(ports, { principal, params, body }) {
      const started = await ports.operations.recover(principal, params.webhook_id, body);
      return replyWith(started, (view) => ({ status: body.dry_run ? 200 : 202, body: view }));
    },
  }),
  route({
    id: "get_recovery",
    method: "GET",
    path: "/v1/webhooks/:webhook_id/recoveries/:recovery_id",
    tag: "Webhooks",
    summary: "How far a recovery has come",
    scopes: READERS,
    params: recoveryParams,
    answers: { 200: json(recoverySchema, "The recovery") },
    refusals: ["webhook_not_found", "recovery_not_found"],
    async handle(ports, { principal, params }) {
      const { webhook_id, recovery_id } = params;
      const found = await ports.operations.recovery(principal.tenant, webhook_id, recovery_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "cancel_recovery",
    method: "DELETE",
    path: "/v1/webhooks/:webhook_id/recoveries/:recovery_id",
    tag: "Webhooks",
    summary: "End a recovery; what it has opened by then is still sent",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: recoveryParams,
    answers: { 200: json(recoverySchema, "The recovery as it ended") },
    refusals: ["webhook_not_found", "recovery_not_found", "forbidden"],
    async handle(ports, { principal, params }) {
      const { webhook_id, recovery_id } = params;
      const ended = await ports.operations.cancelRecovery(principal, webhook_id, recovery_id);
      return replyWith(ended, (body) => ({ status: 200, body }));
    },
  }),
];
