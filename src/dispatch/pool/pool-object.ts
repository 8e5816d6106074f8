import { DurableObject } from "cloudflare:workers";

import { readConfig } from "../../config.ts";
import { consoleLog } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import type { AttemptOutcome } from "../../protocol/attempt-outcome.ts";
import type { PoolSnapshot } from "../../protocol/pool-snapshot.ts";
import type { ExecutionMessage, PushMessage } from "../../protocol/queue-messages.ts";
import { BUILTIN_AGENT } from "../builtin.ts";
import type { PushOutcome } from "../choice/push-breaker.ts";
import { PoolKeeper } from "./pool-keeper.ts";
import type { AgentPresence, ClaimOrder, ClaimOutcome, Offer } from "./pool-port.ts";
import type { PoolExplanation, PoolPort } from "./pool-port.ts";
import { PoolStore } from "./pool-store.ts";
import { poolOf } from "./pool.ts";
import type { PoolAgent, PoolItem } from "./pool.ts";

/** A failed alarm tries again after this long; it must not throw, or the platform gives it up. */
const ALARM_RETRY_MS = 5_000;

/** Messages that the platform takes at one time (facts/platform.md §4). */
const MOST_IN_A_BATCH = 100;

/**
 * One pool of one tenant, named `tenant/pool`: the tasks that want an executor, the executors and their
 * slots, and who is offered what. Whether a task is really assigned is decided by the task's own object.
 */
export class PoolObject extends DurableObject<Env> implements PoolPort {
  now: Clock = () => Date.now();
  /** Hands tasks to the built-in executor. */
  execute = async (messages: readonly ExecutionMessage[]): Promise<void> => {
    await this.env.EXECUTIONS.sendBatch(messages.map((body) => ({ body })));
  };
  /** Has tasks pushed to the executors that they are reserved for. */
  push = async (messages: readonly PushMessage[]): Promise<void> => {
    for (let from = 0; from < messages.length; from += MOST_IN_A_BATCH) {
      const batch = messages.slice(from, from + MOST_IN_A_BATCH);
      // In order, so that a failure leaves the later ones to the tasks' own reminders.
      // oxlint-disable-next-line no-await-in-loop
      await this.env.PUSHES.sendBatch(batch.map((body) => ({ body })));
    }
  };
  readonly #log = consoleLog("pool", () => this.now());
  readonly #keeper: PoolKeeper;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const store = new PoolStore(ctx.storage.sql, (id) =>
      this.#log("error", "pool_row_unreadable", { pool: ctx.id.name, id }),
    );
    if (readConfig({ ...env }).isSamOn) store.agents.addBuiltin(BUILTIN_AGENT);
    this.#keeper = new PoolKeeper({
      now: () => this.now(),
      store,
      home: poolOf(ctx.id.name),
      execute: (messages) => this.execute(messages),
      push: (messages) => this.push(messages),
      wakeAt: (at) => this.#wakeAt(at),
      log: this.#log,
    });
  }

  register(agent: PoolAgent): Promise<void> {
    return this.#keeper.register(agent);
  }

  deregister(agent_id: string): Promise<void> {
    return this.#keeper.deregister(agent_id);
  }

  announce(item: PoolItem): Promise<void> {
    return this.#keeper.announce(item);
  }

  release(
    task_id: string,
    attempt: number,
    agent_id?: string,
    outcome?: AttemptOutcome,
  ): Promise<void> {
    return this.#keeper.release(task_id, attempt, agent_id, outcome);
  }

  claim(order: ClaimOrder): Promise<ClaimOutcome> {
    return this.#keeper.claim(order);
  }

  stopWaiting(claim_id: string): Promise<void> {
    return this.#keeper.stopWaiting(claim_id);
  }

  giveBack(task_id: string, attempt: number, agent_id: string): Promise<void> {
    return this.#keeper.giveBack(task_id, attempt, agent_id);
  }

  pushed(agent_id: string, outcome: PushOutcome): Promise<void> {
    return this.#keeper.pushed(agent_id, outcome);
  }

  reservation(task_id: string, agent_id: string): Promise<Offer | null> {
    return this.#keeper.reservation(task_id, agent_id);
  }

  presence(agent_id?: string): Promise<AgentPresence[]> {
    return this.#keeper.presence(agent_id);
  }

  explain(task_id: string): Promise<PoolExplanation | null> {
    return this.#keeper.explain(task_id);
  }

  snapshot(): Promise<PoolSnapshot | null> {
    return this.#keeper.snapshot();
  }

  override async alarm(): Promise<void> {
    try {
      await this.#keeper.wake();
    } catch (cause) {
      this.#log("error", "pool_alarm_failed", { pool: this.ctx.id.name, cause: String(cause) });
      await this.ctx.storage.setAlarm(this.now() + ALARM_RETRY_MS);
    }
  }

  async #wakeAt(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || at < set) await this.ctx.storage.setAlarm(at);
  }
}
