/** A Batuta of its own for one run: a free port, fresh state in a temporary folder, nothing left behind. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const START = path.join(import.meta.dirname, "..", "start.mjs");

/** A machine that is busy with something else still gets there. */
const READY_WITHIN_MS = 90_000;

/** The server's own children end a moment after it. */
const GONE_WITHIN_MS = 10_000;

/** What of the server's output is worth showing when it fails. */
const KEPT_CHARACTERS = 4_000;

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Whether any process of the group is left. The server leads a group of its own, so that none can hide. */
function isGroupAlive(pid) {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalGroup(pid, signal) {
  if (isGroupAlive(pid)) process.kill(-pid, signal);
}

async function answers(url) {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
    return answer.status === 200;
  } catch {
    return false;
  }
}

/**
 * Starts a server as `npm start` does.
 *
 * `ready` waits until it answers and throws with its output when it does not. `stop` ends all of its processes,
 * removes its state and tells whether nothing was left over; `kill` is for the moment when nothing can be awaited.
 *
 * @param signal gives up the waiting
 */
export async function startServer(signal) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const state = mkdtempSync(path.join(tmpdir(), "batuta-demo-"));
  const adminKey = `bk_${randomBytes(32).toString("base64url")}`;
  const child = spawn(process.execPath, [START], {
    detached: true,
    env: { ...process.env, PORT: String(port), BATUTA_STATE: state, BATUTA_ADMIN_KEY: adminKey },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk) => (output = (output + chunk).slice(-KEPT_CHARACTERS));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);

  async function ready() {
    const giveUpAt = Date.now() + READY_WITHIN_MS;
    while (!(await answers(url))) {
      signal.throwIfAborted();
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUpAt) {
        throw new Error(`the server did not start. It said:\n${output}`);
      }
      await pause(200);
    }
  }

  async function stop() {
    signalGroup(child.pid, "SIGTERM");
    const giveUpAt = Date.now() + GONE_WITHIN_MS;
    while (isGroupAlive(child.pid) && Date.now() < giveUpAt) await pause(50);
    const isGone = !isGroupAlive(child.pid);
    signalGroup(child.pid, "SIGKILL");
    rmSync(state, { recursive: true, force: true });
    return isGone;
  }

  function kill() {
    signalGroup(child.pid, "SIGKILL");
    rmSync(state, { recursive: true, force: true });
  }

  return { url, adminKey, ready, stop, kill, output: () => output };
}
