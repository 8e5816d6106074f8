import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

import { cruise, type ICruiseResult, type IConfiguration } from "dependency-cruiser";
import { afterAll, describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const config = createRequire(import.meta.url)(
  path.join(root, ".dependency-cruiser.cjs"),
) as Required<Pick<IConfiguration, "forbidden" | "options">>;

type Tree = Record<string, string>;

const PACKAGES = ["hono", "zod", "drizzle-orm", "@modelcontextprotocol/sdk", "@a2a-js/sdk", "ai"];

/** What the design allows, one file per permission. */
const CLEAN: Tree = {
  "index.ts":
    'import { DurableObject } from "cloudflare:workers";\nimport "./services.ts";\nexport { T } from "./task/task-object.ts";\nexport const b = DurableObject;',
  "services.ts":
    'import "./rest/app.ts";\nimport "./dispatch/dispatcher.ts";\nimport "./config.ts";',
  "config.ts": 'import "zod";\nexport type Config = 1;',
  "lib/result.ts": "export const ok = 1;",
  "lib/log.ts": "export type Log = 1;",
  "protocol/task.ts": 'import "../lib/result.ts";\nimport "zod";',
  "db/tables.ts": 'import "drizzle-orm";',
  "task/machine.ts":
    'import "../protocol/task.ts";\nimport "../lib/log.ts";\nexport type State = 1;',
  "task/task-object.ts":
    'import "cloudflare:workers";\nimport "./machine.ts";\nexport const T = 1;',
  "dispatch/dispatcher.ts":
    'import type { State } from "../task/machine.ts";\nexport type Dispatcher = State;',
  "history/history-store.ts": 'import "drizzle-orm";\nimport "../db/tables.ts";',
  "executor/models/door.ts": 'import "ai";',
  "rest/app.ts":
    'import "hono";\nimport "../mcp/tools.ts";\nimport type { Dispatcher } from "../dispatch/dispatcher.ts";\nimport type { Config } from "../config.ts";\nexport type A = [Dispatcher, Config];',
  "mcp/tools.ts": 'import "@modelcontextprotocol/sdk";\nimport "../protocol/task.ts";',
  "a2a/card.ts": 'import "@a2a-js/sdk";',
  "console/page.ts": 'import "./part.ts";',
  "console/part.ts": "export const part = 1;",
};

/** Files added to the clean tree, and the one rule that has to object to them. */
const VIOLATIONS: [rule: string, what: string, tree: Tree][] = [
  [
    "no-cycle",
    "two files import each other",
    { "task/a.ts": 'import "./b.ts";', "task/b.ts": 'import "./a.ts";' },
  ],
  [
    "lib-imports-nothing",
    "lib imports the protocol",
    { "lib/x.ts": 'import "../protocol/task.ts";' },
  ],
  ["lib-imports-nothing", "lib imports a package", { "lib/y.ts": 'import "zod";' }],
  [
    "protocol-imports-zod-and-result",
    "the protocol imports a room",
    { "protocol/x.ts": 'import "../task/machine.ts";' },
  ],
  [
    "protocol-imports-zod-and-result",
    "the protocol imports a room's types",
    { "protocol/t.ts": 'import type { State } from "../task/machine.ts";\nexport type X = State;' },
  ],
  [
    "protocol-imports-zod-and-result",
    "the protocol imports hono",
    { "protocol/y.ts": 'import "hono";' },
  ],
  [
    "protocol-imports-zod-and-result",
    "the protocol imports the rest of lib",
    { "protocol/z.ts": 'import "../lib/log.ts";' },
  ],
  [
    "protocol-imports-zod-and-result",
    "the protocol imports the platform",
    { "protocol/w.ts": 'import "cloudflare:workers";' },
  ],
  ["db-imports-drizzle", "db imports a room", { "db/x.ts": 'import "../lib/result.ts";' }],
  [
    "task-imports-protocol-and-lib",
    "task imports dispatch",
    { "task/x.ts": 'import "../dispatch/dispatcher.ts";' },
  ],
  [
    "task-imports-protocol-and-lib",
    "task imports history's types",
    { "task/y.ts": 'import type {} from "../history/history-store.ts";' },
  ],
  [
    "task-imports-protocol-and-lib",
    "task imports db",
    { "task/z.ts": 'import "../db/tables.ts";' },
  ],
  [
    "room-imports-room",
    "delivery imports dispatch",
    { "delivery/x.ts": 'import "../dispatch/dispatcher.ts";' },
  ],
  [
    "room-imports-room",
    "delivery imports audit",
    { "audit/a.ts": "", "delivery/x.ts": 'import "../audit/a.ts";' },
  ],
  [
    "room-imports-room",
    "delivery imports faults",
    { "faults/a.ts": "", "delivery/x.ts": 'import "../faults/a.ts";' },
  ],
  [
    "room-imports-room",
    "dispatch imports executor",
    { "executor/e.ts": "", "dispatch/x.ts": 'import "../executor/e.ts";' },
  ],
  [
    "room-imports-room",
    "executor imports history",
    { "executor/x.ts": 'import "../history/history-store.ts";' },
  ],
  [
    "room-imports-room",
    "history imports observe",
    { "observe/o.ts": "", "history/x.ts": 'import "../observe/o.ts";' },
  ],
  [
    "room-imports-room",
    "observe imports history",
    { "observe/x.ts": 'import "../history/history-store.ts";' },
  ],
  [
    "room-imports-task-values",
    "observe runs the task's rules",
    { "observe/y.ts": 'import "../task/machine.ts";' },
  ],
  [
    "room-imports-face",
    "delivery imports a route",
    { "delivery/y.ts": 'import "../rest/app.ts";' },
  ],
  [
    "room-imports-face",
    "task imports the console",
    { "task/w.ts": 'import "../console/page.ts";' },
  ],
  [
    "face-imports-room-values",
    "a route calls a room",
    { "rest/x.ts": 'import "../dispatch/dispatcher.ts";' },
  ],
  [
    "face-imports-room-values",
    "an MCP tool calls the machine",
    { "mcp/x.ts": 'import "../task/machine.ts";' },
  ],
  ["face-imports-face", "a2a imports mcp", { "a2a/x.ts": 'import "../mcp/tools.ts";' }],
  [
    "face-imports-face",
    "a route other than the app imports mcp",
    { "rest/y.ts": 'import "../mcp/tools.ts";' },
  ],
  ["face-imports-db", "a route imports a table", { "rest/z.ts": 'import "../db/tables.ts";' }],
  [
    "console-imports-nothing",
    "the console imports the protocol",
    { "console/x.ts": 'import "../protocol/task.ts";' },
  ],
  [
    "room-imports-assembly",
    "a route imports services",
    { "rest/w.ts": 'import type {} from "../services.ts";' },
  ],
  ["room-imports-assembly", "a room imports index", { "delivery/w.ts": 'import "../index.ts";' }],
  [
    "start-imports-lazy",
    "the entry runs a skill",
    { "executor/skills/s.ts": "", "queues.ts": 'import "./executor/skills/s.ts";' },
  ],
  [
    "start-imports-lazy",
    "the entry asks a model",
    {
      "executor/models/provider/ask.ts": "",
      "config.ts": 'import "./executor/models/provider/ask.ts";',
    },
  ],
  [
    "start-imports-lazy",
    "the memory assesses an answer",
    {
      "executor/quality/assess.ts": "",
      "executor/memory/m.ts": 'import "../quality/assess.ts";',
    },
  ],
  [
    "room-imports-config-values",
    "a room reads the configuration",
    { "delivery/v.ts": 'import "../config.ts";' },
  ],
  [
    "cloudflare-outside-objects",
    "a rule file imports the platform",
    { "delivery/u.ts": 'import "cloudflare:workers";' },
  ],
  [
    "drizzle-outside-stores",
    "a consumer imports drizzle",
    { "history/history-consumer.ts": 'import "drizzle-orm";' },
  ],
  ["drizzle-outside-stores", "a route imports drizzle", { "rest/v.ts": 'import "drizzle-orm";' }],
  ["hono-outside-faces", "a room imports hono", { "dispatch/y.ts": 'import "hono";' }],
  [
    "sdk-outside-its-face",
    "a room imports the MCP SDK",
    { "dispatch/z.ts": 'import "@modelcontextprotocol/sdk";' },
  ],
  ["ai-sdk-outside-models", "a skill asks a model", { "executor/skills/x.ts": 'import "ai";' }],
  ["unresolvable", "an import leads nowhere", { "task/v.ts": 'import "./nowhere.ts";' }],
];

const copies: string[] = [];
afterAll(() => copies.forEach((copy) => rmSync(copy, { recursive: true })));

/** Writes a source tree with stub packages beside it. */
function plant(tree: Tree): string {
  const copy = mkdtempSync(path.join(tmpdir(), "batuta-architecture-"));
  copies.push(copy);
  for (const [name, text] of Object.entries(tree)) write(path.join(copy, "src", name), text);
  for (const name of PACKAGES) {
    const folder = path.join(copy, "node_modules", name);
    write(path.join(folder, "package.json"), JSON.stringify({ name, main: "index.js" }));
    write(path.join(folder, "index.js"), "");
  }
  return copy;
}

function write(file: string, text: string) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function judge(baseDir: string): Promise<ICruiseResult> {
  const { output } = await cruise(["src"], {
    ...config.options,
    ruleSet: { forbidden: config.forbidden },
    validate: true,
    baseDir,
  });
  return output as ICruiseResult;
}

describe("the import table", async () => {
  // One copy with everything wrong at once: each violation sits in files of its own.
  const broken = await judge(
    plant(Object.assign({ ...CLEAN }, ...VIOLATIONS.map(([, , tree]) => tree))),
  );

  it.each(VIOLATIONS)("%s objects when %s", (rule, _what, tree) => {
    const objectors = broken.summary.violations
      .filter(({ from }) => Object.keys(tree).includes(from.replace(/^src\//, "")))
      .map((violation) => violation.rule.name);

    expect(objectors).toContain(rule);
  });

  it("has a violation for every rule", () => {
    const proven = new Set(VIOLATIONS.map(([rule]) => rule));

    expect(proven).toEqual(new Set(config.forbidden.map(({ name }) => name)));
  });

  it("says nothing about a tree that keeps to the table", async () => {
    const clean = await judge(plant(CLEAN));

    expect(clean.summary.violations).toEqual([]);
    expect(clean.modules.filter(({ source }) => source.startsWith("src/"))).toHaveLength(
      Object.keys(CLEAN).length,
    );
  });

  it("holds for this repository, on more than nothing", { timeout: 60_000 }, async () => {
    const real = await judge(root);

    expect(
      real.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
    ).toEqual([]);
    expect(real.summary.totalCruised).toBeGreaterThan(0);
  });
});
