import * as z from "zod";

import { ok } from "../lib/result.ts";
import { deliveriesQuerySchema, pageOf, pageQuerySchema } from "../protocol/queries.ts";
import {
  deliveryViewSchema,
  rotationSchema,
  secretViewSchema,
  webhookPatchSchema,
  webhookRegistrationSchema,
  webhookViewSchema,
} from "../protocol/webhook.ts";
import { emptyBodySchema, empty, json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const webhookParams = z.strictObject({ webhook_id: pathIdSchema });
const deliveryParams = z.strictObject({ delivery_id: pathIdSchema });

const WRITERS = ["orchestrate"] as const;
const READERS = ["orchestrate", "observe"] as const;

const registration: readonly Route[] = [
  route({
    id: "create_webhook",
    method: "POST",
    path: "/v1/webhooks",
    tag: "Webhooks",
    summary: "Register an endpoint for signed notifications",
    description:
      "With `challenge: true` the answer comes once the receiver has answered a `webhook_challenge`; until it meets one, the endpoint stays paused with `is_verified` false.",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    body: webhookRegistrationSchema,
    answers: { 201: json(webhookViewSchema, "The endpoint, with `secret` this once") },
    refusals: ["endpoint_refused", "not_supported"],
    async handle(ports, { principal, body, origin }) {
      const created = await ports.webhooks.create(principal, body, origin);
      return replyWith(created, (view) => ({
        status: 201,
        body: view,
        headers: { Location: `/v1/webhooks/${view.webhook_id}` },
      }));
    },
  }),
  route({
    id: "list_webhooks",
    method: "GET",
    path: "/v1/webhooks",
    tag: "Webhooks",
    summary: "Endpoints of the tenant",
    scopes: READERS,
    query: pageQuerySchema,
    answers: { 200: json(pageOf(webhookViewSchema, "WebhookPage"), "A page of endpoints") },
    async handle(ports, { principal, query }) {
      return ok({ status: 200, body: await ports.webhooks.list(principal.tenant, query) });
    },
  }),
  route({
    id: "get_webhook",
    method: "GET",
    path: "/v1/webhooks/:webhook_id",
    tag: "Webhooks",
    summary: "An endpoint",
    scopes: READERS,
    params: webhookParams,
    answers: { 200: json(webhookViewSchema, "The endpoint") },
    refusals: ["webhook_not_found"],
    async handle(ports, { principal, params }) {
      const webhook = await ports.webhooks.get(principal.tenant, params.webhook_id);
      return replyWith(webhook, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "patch_webhook",
    method: "PATCH",
    path: "/v1/webhooks/:webhook_id",
    tag: "Webhooks",
    summary: "Change an endpoint: what is given replaces what was",
    description:
      "A new `url` of an endpoint that was registered with a challenge pauses it until the challenge is met again.",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    body: webhookPatchSchema,
    answers: { 200: json(webhookViewSchema, "The changed endpoint") },
    refusals: [
      "webhook_not_found",
      "endpoint_refused",
      "endpoint_unverified",
      "not_supported",
      "webhook_of_channel",
    ],
    async handle(ports, { principal, params, body, origin }) {
      const patched = await ports.webhooks.patch(principal, params.webhook_id, body, origin);
      return replyWith(patched, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "delete_webhook",
    method: "DELETE",
    path: "/v1/webhooks/:webhook_id",
    tag: "Webhooks",
    summary: "Remove an endpoint; its open deliveries are cancelled",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    answers: { 204: empty("It is gone") },
    refusals: ["webhook_not_found", "webhook_of_channel"],
    async handle(ports, { principal, params }) {
      const removed = await ports.webhooks.remove(principal, params.webhook_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
];

/** Pausing and resuming differ in a word. */
function pausing(verb: "pause" | "resume", summary: string): Route {
  return route({
    id: `${verb}_webhook`,
    method: "POST",
    path: `/v1/webhooks/:webhook_id/${verb}`,
    tag: "Webhooks",
    summary,
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    body: emptyBodySchema,
    answers: { 202: json(webhookViewSchema, "The endpoint") },
    refusals: [
      "webhook_not_found",
      "webhook_of_channel",
      "forbidden",
      ...(verb === "resume" ? (["endpoint_unverified"] as const) : []),
    ],
    async handle(ports, { principal, params }) {
      const isPaused = verb === "pause";
      const set = await ports.webhooks.setPaused(principal, params.webhook_id, isPaused);
      return replyWith(set, (view) => ({ status: 202, body: view }));
    },
  });
}

const upkeep: readonly Route[] = [
  pausing("pause", "Hold deliveries back; nothing is dropped"),
  pausing("resume", "Send again, what was held first"),
  route({
    id: "verify_webhook",
    method: "POST",
    path: "/v1/webhooks/:webhook_id/verify",
    tag: "Webhooks",
    summary: "Send the challenge again; when the receiver meets it, the endpoint is active",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    body: emptyBodySchema,
    answers: { 200: json(webhookViewSchema, "The endpoint, verified") },
    refusals: ["webhook_not_found", "endpoint_refused", "challenge_failed", "endpoint_unverified"],
    async handle(ports, { principal, params }) {
      const verified = await ports.webhooks.verify(principal, params.webhook_id);
      return replyWith(verified, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "test_webhook",
    method: "POST",
    path: "/v1/webhooks/:webhook_id/test",
    tag: "Webhooks",
    summary: "Send a test notification through the endpoint's own path",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    body: emptyBodySchema,
    answers: { 202: json(deliveryViewSchema, "The delivery to watch") },
    refusals: ["webhook_not_found", "endpoint_unverified", "forbidden"],
    async handle(ports, { principal, params }) {
      const sent = await ports.webhooks.test(principal, params.webhook_id);
      return replyWith(sent, (delivery) => ({ status: 202, body: delivery }));
    },
  }),
  route({
    id: "rotate_webhook_secret",
    method: "POST",
    path: "/v1/webhooks/:webhook_id/rotate-secret",
    tag: "Webhooks",
    summary: "Mint a new secret; the old one keeps signing beside it for a while",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: webhookParams,
    body: rotationSchema,
    answers: { 200: json(webhookViewSchema, "The endpoint, with the new `secret` this once") },
    refusals: ["webhook_not_found", "webhook_of_channel", "forbidden"],
    async handle(ports, { principal, params, body }) {
      const overlap = body.overlap_seconds;
      const rotated = await ports.webhooks.rotateSecret(principal, params.webhook_id, overlap);
      return replyWith(rotated, (view) => ({ status: 200, body: view }));
    },
  }),
];

const deliveries: readonly Route[] = [
  route({
    id: "list_deliveries",
    method: "GET",
    path: "/v1/webhooks/:webhook_id/deliveries",
    tag: "Webhooks",
    summary: "Deliveries of an endpoint",
    scopes: READERS,
    params: webhookParams,
    query: deliveriesQuerySchema,
    answers: { 200: json(pageOf(deliveryViewSchema, "DeliveryPage"), "A page of deliveries") },
    refusals: ["webhook_not_found"],
    async handle(ports, { principal, params, query }) {
      const page = await ports.webhooks.deliveries(principal.tenant, params.webhook_id, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_delivery",
    method: "GET",
    path: "/v1/deliveries/:delivery_id",
    tag: "Webhooks",
    summary: "A delivery with all its attempts",
    scopes: READERS,
    params: deliveryParams,
    answers: { 200: json(deliveryViewSchema, "The delivery") },
    refusals: ["delivery_not_found"],
    async handle(ports, { principal, params }) {
      const delivery = await ports.webhooks.delivery(principal.tenant, params.delivery_id);
      return replyWith(delivery, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "replay_delivery",
    method: "POST",
    path: "/v1/deliveries/:delivery_id/replay",
    tag: "Webhooks",
    summary: "Send a delivery once more, under the same message id",
    audit: "kept by the webhook registry",
    scopes: WRITERS,
    params: deliveryParams,
    body: emptyBodySchema,
    answers: { 202: json(deliveryViewSchema, "The delivery to watch") },
    refusals: ["delivery_not_found", "delivery_in_flight", "endpoint_unverified", "forbidden"],
    async handle(ports, { principal, params }) {
      const replayed = await ports.webhooks.replay(principal, params.delivery_id);
      return replyWith(replayed, (view) => ({ status: 202, body: view }));
    },
  }),
];

const callbacks: readonly Route[] = [
  route({
    id: "get_callback_secret",
    method: "GET",
    path: "/v1/callback-secret",
    tag: "Webhooks",
    summary: "The secret that signs what goes to callback_url",
    audit: {
      action: "callback_secret_shown",
      kind: "callback_secret",
      subject: ({ isHead }) => (isHead ? null : "callback_secret"),
    },
    scopes: ["admin"],
    answers: { 200: json(secretViewSchema, "The secret") },
    async handle(ports, { principal }) {
      return ok({ status: 200, body: await ports.webhooks.callbackSecret(principal.tenant) });
    },
  }),
  route({
    id: "rotate_callback_secret",
    method: "POST",
    path: "/v1/callback-secret/rotate",
    tag: "Webhooks",
    summary: "Mint a new callback secret; the old one keeps signing beside it for a while",
    audit: "kept by the webhook registry",
    scopes: ["admin"],
    body: rotationSchema,
    answers: { 200: json(secretViewSchema, "The new secret") },
    async handle(ports, { principal, body }) {
      const overlap = body.overlap_seconds;
      const rotated = await ports.webhooks.rotateCallbackSecret(principal, overlap);
      return ok({ status: 200, body: rotated });
    },
  }),
];

/** Endpoints, their deliveries, and the secret of callbacks. */
export const webhookRoutes: readonly Route[] = [
  ...registration,
  ...upkeep,
  ...deliveries,
  ...callbacks,
];
