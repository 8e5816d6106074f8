/** What is measured of pools: how soon a ready task is with an executor that waits, and what a pick costs in a large pool. */
import { setTimeout as sleep } from "node:timers/promises";

import { PoolKeeper } from "../../src/dispatch/pool/pool-keeper.ts";
import { PoolStore } from "../../src/dispatch/pool/pool-store.ts";
import { median, quantile } from "./client.mjs";
import { Executor } from "./executor.mjs";
import { taskOf, tenantOf } from "./phases.mjs";

/** A small pool and a large one. */
const FEW = { tasks: 100, agents: 10 };
const MANY = { tasks: 10_000, agents: 200 };

/** Picks of one turn, and turns; medians of these are what is said. */
const PICKS = 500;
const TURNS = 9;

/** Kinds of tasks and agents: an agent fits one in so many, as in a pool that does different things. */
const KINDS = 5;

/** Dispatches that are timed, and how long an executor is given to wait before each. */
const DISPATCHES = 100;
const SETTLE_MS = 15;

const itemOf = (task_id, index) => ({
  task_id,
  attempt: 1,
  priority: ["critical", "high", "normal", "low"][index % 4],
  task_type: "general",
  requires: { capabilities: [`kind-${index % KINDS}`] },
  declined_by: [],
  ready_at: Date.now(),
  slot_seconds: 86_400,
  retry_delay: 30,
  objective: "balanced",
  affinity: [],
});

const agentOf = (index) => ({
  agent_id: `agent-${index}`,
  capabilities: [`kind-${index % KINDS}`],
  task_types: ["general"],
  labels: {},
  slots: 1,
  weight: 1,
  isBuiltin: false,
  isPush: false,
  isDraining: false,
});

/** The real pool, in this process, with rows that go nowhere: they are three a stay, however large the pool is. */
async function fullPool({ tasks, agents }) {
  const pool = new PoolKeeper({
    now: () => Date.now(),
    store: new PoolStore({ exec: () => ({ toArray: () => [] }) }, () => {}),
    home: { tenant: "default", pool: `pool-of-${tasks}` },
    execute: async () => {},
    push: async () => {},
    wakeAt: async () => {},
    log: () => {},
  });
  for (let index = 0; index < agents; index += 1) await pool.register(agentOf(index));
  for (let index = 0; index < tasks; index += 1) await pool.announce(itemOf(`t${index}`, index));
  return { pool, agents, made: tasks };
}

/** Microseconds of a whole stay in the pool: an executor gets a task, gives it up, and another one comes. */
async function stayIn(full) {
  const { pool, agents } = full;
  const times = [];
  for (let pick = 0; pick < PICKS; pick += 1) {
    const agent_id = `agent-${pick % agents}`;
    const begin = performance.now();
    const { offers } = await pool.claim({ agent_id, max_tasks: 1, wait_ms: 0 });
    if (offers.length !== 1) throw new Error(`${agent_id} got ${offers.length} tasks`);
    await pool.release(offers[0].task_id, 1, agent_id);
    await pool.announce(itemOf(`t${full.made}`, pick % KINDS));
    times.push((performance.now() - begin) * 1_000);
    full.made += 1;
  }
  return quantile(times, 0.5);
}

/**
 * What a pick costs in a pool where 10,000 tasks and 200 executors wait, and in one of 100 and 10: microseconds
 * of the medians of both, and the median of the ratios inside a turn.
 */
export async function poolPickCosts() {
  const [small, large] = [await fullPool(FEW), await fullPool(MANY)];
  for (const full of [small, large]) await stayIn(full);
  const turns = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    turns.push({ few: await stayIn(small), many: await stayIn(large) });
  }
  return {
    fewUs: median(turns.map(({ few }) => few)),
    manyUs: median(turns.map(({ many }) => many)),
    ratio: median(turns.map(({ few, many }) => many / few)),
  };
}

/**
 * How soon a task is with an executor that waits for one, milliseconds: seen from outside, from the POST of
 * the task to the answer of the claim, and in the log, from task_submitted to task_assigned.
 */
export async function dispatchLatency(workshop) {
  const batuta = await workshop.startBatuta();
  const client = await tenantOf(batuta, "dispatch");
  const agent = await new Executor(client, "dispatch-0").register("dispatch", 4);
  const [outside, inLog] = [[], []];
  for (let index = 0; index < DISPATCHES; index += 1) {
    const claimed = agent.claim();
    await sleep(SETTLE_MS);
    const begin = performance.now();
    const [{ task_id }] = await Promise.all([
      client.call("POST", "/v1/tasks", taskOf("dispatch", index)),
      claimed,
    ]);
    outside.push(performance.now() - begin);
    const { items } = await client.call("GET", `/v1/tasks/${task_id}/events`);
    const at = (type) => Date.parse(items.find((event) => event.type === type).at);
    inLog.push(at("task_assigned") - at("task_submitted"));
    await agent.work();
  }
  await batuta.stop();
  const of = (list) => ({ p50Ms: quantile(list, 0.5), p99Ms: quantile(list, 0.99) });
  return { outside: of(outside), inLog: of(inLog) };
}
