import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { Server } from "./server.ts";

const root = path.join(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "batuta-backups-"));
const SEAL = { BATUTA_SEAL_KEY: "backup-test-backup-test-backup-test" };
const servers: Server[] = [];

afterAll(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function started(environment: Record<string, string>): Promise<Server> {
  const server = await Server.create({ ...SEAL, ...environment });
  servers.push(server);
  await server.start();
  return server;
}

/** A script as a user calls it: what it said and how it ended. */
function run(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    env: {
      ...process.env,
      CI: "1",
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
  return { status, said: `${stdout}${stderr}` };
}

async function ask(
  server: Server,
  method: string,
  address: string,
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(`${server.url}${address}`, {
    method,
    headers: { authorization: `Bearer ${server.adminKey}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${address}: ${await response.text()}`);
  return response.json();
}

/** What an installation shows that lives in D1 alone. */
const shown = (server: Server): Promise<unknown[]> =>
  Promise.all(
    ["webhooks", "agents", "keys", "callback-secret", "tasks", "tasks/one/events"].map((what) =>
      ask(server, "GET", `/v1/${what}`),
    ),
  );

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("history did not follow");
}

describe("npm run backup, and npm run restore into the state of another installation", () => {
  it("bring back every registration, secret and task", { timeout: 400_000 }, async () => {
    const first = await started({});
    await ask(first, "POST", "/v1/webhooks", {
      url: "http://127.0.0.1:9/hook",
      events: ["task_completed"],
    });
    await ask(first, "PUT", "/v1/agents/ann", {
      capabilities: ["x"],
      labels: { team: 'it\'s; -- "quoted"' },
    });
    await ask(first, "POST", "/v1/keys", { name: "orchestrator", scopes: ["orchestrate"] });
    const requires = { capabilities: ["nobody"] };
    const task = {
      task_id: "one",
      task_type: "research",
      description: "it's\r\n'one'; -- 🙂",
    };
    await ask(first, "POST", "/v1/tasks", { ...task, requires });
    await until(async () => JSON.stringify(await ask(first, "GET", "/v1/tasks")).includes('"one"'));
    const before = await shown(first);
    await first.kill();
    const out = path.join(folder, "out");

    const backup = run("scripts/backup.mjs", "--state", first.state, "--out", out);
    const [name = ""] = readdirSync(out);
    const state = path.join(folder, "state");
    const wrangler = "node_modules/wrangler/bin/wrangler.js";
    const local = ["--local", "--persist-to", state, "--env", ""];
    run(wrangler, "d1", "migrations", "apply", "batuta", ...local);
    const from = ["--from", path.join(out, name), "--state", state];
    const restore = run("scripts/restore.mjs", ...from);
    const again = run("scripts/restore.mjs", ...from);

    expect([backup.status, backup.said]).toEqual([0, expect.stringContaining("is finished")]);
    expect([restore.status, restore.said]).toEqual([0, expect.stringContaining("is the same")]);
    expect([again.status, again.said]).toEqual([1, expect.stringContaining("is not empty")]);
    expect(readdirSync(out)).toEqual([name]);
    // Objects are no part of a backup: here they survive, as the platform keeps them when D1 alone is lost.
    cpSync(path.join(first.state, "v3/do"), path.join(state, "v3/do"), { recursive: true });
    const second = await started({ BATUTA_STATE: state });
    const after = await shown(second);
    const plain = (answers: unknown[]) =>
      JSON.stringify(answers).replaceAll(/"(last_seen_at|last_used_at|state)":[^,}]+/g, "");
    expect(plain(after)).toBe(plain(before));
  });

  it.each([
    [["scripts/restore.mjs"], "say --from FOLDER, or --bucket"],
    [["scripts/restore.mjs", "--from", "/nowhere"], "there is no manifest.json"],
    [["scripts/backup.mjs", "--local", "--remote"], "not both"],
    [["scripts/backup.mjs", "--everything"], "--everything"],
  ])("refuse %j", (args, words) => {
    const { status, said } = run(...args);

    expect([status, said]).toEqual([2, expect.stringContaining(words)]);
  });
});
