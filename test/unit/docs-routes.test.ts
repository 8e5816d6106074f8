import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { jsonSchemaOf, messageNameSchema } from "../../src/protocol/registry.ts";
import { problemType } from "../../src/rest/edge/problems.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const assets = path.join(import.meta.dirname, "../../assets");
const asset = (name: string): string => readFileSync(path.join(assets, name), "utf8");

describe("/v1/schemas", () => {
  it("lists every published schema, those of the contract among them", async () => {
    const { app } = createFakeApp();

    const response = await send(app, "/v1/schemas", { key: null });

    const { items } = z
      .object({
        items: z.array(z.object({ name: z.string(), title: z.string(), url: z.string() })),
      })
      .parse(await response.json());
    const names = items.map(({ name }) => name);
    expect(names).toEqual(messageNameSchema.options);
    expect(names).toEqual(
      expect.arrayContaining([
        "task_execution",
        "task_batch",
        "notification",
        "agent_end_task",
        "webhook_registration",
        "status_request",
        "webhook_delivery",
        "problem",
      ]),
    );
  });

  it.each(messageNameSchema.options)("serves %s as JSON Schema 2020-12", async (name) => {
    const { app } = createFakeApp();

    const response = await send(app, `/v1/schemas/${name}`, { key: null });

    expect(response.headers.get("Content-Type")).toBe("application/schema+json");
    expect(await response.json()).toEqual(jsonSchemaOf(name));
  });

  it("names what there is when asked for what is not", async () => {
    const { app } = createFakeApp();

    const response = await send(app, "/v1/schemas/nonsense", { key: null });

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "schema_not_found",
      detail: expect.stringContaining("task_execution"),
    });
  });
});

describe("/docs", () => {
  it("loads nothing from another host", () => {
    const pages = readdirSync(assets).filter((name) => /\.(html|js|css)$/.test(name));

    expect(pages).toContain("docs.html");
    for (const page of pages)
      expect(asset(page)).not.toMatch(/(?:src|href|url)\s*[=(:]\s*["']?(?:https?:)?\/\//);
  });

  it("shows the served document and has the anchors that problems point to", () => {
    const script = asset("docs.js");

    expect(script).toContain('fetch("/openapi.json")');
    expect(script).toContain("`problem-${code}`");
    expect(problemType("lease_lost")).toBe("/docs#problem-lease_lost");
  });
});
