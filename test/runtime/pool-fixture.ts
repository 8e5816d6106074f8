import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import type { PoolObject } from "../../src/dispatch/pool/pool-object.ts";
import type { PoolAgent, PoolItem } from "../../src/dispatch/pool/pool.ts";
import { agentOf, itemOf } from "../unit/pool-fixture.ts";

/** A real pool. */
export type Pool = DurableObjectStub<PoolObject>;

/** Tomorrow, so that no alarm that a test sets goes off by itself. */
export const START = Date.now() + 86_400_000;

/** A task that the built-in executor may have, ready at `START`, with slots of ten minutes. */
export const item = (task_id: string, more: Partial<PoolItem> = {}): PoolItem =>
  itemOf(task_id, { ready_at: START, slot_seconds: 600, ...more });

/** A task that the built-in executor may not have. */
export const forHuman = (task_id: string, more: Partial<PoolItem> = {}): PoolItem =>
  item(task_id, { requires: { capabilities: ["human"] }, ...more });

/** An executor that may have those tasks. */
export const human = (agent_id: string, more: Partial<PoolAgent> = {}): PoolAgent =>
  agentOf(agent_id, { capabilities: ["human"], ...more });

/** A task that fits nobody, to see by `explain` who waits. */
export const probe = item("probe", { requires: { agent_id: "nobody" } });

/** A pool that nobody else uses, at `START`; what it hands to `sam` is recorded and goes no further. */
export async function newPool(...agents: PoolAgent[]): Promise<{ pool: Pool; sent: string[] }> {
  const pool: Pool = env.POOL.getByName(`acme/${crypto.randomUUID()}`);
  const sent: string[] = [];
  await runInDurableObject(pool, (instance: PoolObject) => {
    instance.now = () => START;
    instance.execute = async (messages) => {
      sent.push(...messages.map(({ task_id }) => task_id));
    };
  });
  for (const agent of agents) await pool.register(agent);
  return { pool, sent };
}

/** From now on it is so many milliseconds after `START` for this pool. */
export async function at(pool: Pool, ms: number): Promise<void> {
  await runInDurableObject(pool, (instance: PoolObject) => {
    instance.now = () => START + ms;
  });
}

/** Claims, and says which tasks came. */
export async function claim(
  pool: Pool,
  agent_id: string,
  max_tasks = 1,
  wait_ms = 0,
): Promise<string[]> {
  const { offers } = await pool.claim({ agent_id, max_tasks, wait_ms });
  return offers.map(({ task_id }) => task_id);
}

/** Until the pool, which has the probe, sees the executor wait: a call's arrival has no other sign. */
export async function untilWaiting(pool: Pool, agent_id: string): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    const explained = await pool.explain("probe");
    const candidate = explained?.candidates.find((one) => one.agent_id === agent_id);
    if (candidate?.reasons.includes("waits for a task")) return;
  }
  throw new Error(`${agent_id} never waited`);
}

/** When the pool wakes by itself, epoch ms, or null. */
export const alarmOf = (pool: Pool): Promise<number | null> =>
  runInDurableObject(pool, (_instance, state) => state.storage.getAlarm());
