/** What is measured: accepts, whole lives, and the floor below them; and how anything is. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { CONCURRENCY, Client, inParallel, quantile } from "./client.mjs";
import { Executor } from "./executor.mjs";
import { ADMIN_KEY } from "./servers.mjs";
import { FINAL, Sink } from "./sink.mjs";

/** No phase begins a unit after this, milliseconds, however slow the machine has become. */
export const PHASE_MS = 20_000;

/** How often, and how often at most, a server is asked whether it has come to rest. */
const REST_MS = 200;
const MAX_RESTS = 25;

/** Waits until the server uses less than a tenth of a core: alarms, queues and history have caught up. */
export async function atRest(server) {
  let before = server.cpuMs();
  for (let rest = 0; before !== null && rest < MAX_RESTS; rest += 1) {
    await sleep(REST_MS);
    const now = server.cpuMs();
    if (now - before < REST_MS / 10) return;
    before = now;
  }
}

/**
 * Times a phase from outside: units, wall time, and all CPU time that the server then spends on them.
 *
 * @param around what else is to be done right before and right after it, such as to begin a profile and to end it
 */
export async function measure(server, run, around = {}) {
  await atRest(server);
  await around.before?.();
  const cpu = server.cpuMs();
  const begin = performance.now();
  const { units, latencies } = await run();
  const wallMs = performance.now() - begin;
  await atRest(server);
  const spent = cpu === null ? null : server.cpuMs() - cpu;
  await around.after?.();
  return {
    units,
    perSecond: (units / wallMs) * 1_000,
    cpuMs: spent === null ? null : spent / units,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

async function timed(latencies, run) {
  const begin = performance.now();
  const value = await run();
  latencies.push(performance.now() - begin);
  return value;
}

/**
 * Bare Hono and one insert: in a new object each time, or in one that is there.
 *
 * @param {(lane: number) => string} nameOf the object's name
 */
export async function floorPhase(workshop, nameOf = () => randomUUID()) {
  const server = await workshop.startFloor();
  const client = new Client(server.url);
  return (count) =>
    measure(server, async () => {
      const latencies = [];
      const units = await inParallel(count, PHASE_MS, (index, lane) =>
        timed(latencies, () =>
          client.call("POST", `/notes/${nameOf(lane)}`, taskOf("nobody", index)),
        ),
      );
      return { units, latencies };
    });
}

/** A task that only executors with this capability can take. */
export function taskOf(capability, index) {
  return {
    task_type: "general",
    description: `A task of the bench, number ${index}`,
    requires: { capabilities: [capability] },
    tags: ["bench"],
  };
}

/** A tenant with a key of its own, as users have it: the bootstrap key needs no look-up. */
export async function tenantOf(batuta, tenant) {
  const admin = new Client(batuta.url, ADMIN_KEY);
  const scopes = ["orchestrate", "execute", "observe"];
  const { key } = await admin.call("POST", "/v1/keys", { name: tenant, tenant, scopes });
  admin.close();
  return new Client(batuta.url, key);
}

/** POST /v1/tasks. What was accepted is cancelled afterwards, unmeasured: it would remind its pool for ever. */
export async function acceptsPhase(workshop, _sink, around) {
  const batuta = await workshop.startBatuta();
  const client = await tenantOf(batuta, "accepts");
  return async (count) => {
    const task_ids = [];
    const figures = await measure(
      batuta,
      async () => {
        const latencies = [];
        const units = await inParallel(count, PHASE_MS, async (index) => {
          const task = taskOf("nobody", index);
          const view = await timed(latencies, () => client.call("POST", "/v1/tasks", task));
          task_ids.push(view.task_id);
        });
        return { units, latencies };
      },
      around,
    );
    await inParallel(task_ids.length, Infinity, (index) =>
      client.call("POST", `/v1/tasks/${task_ids[index]}/commands`, { command: "cancel" }),
    );
    return figures;
  };
}

/** Sixteen executors of one capability; four tasks at a time each, unless told otherwise. */
export function executors(client, capability, slots = 4) {
  return Promise.all(
    Array.from({ length: CONCURRENCY }, (_, lane) =>
      new Executor(client, `${capability}-${lane}`).register(capability, slots),
    ),
  );
}

/** Refuses to go on when something accepted did not arrive: the only promise that a bench can break. */
export function refuseLost(lost) {
  if (lost.length > 0) throw new Error(`${lost.length} deliveries lost, e.g. ${lost[0]}`);
}

/** Whole lives; one is over when its last notification has arrived. */
export async function livesPhase(workshop, sink, around) {
  const batuta = await workshop.startBatuta();
  const client = await tenantOf(batuta, "lives");
  await client.call("POST", "/v1/webhooks", { url: `${sink.url}/lives`, events: ["all"] });
  const agents = await executors(client, "lives");
  return (count) =>
    measure(
      batuta,
      async () => {
        const begun = new Map();
        const told = [];
        const units = await inParallel(count, PHASE_MS, async (index, lane) => {
          const at = performance.now();
          const task = taskOf("lives", index);
          begun.set((await client.call("POST", "/v1/tasks", task)).task_id, at);
          const agent = agents[lane];
          await agent.claim();
          const seqs = await agent.work();
          told.push(...seqs.map((seq) => Sink.nameOf("/lives", agent.task_id, seq)));
        });
        const last = [...begun.keys()].map((task_id) => Sink.nameOf("/lives", task_id, FINAL));
        refuseLost(await sink.missing([...told, ...last]));
        const latencies = [...begun.values()].map(
          (at, index) => sink.arrivals.get(last[index]) - at,
        );
        return { units, latencies };
      },
      around,
    );
}
