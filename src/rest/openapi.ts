import * as z from "zod";

import { taskPushSchema } from "../protocol/agent-channel.ts";
import { SCHEMA_VERSION } from "../protocol/primitives.ts";
import { problemSchema } from "../protocol/problem.ts";
import type { RefusalCode } from "../protocol/refusal.ts";
import { VERSION_HEADER } from "../protocol/versions.ts";
import { webhookChallengeSchema, webhookDeliverySchema } from "../protocol/webhook.ts";
import { PROBLEMS } from "./edge/problems.ts";
import { PUBLIC_TOKEN, securityOf, SIGNATURE } from "./openapi-security.ts";
import { classOf } from "./operation-class.ts";
import type { Route } from "./route.ts";

type Json = Record<string, unknown>;
type Direction = "input" | "output";

/** Named schemas of the document with their full text, by which equal ones are known. */
type Components = Map<string, { definition: Json; fullText: string }>;

const DEFINITION = "#/$defs/";

/** A copy in which every reference to a local definition is replaced by what `replace` gives for its name. */
function replaceReferences(value: unknown, replace: (name: string) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceReferences(item, replace));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" && inner.startsWith(DEFINITION)
      ? Object.entries(replace(inner.slice(DEFINITION.length)))
      : [[key, replaceReferences(inner, replace)] as const],
  );
  return Object.fromEntries(entries);
}

/**
 * The OpenAPI form of a schema; what has a name of its own goes to the components.
 *
 * A schema whose answers differ from its requests, because defaults are filled in, is there twice.
 */
function describe(schema: z.ZodType, direction: Direction, components: Components): Json {
  const { $schema: _dialect, $defs = {}, ...root } = z.toJSONSchema(schema, { io: direction });
  // A schema that holds itself stands for itself inside.
  const inline = (value: unknown, around: readonly string[] = []): unknown =>
    replaceReferences(value, (id) => ({
      [id]: around.includes(id) ? {} : inline($defs[id], [...around, id]),
    }));
  const nameOf = (id: string): string => {
    const there = components.get(id);
    const isSame = there === undefined || there.fullText === JSON.stringify(inline($defs[id]));
    return isSame ? id : `${id}${direction === "input" ? "Request" : "Answer"}`;
  };
  const names = new Map(Object.keys($defs).map((id) => [id, nameOf(id)]));
  const point = (id: string): Json => ({ $ref: `#/components/schemas/${names.get(id) ?? id}` });
  for (const [id, definition] of Object.entries($defs)) {
    components.set(names.get(id) ?? id, {
      definition: replaceReferences(definition, point) as Json,
      fullText: JSON.stringify(inline(definition)),
    });
  }
  return replaceReferences(root, point) as Json;
}

/** The properties of an object schema, wherever they are written down. */
function propertiesOf(schema: z.ZodObject, direction: Direction): [string, Json][] {
  return Object.entries(schema.shape).map(([name, property]) => {
    const { $schema: _dialect, ...form } = z.toJSONSchema(property, { io: direction });
    return [name, form];
  });
}

