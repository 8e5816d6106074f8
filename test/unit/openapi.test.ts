import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ok } from "../../src/lib/result.ts";
import { REFUSAL_CODES } from "../../src/protocol/refusal.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { openApiDocument } from "../../src/rest/openapi.ts";
import { json, route } from "../../src/rest/route.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const documentShape = z.looseObject({
  openapi: z.string(),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        security: z.array(z.record(z.string(), z.array(z.string()))),
        parameters: z
          .array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean() }))
          .optional(),
        requestBody: z.looseObject({ required: z.boolean() }).optional(),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
  "x-problems": z.record(z.string(), z.unknown()),
});

async function fetchDocument() {
  const { app } = createFakeApp();
  const response = await send(app, "/openapi.json", { key: null });
  return { app, document: documentShape.parse(await response.json()) };
}

describe("/openapi.json", () => {
  it("lists every mounted route, and nothing else", async () => {
    const { app, document } = await fetchDocument();
    const mounted = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);

    const listed = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );

    expect(listed.toSorted()).toEqual([...new Set(mounted)].toSorted());
    expect(listed).toHaveLength(ROUTES.length);
  });

  it("is valid OpenAPI 3.1", async () => {
    const { document } = await fetchDocument();

    const result = await new Validator().validate(document);

    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it("points at components that are there, and uses all of them", async () => {
    const { document } = await fetchDocument();
    const text = JSON.stringify(document);
    const references = text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    const targets = [...new Set([...references].map(([, name]) => String(name)))];

    expect(targets.toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
    expect(text).not.toContain("#/$defs/");
  });

  it("gives every operation its own name, and every path parameter its place", async () => {
    const { document } = await fetchDocument();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );

    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(ROUTES.length);
    for (const { path, parameters = [] } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });

  it("says which scopes open a route and how it can refuse", async () => {
    const { document } = await fetchDocument();

    const submit = document.paths["/v1/tasks"]?.["post"];

    expect(submit?.security).toEqual([{ key: ["orchestrate"] }, { key: ["admin"] }]);
    expect(Object.keys(submit?.responses ?? {})).toEqual([
      "200",
      "202",
      "400",
      "401",
      "403",
      "409",
      "413",
      "415",
      "422",
      "429",
      "default",
    ]);
    expect(submit?.requestBody?.required).toBe(true);
    expect(document.paths["/v1/agents/{agent_id}/claim"]?.["post"]?.requestBody?.required).toBe(
      false,
    );
    expect(document.paths["/health"]?.["get"]?.security).toEqual([]);
  });

  it("says which routes an agent's signature opens in place of a key", async () => {
    const { document } = await fetchDocument();

    const signed = Object.entries(document.paths).filter(([, methods]) =>
      JSON.stringify(methods).includes('{"signature":[]}'),
    );

    expect(signed.map(([path]) => path).toSorted()).toEqual([
      "/v1/notifications",
      "/v1/tasks/{task_id}/decline",
      "/v1/tasks/{task_id}/end",
      "/v1/tasks/{task_id}/heartbeat",
    ]);
    expect(JSON.stringify(document)).toContain('"name":"webhook-signature"');
  });

  it("explains every code", async () => {
    const { document } = await fetchDocument();

    expect(Object.keys(document["x-problems"]).toSorted()).toEqual([...REFUSAL_CODES].toSorted());
  });
});

describe("openApiDocument", () => {
  it("keeps two forms of a schema apart when defaults make them differ", () => {
    const colour = z.strictObject({ name: z.string().default("red") }).meta({ id: "Colour" });
    const pot = z.strictObject({ colour }).meta({ id: "Pot" });

    const document = openApiDocument([
      route({
        id: "paint",
        method: "POST",
        path: "/paint",
        tag: "Operations",
        summary: "Paints",
        scopes: null,
        body: pot,
        answers: { 200: json(pot, "A pot") },
        handle: async () => ok({ status: 200 }),
      }),
    ]);

    const shape = z.looseObject({
      components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
    });
    expect(shape.parse(document).components.schemas).toMatchObject({
      Pot: { properties: { colour: { $ref: "#/components/schemas/Colour" } } },
      PotAnswer: { properties: { colour: { $ref: "#/components/schemas/ColourAnswer" } } },
    });
  });
});
