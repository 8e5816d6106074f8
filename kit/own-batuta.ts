import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { Child, freePort } from "./child.ts";
import { ASK_MS, until } from "./wait.ts";

const START = path.join(import.meta.dirname, "../scripts/start.mjs");

/** A machine that is busy with something else still gets there, milliseconds. */
const READY_WITHIN_MS = 90_000;

/** What of its output is worth showing when it fails. */
const SHOWN_CHARACTERS = 4_000;

/** A Batuta with fresh state that lives as long as the kit. */
export interface OwnBatuta {
  url: string;
  key: string;
  stop: () => Promise<void>;
  kill: () => void;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    // Not yet.
    return false;
  }
}

/**
 * Starts Batuta as `npm start` does, on a free port and with state of its own, which `stop` removes.
 *
 * @throws with what it said when it does not start
 */
export async function startBatuta(): Promise<OwnBatuta> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const state = mkdtempSync(path.join(tmpdir(), "batuta-kit-"));
  const key = `bk_${randomBytes(32).toString("base64url")}`;
  const server = new Child([process.execPath, START], {
    cwd: path.join(import.meta.dirname, ".."),
    env: {
      PORT: String(port),
      BATUTA_STATE: state,
      BATUTA_ADMIN_KEY: key,
      // The kit's own questions must not use up what the program under test may ask.
      LIMITS_FACTOR: "1000",
    },
  });
  const forget = (): void => rmSync(state, { recursive: true, force: true });
  const stop = async (): Promise<void> => {
    await server.stop();
    forget();
  };
  const kill = (): void => {
    server.kill("SIGKILL");
    forget();
  };
  const isReady = async (): Promise<boolean> => server.hasEnded || (await answers(url));
  if (!(await until(isReady, READY_WITHIN_MS, ASK_MS)) || server.hasEnded) {
    const said = server.output.slice(-SHOWN_CHARACTERS);
    await stop();
    throw new Error(`Batuta did not start. It said:\n${said}`);
  }
  return { url, key, stop, kill };
}