/** Parameters of one kind. They arrive as text and are described as what they mean. */
function parametersOf(kind: "path" | "query" | "header", schema: z.ZodObject | undefined): Json[] {
  if (schema === undefined) return [];
  return propertiesOf(schema, "output").map(([name, form]) => {
    const { description, ...rest } = form;
    const isRequired = schema.shape[name]?.safeParse(undefined).success === false;
    return {
      name,
      in: kind,
      required: isRequired,
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

const OF_KEYS: readonly RefusalCode[] = ["unauthenticated", "forbidden", "rate_limited"];
const OF_BODIES: readonly RefusalCode[] = [
  "body_too_large",
  "unsupported_media_type",
  "malformed_json",
  "body_too_complex",
  "validation_failed",
];

/** Every code a route can refuse with: those of the edge follow from what it declares. */
function refusalsOf(route: Route): RefusalCode[] {
  return [
    ...new Set<RefusalCode>([
      "validation_failed",
      "unsupported_version",
      "rate_limited",
      "temporarily_blocked",
      ...(route.body === undefined ? [] : OF_BODIES),
      ...(route.scopes === null ? [] : OF_KEYS),
      ...(route.refusals ?? []),
    ]),
  ];
}

/** OpenAPI has no parameters for all operations, so each of them names it. */
const VERSION_PARAMETER = {
  name: VERSION_HEADER,
  in: "header",
  required: false,
  description: "Version of the contract, where the body has no `schema_version`; see /v1/versions.",
  schema: { type: "string" },
};

const HEADERS = {
  [VERSION_HEADER]: { $ref: "#/components/headers/Version" },
  "X-Request-Id": { $ref: "#/components/headers/RequestId" },
  traceparent: { $ref: "#/components/headers/Traceparent" },
};

/** What answers say of the limit of requests, where there is one. */
const LIMIT_HEADERS = {
  RateLimit: { $ref: "#/components/headers/RateLimit" },
  "RateLimit-Policy": { $ref: "#/components/headers/RateLimitPolicy" },
};

/** OpenAPI 3.1 lets a description stand beside a reference (§4.8.23). */
const PROBLEM_RESPONSE = { $ref: "#/components/responses/Problem" };

function responsesOf(route: Route, components: Components): Json {
  const responses: Json = { default: PROBLEM_RESPONSE };
  const headers = { ...HEADERS, ...(route.scopes !== null && LIMIT_HEADERS) };
  const byStatus = Map.groupBy(refusalsOf(route), (code) => PROBLEMS[code].status);
  for (const [status, codes] of byStatus) {
    responses[status] = { ...PROBLEM_RESPONSE, description: codes.join(", ") };
  }
  for (const [status, answer] of Object.entries(route.answers)) {
    const { description, schema, mediaType, streamType } = answer;
    const form = schema === null ? { type: "string" } : describe(schema, "output", components);
    responses[status] = {
      description,
      headers,
      ...(mediaType !== null && {
        content: {
          [mediaType]: { schema: form },
          ...(streamType !== undefined && { [streamType]: { schema: { type: "string" } } }),
        },
      }),
    };
  }
  return responses;
}

/** OpenAPI has no field for the content coding of a request. */
const REQUEST_BODY =
  "At most 1 MiB; may be sent with `Content-Encoding: gzip`, and is at most 1 MiB then both as it is sent and decompressed.";

function operationOf(route: Route, components: Components): Json {
  const parameters = [
    ...parametersOf("path", route.params),
    ...parametersOf("query", route.query),
    // What a client accepts is told by the answers' media types (OpenAPI 3.1 §4.8.12.1).
    ...parametersOf("header", route.headers).filter(({ name }) => name !== "Accept"),
    { $ref: "#/components/parameters/Version" },
  ];
  const body = route.body;
  const operation = classOf(route);
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    security: securityOf(route),
    ...(operation !== null && { "x-operation-class": operation }),
    ...(route.deprecated !== undefined && { deprecated: true }),
    parameters,
    ...(body !== undefined && {
      requestBody: {
        description: REQUEST_BODY,
        required: !body.safeParse({}).success,
        content: { "application/json": { schema: describe(body, "input", components) } },
      },
    }),
    responses: responsesOf(route, components),
  };
}

const INFO = {
  title: "Batuta",
  version: SCHEMA_VERSION,
  summary: "Hands tasks from orchestrator agents to executor agents, and never loses one.",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
};

/** What this system sends on its own. */
function webhooksOf(components: Components): Json {
  const delivery = describe(webhookDeliverySchema, "output", components);
  const challenge = describe(webhookChallengeSchema, "output", components);
  const pushed = describe(taskPushSchema, "output", components);
  return {
    notification: {
      post: {
        summary: "What a registered endpoint gets, signed by Standard Webhooks",
        requestBody: { content: { "application/json": { schema: delivery } } },
        responses: { "2XX": { description: "Taken; anything else is tried again" } },
      },
    },
    task: {
      post: {
        summary: "What an executor registered with a `url` gets for each task, signed likewise",
        requestBody: { content: { "application/json": { schema: pushed } } },
        responses: {
          "202": { description: "It takes the task and works by its lease" },
          "409": { description: "It declines, with a `reason`; any other answer counts as none" },
        },
      },
    },
    challenge: {
      post: {
        summary: "What an endpoint registered with `challenge: true` gets first, signed likewise",
        requestBody: { content: { "application/json": { schema: challenge } } },
        responses: {
          "2XX": { description: "Met, if the body contains the text of `data.challenge`" },
        },
      },
    },
  };
}

/** The document of a table of routes (OpenAPI 3.1): what is in the table is in it, and nothing else. */
export function openApiDocument(routes: readonly Route[]): Json {
  const components: Components = new Map();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(route, components),
    };
  }
  describe(problemSchema, "output", components);
  const webhooks = webhooksOf(components);
  return {
    openapi: "3.1.1",
    info: INFO,
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    webhooks,
    components: {
      schemas: Object.fromEntries([...components].map(([id, { definition }]) => [id, definition])),
      parameters: { Version: VERSION_PARAMETER },
      headers: {
        Version: { description: "The version of the contract", schema: { type: "string" } },
        RequestId: { description: "Names this request in the log", schema: { type: "string" } },
        RateLimit: {
          description:
            'What is left of the window\'s requests of the class, and seconds until it ends: `"execute";r=299;t=60`',
          schema: { type: "string" },
        },
        RateLimitPolicy: {
          description:
            'Requests of the class in a window, and its seconds: `"execute";q=300;w=60` (draft-ietf-httpapi-ratelimit-headers)',
          schema: { type: "string" },
        },
        Traceparent: { description: "W3C Trace Context", schema: { type: "string" } },
      },
      responses: {
        Problem: {
          description: "Any other refusal",
          headers: HEADERS,
          content: {
            "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
          },
        },
      },
      securitySchemes: {
        key: { type: "http", scheme: "bearer" },
        signature: SIGNATURE,
        ...PUBLIC_TOKEN,
      },
    },
    "x-problems": PROBLEMS,
  };
}
