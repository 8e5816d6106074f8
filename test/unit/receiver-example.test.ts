import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { newSecret, signatureHeader, signingKey } from "../../src/delivery/signature.ts";

/* examples/receiver.mjs as a user runs it, against requests that we sign. */

const root = path.join(import.meta.dirname, "../..");
const SECRET = newSecret();

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.int() }).parse(probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const bodyOf = (task_id: string): string =>
  JSON.stringify({ type: "task_started", data: { task_id, seq: 1, prev_seq: null } });

describe("the receiver of the examples", () => {
  let receiver: ChildProcess;
  let url: string;
  let output = "";

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    receiver = spawn(process.execPath, [path.join(root, "examples/receiver.mjs")], {
      cwd: root,
      env: { ...process.env, WEBHOOK_SECRET: SECRET, PORT: String(port) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    receiver.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await vi.waitFor(() => fetch(url), { timeout: 15_000, interval: 50 });
  }, 20_000);
  afterAll(() => {
    receiver.kill();
  });

  /** Sends a signed request; `arriving` is its body on arrival. */
  async function post(
    id: string,
    {
      offsetSeconds = 0,
      arriving = bodyOf(id),
    }: { offsetSeconds?: number; arriving?: string } = {},
  ): Promise<number> {
    const timestamp = Math.floor(Date.now() / 1_000) + offsetSeconds;
    const body = new TextEncoder().encode(bodyOf(id));
    const signature = await signatureHeader([await signingKey(SECRET)], { id, timestamp, body });
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signature,
      },
      body: arriving,
    });
    return response.status;
  }

  const seen = (id: string): number => output.split(id).length - 1;

  it("acts once on a request that is replayed, and answers both times that it has it", async () => {
    const answers = [await post("msg_twice"), await post("msg_twice"), await post("msg_other")];

    await expect.poll(() => seen("msg_other")).toBe(1);
    expect(answers).toEqual([204, 204, 204]);
    expect(seen("msg_twice")).toBe(1);
  });

  it.each([
    ["a changed byte", { arriving: bodyOf("msg_changed").replace("started", "startet") }],
    ["an old timestamp", { offsetSeconds: -301 }],
    ["a timestamp ahead", { offsetSeconds: 302 }],
  ])("refuses %s, and does not act on it", async (_what, how) => {
    const answers = [await post("msg_changed", how), await post("msg_fine")];

    await expect.poll(() => seen("msg_fine")).toBeGreaterThan(0);
    expect(answers).toEqual([401, 204]);
    expect(seen("msg_changed")).toBe(0);
  });
});
