import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = path.join(import.meta.dirname, "../..");

/** What a deployment may weigh, gzip (issue: bundle ≤ 500 KiB). */
const LARGEST_BUNDLE_BYTES = 500 * 1024;

/** Bundling takes its time on a busy machine. */
const SLOW_MS = 120_000;

/** Everything that `wrangler deploy` does short of the upload; needs no account. */
async function dryRun(folder: string, environment: string): Promise<string> {
  const out = path.join(folder, `env-${environment}`);
  await run(
    path.join(root, "node_modules/.bin/wrangler"),
    ["deploy", "--dry-run", "--env", environment, "--outdir", out],
    { cwd: root, env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" } },
  );
  return readFile(path.join(out, "index.js"), "utf8");
}

describe("a deployment", () => {
  let folder = "";
  let local = "";
  let production = "";
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "batuta-deploy-"));
    local = await dryRun(folder, "");
    production = await dryRun(folder, "production");
  }, SLOW_MS);
  afterAll(() => rm(folder, { recursive: true }));

  it("passes a dry run and stays small", () => {
    expect(gzipSync(production).byteLength).toBeLessThan(LARGEST_BUNDLE_BYTES);
    expect(production).toContain("TaskObject");
  });

  it("is the same code on a laptop and in production, and nothing in it asks where it runs", () => {
    expect(production).toBe(local);
    expect(production).not.toMatch(/process\.env\.NODE_ENV|isProduction/);
  });
});
