import { inTurn } from "../../lib/in-turn.ts";
import type { TaskState } from "../machine/state.ts";
import type { KinPorts } from "../ports.ts";
import { readWaiters, removeWaiter, writeWaiter } from "./relation-store.ts";

/** Calls to other objects at the same time: the platform lets six connections of one call be open. */
const MOST_CALLS = 6;

/** How often a waiter is told before it is forgotten: it asks by itself too, if later. About ten minutes. */
const MOST_TRIES = 15;

/** Keeps those that wait for one task's end, and tells them of it. */
export class WaiterKeeper {
  readonly #sql: SqlStorage;
  readonly #ports: Pick<KinPorts, "poke">;
  #waiters: string[] | null = null;
  readonly #failures = new Map<string, number>();

  constructor({ sql, ports }: { sql: SqlStorage; ports: Pick<KinPorts, "poke"> }) {
    this.#sql = sql;
    this.#ports = ports;
  }

  /** Remembers who waits for this task's end. */
  remember(waiter: string): void {
    writeWaiter(this.#sql, waiter);
    this.#waiters = null;
  }

  /** Whether somebody is still to be told. */
  owes(state: TaskState): boolean {
    if (state.phase !== "ended") return false;
    this.#waiters ??= readWaiters(this.#sql);
    return this.#waiters.length > 0;
  }

  /**
   * Tells all of them; whoever could be told, or never can, is forgotten.
   *
   * @throws Error when there are some left to be told again
   */
  async poke(state: TaskState): Promise<void> {
    if (!this.owes(state)) return;
    const failed: string[] = [];
    await inTurn(this.#waiters ?? [], MOST_CALLS, async (waiter) => {
      try {
        await this.#ports.poke(state.origin.tenant, waiter);
      } catch (cause) {
        const tries = (this.#failures.get(waiter) ?? 0) + 1;
        this.#failures.set(waiter, tries);
        failed.push(`${waiter}: ${String(cause)}`);
        if (tries < MOST_TRIES) return;
      }
      removeWaiter(this.#sql, waiter);
    });
    this.#waiters = null;
    if (failed.length > 0) throw new Error(failed.join("; "));
  }
}
