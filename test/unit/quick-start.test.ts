import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";

/* What a stranger sees first has to be true: the README's commands run against a server started as `npm start` does. */

const root = path.join(import.meta.dirname, "../..");
const inRoot = (name: string): string => readFileSync(path.join(root, name), "utf8");
const README = inRoot("README.md");
const ADMIN_KEY = "bk_quick_start_0123456789";

/** A fenced block of the README: its language, the word behind it, and what is in it. */
const BLOCKS = [...README.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(
  ([, language = "", mark = "", text = ""]) => ({ language, mark, text }),
);

/** Every block that is to be run, as one session: `serve` blocks go on in the background, the others must succeed. */
function sessionOf(ports: { receiver: number }): string {
  const commands = BLOCKS.filter(
    ({ language, mark }) => language === "bash" && ["run", "serve"].includes(mark),
  ).map(({ mark, text }) =>
    mark === "run" ? `${text}echo "@@ done"` : `PORT=${ports.receiver} ${text.trim()} &\nsleep 1`,
  );
  return ["set -euo pipefail", ...commands]
    .join("\n")
    .replaceAll("127.0.0.1:9000", `127.0.0.1:${ports.receiver}`);
}

/** The landing page's commands, with an address and a key of ours, where a refusal counts as a failure. */
function landingPageSession(): string {
  const [, code = ""] = /<pre><code>(.*?)<\/code><\/pre>/s.exec(inRoot("assets/start.html")) ?? [];
  const commands = code.replaceAll(/^(?:KEY|URL)=.*$/gm, "").replaceAll("&amp;", "&");
  return `set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; }\n${commands}`;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.int() }).parse(probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Leads a process group of its own, so that nothing that it starts can outlive the test. */
function start(command: string, args: string[], env: Record<string, string>) {
  const child = spawn(command, args, {
    cwd: root,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The whole group is gone already, which is what was wanted.
    }
  };
  return { ended, kill, output: () => output };
}

async function untilReady(url: string, server: ReturnType<typeof start>): Promise<void> {
  const giveUpAt = Date.now() + 90_000;
  while (Date.now() < giveUpAt) {
    try {
      if ((await fetch(`${url}/health`)).ok) return;
    } catch {
      await pause(200);
    }
  }
  throw new Error(`The server did not start:\n${server.output()}`);
}

describe("the README's files", () => {
  it("shows the examples as they are", () => {
    const shown = BLOCKS.filter(({ mark }) => mark.startsWith("file="));

    expect(shown.length).toBeGreaterThan(0);
    for (const { mark, text } of shown) expect(text).toBe(inRoot(mark.slice("file=".length)));
  });

  it("links to files that exist", () => {
    const targets = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(
      ([, target = ""]) => target,
    );

    expect(targets.length).toBeGreaterThan(20);
    expect(targets.filter((target) => !existsSync(path.join(root, target)))).toEqual([]);
  });

  it("names every variable and every queue of the Worker", () => {
    const toml = inRoot("wrangler.toml");
    const names = [
      ...[...toml.matchAll(/^([A-Z][A-Z_]+) = /gm)].map(([, name = ""]) => `\`${name}\``),
      ...[...toml.matchAll(/^queue = "([^"]+)"/gm)].map(
        ([, name]) => `wrangler queues create ${name}`,
      ),
    ];

    expect(names.filter((name) => !README.includes(name))).toEqual([]);
  });

  it("names only scripts that package.json has", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(inRoot("package.json")));
    const named = [...README.matchAll(/npm run ([a-z]+)/g)].map(([, name = ""]) => name);

    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

const canStart = (tool: string): boolean => spawnSync(tool, ["--version"]).status === 0;
const canRun = canStart("bash") && canStart("curl");
const hasPython = canStart("python3");

describe.skipIf(!canRun)("the README's commands", () => {
  let server: ReturnType<typeof start>;
  let state: string;
  let url: string;

  beforeAll(async () => {
    state = mkdtempSync(path.join(tmpdir(), "batuta-quick-start-"));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = start(process.execPath, [path.join(root, "scripts/start.mjs")], {
      PORT: String(port),
      BATUTA_STATE: state,
      BATUTA_ADMIN_KEY: ADMIN_KEY,
      // As if nobody had set one: the test runner did.
      BATUTA_SEAL_KEY: "",
    });
    await untilReady(url, server);
  }, 120_000);

  afterAll(async () => {
    server.kill("SIGTERM");
    await server.ended;
    server.kill("SIGKILL");
    rmSync(state, { recursive: true, force: true });
  });

  it(
    "all succeed, and the examples carry out what is given to them",
    { timeout: 90_000 },
    async () => {
      const receiver = await freePort();
      const session = start("bash", ["-c", sessionOf({ receiver })], { URL: url, KEY: ADMIN_KEY });

      const status = await session.ended;
      // The last webhook may still be on its way to the receiver, which goes on in the background.
      const arrived = () =>
        /^agent_end_task count-words seq \d+ after \d+$/m.test(session.output());
      await vi.waitUntil(arrived, { timeout: 20_000 }).catch(() => false);
      session.kill("SIGTERM");

      const output = session.output();
      expect({ status, output }).toMatchObject({ status: 0 });
      // The receiver verified what it was sent, the executor counted, and the stream went on to the end.
      expect(output).toMatch(/^agent_end_task count-words seq \d+ after \d+$/m);
      expect(output).toContain('"result":{"words":6,"different":5}');
      expect(output).toContain("event: agent_end_task");
    },
  );

  it("find a server whose key for its secrets stays in its state, for its owner alone", () => {
    const file = path.join(state, "seal.key");

    expect(readFileSync(file, "utf8").trim()).toMatch(/^[\w-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("also those of the landing page", { timeout: 60_000 }, async () => {
    const session = start("bash", ["-c", landingPageSession()], { URL: url, KEY: ADMIN_KEY });

    const status = await session.ended;

    const output = session.output();
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).toContain('"completion_status":"success"');
  });

  it.skipIf(!hasPython)("has a working executor in Python, too", { timeout: 60_000 }, async () => {
    const env = { BATUTA_URL: url, BATUTA_KEY: ADMIN_KEY, AGENT_ID: "in-python" };
    const executor = start("python3", ["examples/executor.py"], env);
    const headers = { Authorization: `Bearer ${ADMIN_KEY}`, "Content-Type": "application/json" };
    const body = JSON.stringify({
      task_id: "for-python",
      task_type: "general",
      description: "Count the words of this.",
      parameters: { input_data: { text: "one two two" } },
      pool: "words",
      requires: { agent_id: "in-python" },
    });

    await fetch(`${url}/v1/tasks`, { method: "POST", headers, body });
    const stream = await fetch(`${url}/v1/tasks/for-python/stream`, { headers });
    const events = await stream.text();
    executor.kill("SIGTERM");
    await executor.ended;

    expect(events).toContain('"result":{"words":3,"different":2}');
  });
});
