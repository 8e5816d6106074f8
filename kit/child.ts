import { spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import type { Writable } from "node:stream";

import { z } from "zod";

import { until } from "./wait.ts";

/** A program that was asked to end gets this long for it, milliseconds. */
const GONE_WITHIN_MS = 5_000;

/** What of a program's output is kept: enough to count effects in, and to show its end. */
const KEPT_CHARACTERS = 1_000_000;

const GUARDIAN = path.join(import.meta.dirname, "guardian.ts");

let guardianInput: Writable | null = null;

/** Tells the guardian of a group, or that it has ended. One guardian watches over all that this process starts. */
function report(line: string): void {
  if (guardianInput === null) {
    // A group of its own: the signal that interrupts the kit must not reach it.
    const guardian = spawn(process.execPath, [GUARDIAN], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    guardian.unref();
    guardianInput = guardian.stdin;
    // Without a guardian the kit still ends what it has started, unless it is killed.
    guardianInput.once("error", () => {});
    if ("unref" in guardianInput && typeof guardianInput.unref === "function")
      guardianInput.unref();
  }
  guardianInput.write(`${line}\n`);
}

/** A port of this machine that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.int() }).parse(probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A program that the kit has started: it leads a process group, so that nothing it starts outlives the kit. */
export class Child {
  /** All that it has said. */
  output = "";
  /** Its exit status; null while it runs, and when a signal has ended it. */
  status: number | null = null;
  hasEnded = false;
  readonly #pid: number | undefined;

  /** @param command for a shell, or a file with its arguments */
  constructor(
    command: string | readonly [string, ...string[]],
    { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
  ) {
    const [file, ...args] = typeof command === "string" ? ["sh", "-c", command] : command;
    const child = spawn(file ?? "", args, {
      cwd,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#pid = child.pid;
    if (child.pid !== undefined) report(String(child.pid));
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", (error) => {
      this.output += String(error);
      this.hasEnded = true;
    });
    child.once("exit", (status) => {
      this.status = status;
      this.hasEnded = true;
    });
  }

  /** Ends it and whatever it has started. */
  async stop(): Promise<void> {
    this.kill("SIGTERM");
    await until(() => !this.#isThere(), GONE_WITHIN_MS);
    this.kill("SIGKILL");
    if (this.#pid !== undefined) report(`-${this.#pid}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#signal(signal);
  }

  #isThere(): boolean {
    return this.#signal(0);
  }

  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return this.#pid !== undefined && process.kill(-this.#pid, signal);
    } catch {
      // The whole group is gone already.
      return false;
    }
  }
}
