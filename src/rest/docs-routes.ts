import * as z from "zod";

import { ok, refuse } from "../lib/result.ts";
import { jsonObjectSchema, SCHEMA_VERSION } from "../protocol/primitives.ts";
import { jsonSchemaOf, MESSAGES, messageNameSchema } from "../protocol/registry.ts";
import { json, pathIdSchema, route } from "./route.ts";
import type { Route } from "./route.ts";

const schemaListSchema = z
  .strictObject({
    items: z.array(z.strictObject({ name: z.string(), title: z.string(), url: z.string() })),
    next_cursor: z.null(),
    schema_version: z.string().meta({ description: "The version that they are of." }),
    versions: z.string().meta({ description: "Where the other versions are told of." }),
  })
  .meta({ id: "SchemaList", title: "The published schemas" });

const NAMES = messageNameSchema.options;

/** Documents change with a deployment only. */
const CACHED = { "Cache-Control": "public, max-age=300" } as const;

/**
 * The contract, served by the thing that keeps it. The page at /docs is a static file that shows
 * `/openapi.json`.
 *
 * @param document makes the OpenAPI document; called at the first request for it
 */
export function documentationRoutes(document: () => Record<string, unknown>): readonly Route[] {
  let openApi: Record<string, unknown> | null = null;
  return [
    route({
      id: "list_schemas",
      method: "GET",
      path: "/v1/schemas",
      tag: "Documentation",
      summary: "The published JSON Schemas",
      scopes: null,
      answers: { 200: json(schemaListSchema, "Names and addresses") },
      async handle() {
        const items = NAMES.map((name) => ({
          name,
          title: MESSAGES[name].schema.meta()?.title ?? name,
          url: `/v1/schemas/${name}`,
        }));
        const version = { schema_version: SCHEMA_VERSION, versions: "/v1/versions" };
        const body = { items, next_cursor: null, ...version };
        return ok({ status: 200, body, headers: CACHED });
      },
    }),
    route({
      id: "get_schema",
      method: "GET",
      path: "/v1/schemas/:name",
      tag: "Documentation",
      summary: "One JSON Schema (draft 2020-12)",
      scopes: null,
      params: z.strictObject({ name: pathIdSchema }),
      answers: { 200: json(jsonObjectSchema, "The schema", "application/schema+json") },
      refusals: ["schema_not_found"],
      async handle(_ports, { params }) {
        const name = messageNameSchema.safeParse(params.name);
        return name.success
          ? ok({ status: 200, body: jsonSchemaOf(name.data), headers: CACHED })
          : refuse({ code: "schema_not_found", detail: `there are: ${NAMES.join(", ")}` });
      },
    }),
    route({
      id: "get_openapi",
      method: "GET",
      path: "/openapi.json",
      tag: "Documentation",
      summary: "This API as OpenAPI 3.1",
      scopes: null,
      answers: { 200: json(jsonObjectSchema, "The document") },
      async handle() {
        openApi ??= document();
        return ok({ status: 200, body: openApi, headers: CACHED });
      },
    }),
  ];
}
