import * as z from "zod";

import {
  keyLimitsRequestSchema,
  keyLimitsSchema,
  limitsPatchSchema,
  limitsViewSchema,
} from "../protocol/limits.ts";
import { empty, json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const keyParams = z.strictObject({ key_id: pathIdSchema });

/** How many requests the keys of a tenant may make. */
export const limitRoutes: readonly Route[] = [
  route({
    id: "get_limits",
    method: "GET",
    path: "/v1/limits",
    tag: "Operations",
    summary:
      "What the keys of the tenant may do in a minute, what they have done, and what has changed",
    description:
      "`effective` is what is set times `factor`, which Batuta lowers by itself while many answers are 5xx or many tasks wait.",
    // Whoever looks why reads are refused must not be refused with them.
    operation: "admin",
    scopes: ["admin", "observe"],
    answers: { 200: json(limitsViewSchema, "Limits and their use") },
    async handle({ limits }, { principal }) {
      return replyWith(await limits.view(principal), (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "change_limits",
    method: "PATCH",
    path: "/v1/limits",
    tag: "Operations",
    summary: "Change what the keys of the tenant may do in a minute",
    description:
      "In force everywhere within 5 seconds. What is not named stays; null is the default again. `auto: false` has Batuta lower nothing by itself.",
    scopes: ["admin"],
    body: limitsPatchSchema,
    answers: { 200: json(limitsViewSchema, "Limits and their use") },
    audit: {
      action: "limits_changed",
      kind: "limit",
      subject: ({ principal }) => principal.tenant,
      detail: ({ body }) => ({ limits: body.limits ?? {}, auto: body.auto ?? null }),
    },
    async handle({ limits }, { principal, body }) {
      const changed = await limits.change(principal, body);
      return replyWith(changed, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "set_key_limits",
    method: "PUT",
    path: "/v1/limits/keys/:key_id",
    tag: "Operations",
    summary: "Give a key limits of its own, in place of the tenant's",
    scopes: ["admin"],
    params: keyParams,
    body: keyLimitsRequestSchema,
    answers: { 200: json(keyLimitsSchema, "The limits of the key") },
    refusals: ["key_not_found"],
    audit: {
      action: "key_limits_set",
      kind: "limit",
      subject: ({ params }) => params.key_id,
      detail: ({ body }) => ({ limits: body.limits }),
    },
    async handle({ limits }, { principal, params, body }) {
      const set = await limits.setKey(principal, params.key_id, body.limits);
      return replyWith(set, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "delete_key_limits",
    method: "DELETE",
    path: "/v1/limits/keys/:key_id",
    tag: "Operations",
    summary: "Have a key share the tenant's limits again",
    scopes: ["admin"],
    params: keyParams,
    answers: { 204: empty("It has none of its own any more") },
    refusals: ["key_not_found"],
    audit: {
      action: "key_limits_removed",
      kind: "limit",
      subject: ({ params }) => params.key_id,
    },
    async handle({ limits }, { principal, params }) {
      const cleared = await limits.clearKey(principal, params.key_id);
      return replyWith(cleared, () => ({ status: 204 }));
    },
  }),
];
