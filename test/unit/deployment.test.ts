import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";

import type { createAsk } from "../../src/executor/models/provider/ask.ts";
import { ModelServer } from "../model-server.ts";
import { askWith, KEY, modelAsked, NUMBER, question, USAGE } from "./model-asking.ts";

const run = promisify(execFile);
const root = path.join(import.meta.dirname, "../..");

/** What every start of an isolate reads may weigh, gzip (issue: bundle ≤ 500 KiB). */
const LARGEST_BUNDLE_BYTES = 500 * 1024;

/** What is uploaded, with what is only read when it is needed: a quarter of what the platform takes of a free account. */
const LARGEST_UPLOAD_BYTES = (3 * 1024 * 1024) / 4;

/** Bundling takes its time on a busy machine. */
const SLOW_MS = 120_000;

/** What a deployment consists of. */
interface Upload {
  names: string[];
  entry: string;
  lazy: string;
}

const gzipBytes = (text: string) => gzipSync(text).byteLength;

/** Everything that `wrangler deploy` does short of the upload; needs no account. */
async function dryRun(folder: string, environment: string): Promise<Upload> {
  const out = path.join(folder, `env-${environment}`);
  await run(
    path.join(root, "node_modules/.bin/wrangler"),
    ["deploy", "--dry-run", "--env", environment, "--outdir", out],
    { cwd: root, env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" } },
  );
  const read = (name: string) => readFile(path.join(out, name), "utf8");
  const names = (await readdir(out)).filter((name) => /\.m?js$/.test(name));
  return { names, entry: await read("index.js"), lazy: await read("executor.lazy.mjs") };
}

/** What the uploaded module gives to ask models with. */
async function lazyAsk(folder: string): Promise<typeof createAsk> {
  const file = path.join(folder, "env-production/executor.lazy.mjs");
  const lazy: { createAsk: typeof createAsk } = await import(file);
  return lazy.createAsk;
}

/** What packages take from a module by name, and from its namespace `z`. */
async function takenFrom(name: string, files: readonly string[]) {
  const texts = await Promise.all(
    files.map((file) => readFile(path.join(root, "node_modules", file), "utf8")),
  );
  const imports = texts.flatMap((text) =>
    [...text.matchAll(/import \{([^}]+)\} from "([^"]+)"/g)]
      .filter(([, , from]) => from === name)
      .flatMap(([, names = ""]) =>
        names.split(",").map((one) => one.trim().split(" as ")[0] ?? ""),
      ),
  );
  const members = texts
    .filter((text) => text.includes(`import { z } from "${name}"`))
    .flatMap((text) => [...text.matchAll(/\bz\.(\w+)\(/g)].map(([, member = ""]) => member));
  return { imports: [...new Set(imports)], members: [...new Set(members)] };
}

const SDK = [
  "ai/dist/index.js",
  "@ai-sdk/openai-compatible/dist/index.js",
  "@ai-sdk/provider-utils/dist/index.js",
];

describe("what stands in for packages in the bundle", () => {
  it("has all that the AI SDK takes of zod/v4, from the same zod", async () => {
    const slim: Record<string, unknown> = await import(path.join(root, "bundle/zod-v4.mjs"));
    const { imports, members } = await takenFrom("zod/v4", SDK);

    expect(imports).toEqual(expect.arrayContaining(["z", "object", "safeParseAsync"]));
    expect(members.length).toBeGreaterThan(8);
    expect(imports.filter((name) => !(name in slim))).toEqual([]);
    expect(members.filter((name) => !(name in Object(slim["z"])))).toEqual([]);
    expect(slim["object"]).toBe(z.object);
  });

  it("has all that the AI SDK takes of the gateway, which is never asked", async () => {
    const slim: Record<string, unknown> = await import(path.join(root, "bundle/gateway.mjs"));
    const { imports } = await takenFrom("@ai-sdk/gateway", SDK);

    expect(imports.length).toBeGreaterThan(2);
    expect(imports.filter((name) => !(name in slim))).toEqual([]);
    expect(slim["createGateway"]).toThrow("catalogue");
  });
});

describe("a deployment", () => {
  let folder = "";
  let local: Upload;
  let production: Upload;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "batuta-deploy-"));
    local = await dryRun(folder, "");
    production = await dryRun(folder, "production");
  }, SLOW_MS);
  afterAll(() => rm(folder, { recursive: true }));

  it("passes a dry run and stays small", () => {
    const { entry, lazy } = production;
    expect(gzipBytes(entry)).toBeLessThan(LARGEST_BUNDLE_BYTES);
    expect(gzipBytes(entry) + gzipBytes(lazy)).toBeLessThan(LARGEST_UPLOAD_BYTES);
    expect(entry).toContain("TaskObject");
  });

  it("leaves the built-in executor and the SDK of models to a module that a start does not read", () => {
    const { names, entry, lazy } = production;
    expect(names.toSorted()).toEqual(["executor.lazy.mjs", "index.js"]);
    // In so many words: a static import would be read at every start.
    expect(entry).toContain('import("./executor.lazy.mjs")');
    expect(entry).not.toMatch(/from ?"\.\/executor\.lazy\.mjs"/);
    for (const name of ["execution_done", "AI_APICallError", "YAMLException"]) {
      expect(lazy).toContain(name);
      expect(entry).not.toContain(name);
    }
    // What the platform gives is given to the entry alone.
    expect(lazy).not.toMatch(/from ?"(node|cloudflare):/);
  });

  it.each([true, false])(
    "asks a model with what is uploaded (is_streamed %s)",
    async (is_streamed) => {
      const server = new ModelServer();
      server.script("lazy", { "*": [{ text: '{"amount": 100}', usage: USAGE }] });
      const model = modelAsked({ base_url: await server.baseUrl("lazy"), is_streamed });
      const ask = askWith(await lazyAsk(folder));

      const answer = await ask({ model, api_key: KEY }, { ...question(), output_schema: NUMBER });
      server.stop();

      expect(answer).toMatchObject({
        ok: true,
        value: { value: { amount: 100 }, usage: { input_tokens: 1_000, output_tokens: 200 } },
      });
    },
  );

  it("is the same code on a laptop and in production, and nothing in it asks where it runs", () => {
    expect(production).toEqual(local);
    for (const text of [production.entry, production.lazy]) {
      expect(text).not.toMatch(/process\.env\.NODE_ENV|isProduction/);
    }
  });
});
