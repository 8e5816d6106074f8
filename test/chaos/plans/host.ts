import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { freePort } from "../server.ts";

const root = path.join(import.meta.dirname, "../../..");
const HOST = path.join(import.meta.dirname, "host.mjs");
const GUARDIAN = path.join(import.meta.dirname, "../guardian.mjs");

/** The bootstrap key of every Batuta that is started here. */
export const ADMIN_KEY = "bk_chaos_0123456789abcdef";

/** A machine that is busy with something else still gets there. */
const READY_WITHIN_MS = 90_000;
/** What of the server's output is worth showing when it fails. */
const SHOWN_CHARACTERS = 4_000;

const BINDINGS = {
  BATUTA_ADMIN_KEY: ADMIN_KEY,
  BATUTA_SEAL_KEY: "a key that seals secrets in chaos alone",
  ALLOW_LOCAL_ENDPOINTS: "true",
  LIMITS_FACTOR: "1000",
};

/** What all runs start from: the built Worker, and a state whose database is up to date. */
export class Workshop {
  readonly folder = mkdtempSync(path.join(tmpdir(), "batuta-plans-"));
  readonly bundle = path.join(this.folder, "bundle");
  readonly state = path.join(this.folder, "state");
  readonly #guardian: ChildProcess;

  constructor() {
    // A group of its own: the signal that interrupts the test must not reach it.
    this.#guardian = spawn(process.execPath, [GUARDIAN, this.folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    const wrangler = path.join(root, "node_modules/wrangler/wrangler-dist/cli.js");
    run([wrangler, "deploy", "--dry-run", "--env", "", "--outdir", this.bundle]);
    const to = { bundle: this.bundle, state: this.state, port: 0, bindings: BINDINGS };
    run([HOST, JSON.stringify({ ...to, migrate: true })]);
  }

  /** Sees to it that a process group ends with the test, whatever ends the test. */
  guard(leader: number): void {
    this.#guardian.stdin?.write(`${leader}\n`);
  }

  close(): void {
    this.#guardian.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @throws with what it said when a step of the preparation fails */
function run(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", ...BINDINGS },
  });
  if (status !== 0) throw new Error(`${args[0]} failed:\n${stdout}\n${stderr}`);
}

/** A Batuta with a state of its own that outlives each of its processes. */
export class Host {
  readonly url: string;
  readonly #port: number;
  readonly #workshop: Workshop;
  readonly #state: string;
  #child: ChildProcess | null = null;
  /** All warnings and errors that its processes have said. */
  output = "";

  static async create(workshop: Workshop): Promise<Host> {
    return new Host(workshop, await freePort());
  }

  private constructor(workshop: Workshop, port: number) {
    this.#workshop = workshop;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#state = mkdtempSync(path.join(workshop.folder, "run-"));
    cpSync(workshop.state, this.#state, { recursive: true });
  }

  /**
   * Starts it on the state that is there, and waits until it answers.
   *
   * @param faults the value of BATUTA_FAULTS; empty for none
   * @throws with what it said when it does not
   */
  async start(faults: string): Promise<void> {
    const bindings = { ...BINDINGS, BATUTA_FAULTS: faults };
    const { bundle } = this.#workshop;
    const said = { bundle, state: this.#state, port: this.#port, bindings };
    const child = spawn(process.execPath, ["--no-warnings", HOST, JSON.stringify(said)], {
      detached: true,
      // Whoever is killed cleans up no temporary files.
      env: { ...process.env, TMPDIR: this.#workshop.folder, ...BINDINGS },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    if (child.pid !== undefined) this.#workshop.guard(child.pid);
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const giveUpAt = Date.now() + READY_WITHIN_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUpAt) {
        const shown = this.output.slice(-SHOWN_CHARACTERS);
        throw new Error(`The server did not start. It said:\n${shown}`);
      }
      await pause(50);
    }
  }

  /** SIGKILL to every process at once: nobody gets to finish anything. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const isOver = new Promise((resolve) => child.once("close", resolve));
    if (child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
    await isOver;
  }

  /** Ends it for good and removes its state. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#state, { recursive: true, force: true, maxRetries: 5 });
  }

  async #answers(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(2_000) });
      return answer.status === 200;
    } catch {
      // Not yet.
      return false;
    }
  }
}
