import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

const GUARDIAN = path.join(import.meta.dirname, "guardian.mjs");
const root = path.join(import.meta.dirname, "../..");

/** A machine that is busy with something else still gets there. */
const READY_WITHIN_MS = 90_000;
/** Processes that were killed need a moment until the system has buried them. */
const GONE_WITHIN_MS = 10_000;
/** What of the server's output is worth showing when it fails. */
const SHOWN_CHARACTERS = 4_000;

/** Whether a port of this machine can be had. */
function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

async function until(isDone: () => Promise<boolean>, complaint: string): Promise<void> {
  const giveUpAt = Date.now() + GONE_WITHIN_MS;
  while (!(await isDone())) {
    if (Date.now() > giveUpAt) throw new Error(complaint);
    await pause(20);
  }
}

/** A port of this machine that nobody has. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.int() }).parse(probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/**
 * `npm start` as a user has it, with a port and a state folder of its own that outlive each of its processes.
 *
 * It leads a process group, so that no signal misses workerd and nothing can outlive `stop`; a guardian
 * stops it when the test dies.
 */
export class Server {
  readonly adminKey = "bk_chaos_0123456789abcdef";
  readonly url: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "batuta-chaos-"));
  readonly #guardian: ChildProcess;
  /** One for each start, named by its leader. */
  readonly #groups: number[] = [];
  readonly #environment: Readonly<Record<string, string>>;
  /** All that its processes have said since the last start. */
  output = "";

  /** @param environment what a user would set beside what a test needs */
  static async create(environment: Readonly<Record<string, string>> = {}): Promise<Server> {
    return new Server(await freePort(), environment);
  }

  private constructor(port: number, environment: Readonly<Record<string, string>>) {
    this.#port = port;
    this.#environment = environment;
    this.url = `http://127.0.0.1:${port}`;
    // A group of its own: the signal that interrupts the test must not reach it.
    this.#guardian = spawn(process.execPath, [GUARDIAN, this.#folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
  }

  /** The folder of all that it keeps. */
  get state(): string {
    return path.join(this.#folder, "state");
  }

  /**
   * Starts it on the state that is there, and waits until it answers.
   *
   * @throws with what it said when it does not
   */
  async start(): Promise<void> {
    this.output = "";
    const child = spawn("npm", ["start"], {
      cwd: root,
      detached: true,
      env: {
        ...process.env,
        PORT: String(this.#port),
        BATUTA_STATE: this.state,
        // Whoever is killed cleans up no temporary files.
        TMPDIR: this.#folder,
        BATUTA_ADMIN_KEY: this.adminKey,
        LIMITS_FACTOR: "1000",
        ...this.#environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid !== undefined) {
      this.#groups.push(child.pid);
      this.#guardian.stdin?.write(`${child.pid}\n`);
    }
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const giveUpAt = Date.now() + READY_WITHIN_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUpAt) {
        const said = this.output.slice(-SHOWN_CHARACTERS);
        throw new Error(`The server did not start. It said:\n${said}`);
      }
      await pause(100);
    }
  }

  /**
   * SIGKILL to every process at once: nobody gets to finish anything.
   *
   * @throws when its port is still taken long afterwards
   */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await until(() => isFree(this.#port), "A process of the server survived SIGKILL.");
  }

  /**
   * Ends it for good and removes its state.
   *
   * @throws when any process that it ever started is left
   */
  async stop(): Promise<void> {
    this.#signal("SIGKILL");
    try {
      await until(async () => !this.isAlive(), "A process of the server is left.");
    } finally {
      this.#guardian.kill("SIGKILL");
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  /** Whether any process that it ever started is left. */
  isAlive(): boolean {
    return this.#signal(0);
  }

  /** Whether any of its process groups was there to be signalled. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    return this.#groups
      .map((group) => {
        try {
          return process.kill(-group, signal);
        } catch {
          // The whole group is gone already.
          return false;
        }
      })
      .includes(true);
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
