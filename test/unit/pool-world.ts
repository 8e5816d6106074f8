import { PoolKeeper } from "../../src/dispatch/pool/pool-keeper.ts";
import { PoolStore } from "../../src/dispatch/pool/pool-store.ts";
import type { PoolAgent, PoolItem } from "../../src/dispatch/pool/pool.ts";
import { agentOf, itemOf, NOW } from "./pool-fixture.ts";

/** The real pool on a clock of the test's own, with rows that go nowhere. */
export class PoolWorld {
  now = NOW;
  isChannelUp = true;
  readonly pushed: { task_id: string; agent_id: string }[] = [];
  readonly wakes: number[] = [];
  readonly store = new PoolStore({ exec: () => ({ toArray: () => [] }) }, () => {});
  readonly pool = new PoolKeeper({
    now: () => this.now,
    store: this.store,
    home: { tenant: "acme", pool: "p" },
    execute: async () => {},
    push: async (messages) => {
      if (!this.isChannelUp) throw new Error("the queue is down");
      this.pushed.push(...messages);
    },
    wakeAt: async (at) => {
      this.wakes.push(at);
    },
    log: () => {},
  });

  /** Claims without waiting. */
  async claim(agent_id: string, max_tasks = 1) {
    return (await this.pool.claim({ agent_id, max_tasks, wait_ms: 0 })).offers;
  }

  /** A task that anybody may have comes in. */
  announce(task_id: string, more: Partial<PoolItem> = {}): Promise<void> {
    return this.pool.announce(itemOf(task_id, { ready_at: this.now, ...more }));
  }

  /** An executor that tasks are pushed to registers. */
  push(agent_id: string, more: Partial<PoolAgent> = {}): Promise<void> {
    return this.pool.register(agentOf(agent_id, { isPush: true, ...more }));
  }

  /** How many tasks were pushed to each executor. */
  takenBy(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { agent_id } of this.pushed) counts[agent_id] = (counts[agent_id] ?? 0) + 1;
    return counts;
  }
}
