import * as z from "zod";

import {
  keyChangeSchema,
  keyRequestSchema,
  keyRotationSchema,
  keysQuerySchema,
  keyTenantSchema,
  keyViewSchema,
} from "../protocol/access.ts";
import { taskIdSchema } from "../protocol/primitives.ts";
import { publicTokenRequestSchema, publicTokenSchema } from "../protocol/public-token.ts";
import { pageOf } from "../protocol/queries.ts";
import { answered } from "./audit-rule.ts";
import { empty, json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const keyParams = z.strictObject({ key_id: pathIdSchema });

const making: readonly Route[] = [
  route({
    id: "create_key",
    method: "POST",
    path: "/v1/keys",
    tag: "Operations",
    summary: "Create an API key",
    scopes: ["admin"],
    body: keyRequestSchema,
    answers: { 201: json(keyViewSchema, "The key, shown this once and stored as a hash") },
    refusals: ["forbidden"],
    audit: {
      action: "key_created",
      kind: "key",
      subject: (_request, reply) => answered(reply, "key_id") ?? "unknown",
      detail: ({ body }) => ({
        name: body.name,
        scopes: body.scopes,
        expires_at: body.expires_at ?? null,
      }),
      tenant: (_request, reply) => answered(reply, "tenant"),
    },
    async handle(ports, { principal, body }) {
      const created = await ports.keys.create(principal, body);
      return replyWith(created, (view) => ({ status: 201, body: view }));
    },
  }),
  route({
    id: "rotate_key",
    method: "POST",
    path: "/v1/keys/:key_id/rotate",
    tag: "Operations",
    summary: "Give a key a new secret; the old one works beside it for a while",
    description: "At most two secrets work: a second rotation ends the oldest at once.",
    scopes: ["admin"],
    params: keyParams,
    query: keyTenantSchema,
    body: keyRotationSchema,
    answers: { 200: json(keyViewSchema, "The key, with its new `key` this once") },
    refusals: ["forbidden", "key_not_found", "key_expired"],
    audit: {
      action: "key_rotated",
      kind: "key",
      subject: ({ params }) => params.key_id,
      detail: ({ body: { overlap_seconds } }) => ({ overlap_seconds }),
      tenant: ({ query }) => query.tenant,
    },
    async handle(ports, { principal, params, query, body: { overlap_seconds } }) {
      const of = { ...query, overlap_seconds };
      const rotated = await ports.keys.rotate(principal, params.key_id, of);
      return replyWith(rotated, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "create_public_token",
    method: "POST",
    path: "/v1/tasks/:task_id/tokens",
    tag: "Tasks",
    summary: "Make a public read token of one task, for a live view",
    description:
      "Whoever has it reads this task's view, events, stream, report and explanation, as `Authorization: Bearer pt_…` or `?access_token=pt_…`, and nothing else. It ends with its time, and at the latest five seconds after the key that made it; a rotation leaves it be.",
    scopes: ["orchestrate", "observe"],
    params: z.strictObject({ task_id: taskIdSchema }),
    body: publicTokenRequestSchema,
    answers: { 201: json(publicTokenSchema, "The token, shown this once and not stored") },
    refusals: ["forbidden", "task_not_found", "task_gone"],
    audit: {
      action: "public_token_issued",
      kind: "public_token",
      subject: ({ params }) => params.task_id,
      detail: (_request, reply) => ({ expires_at: answered(reply, "expires_at") ?? null }),
    },
    async handle(ports, { principal, params: { task_id }, body, origin }) {
      const minted = await ports.keys.mintToken(principal, task_id, body.expires_in_seconds);
      return replyWith(minted, ({ token, expires_at }) => {
        const stream_url = `${origin}/v1/tasks/${task_id}/stream?access_token=${token}`;
        return { status: 201, body: { token, task_id, expires_at, stream_url } };
      });
    },
  }),
];

const keeping: readonly Route[] = [
  route({
    id: "list_keys",
    method: "GET",
    path: "/v1/keys",
    tag: "Operations",
    summary: "Keys of the tenant, without the keys themselves",
    scopes: ["admin"],
    query: keysQuerySchema,
    answers: { 200: json(pageOf(keyViewSchema, "KeyPage"), "A page of keys") },
    refusals: ["forbidden"],
    async handle(ports, { principal, query }) {
      const page = await ports.keys.list(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_key",
    method: "GET",
    path: "/v1/keys/:key_id",
    tag: "Operations",
    summary: "A key, without the key itself",
    scopes: ["admin"],
    params: keyParams,
    query: keyTenantSchema,
    answers: { 200: json(keyViewSchema, "The key") },
    refusals: ["forbidden", "key_not_found"],
    async handle(ports, { principal, params, query }) {
      const key = await ports.keys.get(principal, params.key_id, query);
      return replyWith(key, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "change_key",
    method: "PATCH",
    path: "/v1/keys/:key_id",
    tag: "Operations",
    summary: "Rename a key, or let it expire sooner or later",
    scopes: ["admin"],
    params: keyParams,
    query: keyTenantSchema,
    body: keyChangeSchema,
    answers: { 200: json(keyViewSchema, "The key as it is now") },
    refusals: ["forbidden", "key_not_found"],
    audit: {
      action: "key_changed",
      kind: "key",
      subject: ({ params }) => params.key_id,
      detail: ({ body: { schema_version: _version, ...change } }) => change,
      tenant: ({ query }) => query.tenant,
    },
    async handle(ports, { principal, params, query, body: change }) {
      const changed = await ports.keys.change(principal, params.key_id, { ...query, change });
      return replyWith(changed, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "delete_key",
    method: "DELETE",
    path: "/v1/keys/:key_id",
    tag: "Operations",
    summary: "Revoke a key, with all its secrets and public tokens",
    description:
      "In force at once where it is asked, and within five seconds everywhere. A key may revoke itself: this is its last request.",
    scopes: ["admin"],
    params: keyParams,
    query: keyTenantSchema,
    answers: { 204: empty("It is revoked") },
    refusals: ["forbidden", "key_not_found"],
    audit: {
      action: "key_revoked",
      kind: "key",
      subject: ({ params }) => params.key_id,
      tenant: ({ query }) => query.tenant,
    },
    async handle(ports, { principal, params, query }) {
      const removed = await ports.keys.remove(principal, params.key_id, query);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
];

/** API keys, and the public tokens that they make. */
export const keyRoutes: readonly Route[] = [...making, ...keeping];
