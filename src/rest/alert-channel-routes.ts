import * as z from "zod";

import { briefUrl } from "../lib/redact.ts";
import { ok } from "../lib/result.ts";
import { alertNameSchema, channelRequestSchema, channelViewSchema } from "../protocol/alerts.ts";
import { pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { deliveryViewSchema } from "../protocol/webhook.ts";
import { answered } from "./audit-rule.ts";
import { emptyBodySchema, empty, json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const channelParams = z.strictObject({ channel_id: alertNameSchema });

const READERS = ["orchestrate", "observe"] as const;

/** Where alerts go: e-mail, SMS, paging, chat and signed webhooks. */
export const alertChannelRoutes: readonly Route[] = [
  route({
    id: "list_alert_channels",
    method: "GET",
    path: "/v1/alert-channels",
    tag: "Alerts",
    summary: "Where alerts go",
    scopes: READERS,
    query: pageQuerySchema,
    answers: { 200: json(pageOf(channelViewSchema, "AlertChannelPage"), "A page of channels") },
    async handle({ channels }, { principal, query }) {
      return ok({ status: 200, body: await channels.list(principal.tenant, query) });
    },
  }),
  route({
    id: "get_alert_channel",
    method: "GET",
    path: "/v1/alert-channels/:channel_id",
    tag: "Alerts",
    summary: "A channel, without its secret",
    scopes: READERS,
    params: channelParams,
    answers: { 200: json(channelViewSchema, "The channel") },
    refusals: ["channel_not_found"],
    async handle({ channels }, { principal, params }) {
      const found = await channels.get(principal.tenant, params.channel_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "put_alert_channel",
    method: "PUT",
    path: "/v1/alert-channels/:channel_id",
    tag: "Alerts",
    summary: "Make a channel, or replace its settings",
    description:
      "email needs to, from and secret; sms needs to, from, account and secret; paging needs secret; webhook and chat need url. `url` obeys the rules for webhook addresses. A secret that is left out stays as it is while kind, url and account do. A webhook without a secret is given one: POST /v1/webhooks/{webhook_id}/rotate-secret shows a new one once.",
    scopes: ["admin"],
    params: channelParams,
    body: channelRequestSchema,
    answers: { 200: json(channelViewSchema, "The channel, without its secret") },
    refusals: ["channel_refused", "endpoint_refused", "unavailable"],
    audit: {
      action: "alert_channel_put",
      kind: "alert_channel",
      subject: ({ params }) => params.channel_id,
      detail: ({ body }, reply) => ({
        kind: body.kind,
        webhook_id: answered(reply, "webhook_id") ?? null,
        sent_to: body.url === undefined ? null : briefUrl(body.url),
        recipients: body.to.length,
        severities: body.severities,
        rule_ids: body.rule_ids ?? null,
        is_enabled: body.is_enabled,
        tells_resolved: body.tells_resolved,
        has_new_secret: body.secret !== undefined,
      }),
    },
    async handle({ channels }, { principal, params, body: request, origin }) {
      const given = { request, origin };
      const channel = await channels.put(principal, params.channel_id, given);
      return replyWith(channel, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "delete_alert_channel",
    method: "DELETE",
    path: "/v1/alert-channels/:channel_id",
    tag: "Alerts",
    summary: "Send no alert there any more",
    description: "What was still to be sent is cancelled; its deliveries stay readable.",
    scopes: ["admin"],
    params: channelParams,
    answers: { 204: empty("It is gone") },
    refusals: ["channel_not_found"],
    audit: {
      action: "alert_channel_deleted",
      kind: "alert_channel",
      subject: ({ params }) => params.channel_id,
    },
    async handle({ channels }, { principal, params }) {
      const removed = await channels.remove(principal, params.channel_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
  route({
    id: "test_alert_channel",
    method: "POST",
    path: "/v1/alert-channels/:channel_id/test",
    tag: "Alerts",
    summary: "Send a test alert there",
    description:
      "One of severity info, once and at once, also while the channel is not enabled; of an SMS channel to its first number, and at a pager it is to be resolved by hand. GET /v1/deliveries/{delivery_id} tells what the provider answered.",
    scopes: ["admin"],
    params: channelParams,
    body: emptyBodySchema,
    answers: { 202: json(deliveryViewSchema, "The delivery of the test") },
    refusals: ["channel_not_found", "webhook_not_found"],
    audit: {
      action: "alert_channel_tested",
      kind: "alert_channel",
      subject: ({ params }) => params.channel_id,
      detail: (_request, reply) => ({ delivery_id: answered(reply, "delivery_id") ?? null }),
    },
    async handle({ channels }, { principal, params }) {
      const sent = await channels.test(principal, params.channel_id);
      return replyWith(sent, (body) => ({ status: 202, body }));
    },
  }),
];
