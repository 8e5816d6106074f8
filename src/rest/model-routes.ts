import * as z from "zod";

import { briefUrl } from "../lib/redact.ts";
import { ok } from "../lib/result.ts";
import {
  catalogueModelSchema,
  modelRegistrationSchema,
  modelTestSchema,
} from "../protocol/model.ts";
import { nameSchema } from "../protocol/primitives.ts";
import { pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { emptyBodySchema, empty, json, replyWith, route } from "./route.ts";
import type { Reply, Route } from "./route.ts";

const modelParams = z.strictObject({
  model_id: nameSchema.meta({ description: "A slash in it is sent as %2F." }),
});

const READERS = ["orchestrate", "observe"] as const;

function isOk({ body }: Reply): boolean {
  const tested = modelTestSchema.safeParse(body);
  return tested.success && tested.data.is_ok;
}

/** The catalogue of models that the built-in executor may use. */
export const modelRoutes: readonly Route[] = [
  route({
    id: "list_models",
    method: "GET",
    path: "/v1/models",
    tag: "Models",
    summary: "Models that the built-in executor may use",
    description:
      "Those of the installation (BATUTA_MODELS), those that the tenant has registered, and `builtin`, which stands for the executor's own skills.",
    scopes: READERS,
    query: pageQuerySchema,
    answers: { 200: json(pageOf(catalogueModelSchema, "ModelPage"), "A page of models") },
    async handle({ models }, { principal, query }) {
      return ok({ status: 200, body: await models.list(principal.tenant, query) });
    },
  }),
  route({
    id: "get_model",
    method: "GET",
    path: "/v1/models/:model_id",
    tag: "Models",
    summary: "A model, without its key",
    scopes: READERS,
    params: modelParams,
    answers: { 200: json(catalogueModelSchema, "The model") },
    refusals: ["model_not_found"],
    async handle({ models }, { principal, params }) {
      const found = await models.get(principal.tenant, params.model_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "put_model",
    method: "PUT",
    path: "/v1/models/:model_id",
    tag: "Models",
    summary: "Register a model, or change its registration",
    description:
      "In force within five seconds. Its `base_url` obeys the rules for webhook addresses, now and before each question.",
    scopes: ["admin"],
    params: modelParams,
    body: modelRegistrationSchema,
    answers: { 200: json(catalogueModelSchema, "The model, without its key") },
    refusals: ["model_refused", "endpoint_refused"],
    audit: {
      action: "model_put",
      kind: "model",
      subject: ({ params }) => params.model_id,
      detail: ({ body }) => ({
        provider: body.provider,
        name: body.name ?? null,
        asked_at: body.base_url === undefined ? null : briefUrl(body.base_url),
        locality: body.locality,
        price: body.price,
        tier: body.tier,
        is_default: body.is_default,
        is_enabled: body.is_enabled,
        has_api_key: typeof body.api_key === "string",
      }),
    },
    async handle({ models }, { principal, params, body: registration, origin }) {
      const given = { registration, origin };
      const model = await models.put(principal.tenant, params.model_id, given);
      return replyWith(model, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "delete_model",
    method: "DELETE",
    path: "/v1/models/:model_id",
    tag: "Models",
    summary: "Take a model out of the catalogue, with its key",
    scopes: ["admin"],
    params: modelParams,
    answers: { 204: empty("It is gone") },
    refusals: ["model_not_found", "model_refused"],
    audit: {
      action: "model_deleted",
      kind: "model",
      subject: ({ params }) => params.model_id,
    },
    async handle({ models }, { principal, params }) {
      const removed = await models.remove(principal.tenant, params.model_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
  route({
    id: "test_model",
    method: "POST",
    path: "/v1/models/:model_id/test",
    tag: "Models",
    summary: "Ask a model one short question",
    description:
      "Tells how long it took and what it cost, or what is wrong: a fault of the model is an answer (200) with `is_ok` false. A disabled model is tried too.",
    scopes: ["admin"],
    params: modelParams,
    body: emptyBodySchema,
    answers: { 200: json(modelTestSchema, "What came of it") },
    refusals: ["model_not_found", "model_refused"],
    audit: {
      action: "model_tested",
      kind: "model",
      subject: ({ params }) => params.model_id,
      detail: (_request, reply) => ({ is_ok: isOk(reply) }),
    },
    async handle({ models }, { principal, params }) {
      const tested = await models.test(principal.tenant, params.model_id);
      return replyWith(tested, (body) => ({ status: 200, body }));
    },
  }),
];
