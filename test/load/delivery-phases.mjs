/** What is measured of webhooks: deliveries, their isolation from each other, and what a pick costs. */
import { setTimeout as sleep } from "node:timers/promises";

import { inParallel, median, quantile } from "./client.mjs";
import { atRest, executors, measure, PHASE_MS, refuseLost, taskOf, tenantOf } from "./phases.mjs";
import { BLOCKED, Sink } from "./sink.mjs";

/** Endpoints that get each notification. */
const ENDPOINTS = 20;

/** How long the sick endpoint hangs at each request, milliseconds. */
const HANG_MS = 10_000;

/** Rows that wait behind one failed delivery; 1,000 and 100,000 open rows differ in the number of such lanes. */
const ROWS_PER_LANE = 100;
const FEW_ROWS = 1_000;
const MANY_ROWS = 100_000;

/** Rows that one call brings to an object: far below the 32 MiB of a call. */
const ROWS_PER_CALL = 1_000;

/** Deliveries of one measurement of a pick, and measurements of which the median is taken. */
const PICKS = 400;
const PICK_ROUNDS = 3;

/** Picks that became many times dearer are to be seen as such, and not as lost deliveries; milliseconds. */
const PICK_PATIENCE_MS = 120_000;

/** Twenty endpoints, and sixteen running tasks that each tell all of them of their progress. */
async function runningTasks(batuta, sink, name) {
  const client = await tenantOf(batuta, name);
  const paths = Array.from({ length: ENDPOINTS }, (_, index) => `/${name}/${index}`);
  for (const path of paths) {
    await client.call("POST", "/v1/webhooks", { url: sink.url + path, events: ["all"] });
  }
  const agents = await executors(client, name);
  for (const [index, agent] of agents.entries()) {
    const patience = { timeout: 3_600, heartbeat_timeout: 3_600, stall_timeout: 3_600 };
    await client.call("POST", "/v1/tasks", { ...taskOf(name, index), ...patience });
    await agent.claim();
    await agent.start();
  }
  return { paths, agents };
}

/** Progress of sixteen running tasks, each to twenty endpoints. */
export async function deliveriesPhase(workshop, sink, around) {
  const batuta = await workshop.startBatuta();
  const { paths, agents } = await runningTasks(batuta, sink, "deliveries");
  return async (count) => {
    const told = new Map();
    const figures = await measure(
      batuta,
      async () => {
        await inParallel(count / ENDPOINTS, PHASE_MS, async (index, lane) => {
          const at = performance.now();
          const agent = agents[lane];
          const seq = await agent.progress(50, `step ${index}`);
          for (const path of paths) told.set(Sink.nameOf(path, agent.task_id, seq), at);
        });
        refuseLost(await sink.missing([...told.keys()]));
        const latencies = [...told].map(([name, at]) => sink.arrivals.get(name) - at);
        return { units: told.size, latencies };
      },
      around,
    );
    const ages = [...told.keys()].map((name) => sink.ages.get(name));
    return { ...figures, ageP50: quantile(ages, 0.5), ageP99: quantile(ages, 0.99) };
  };
}

/**
 * Progress at a steady pace, all twenty endpoints well, and again while the first of them hangs.
 *
 * What one run leaves behind is over before the next begins. Gives, for both, how old events were when the other
 * nineteen endpoints got them, milliseconds.
 */
export async function isolationPhase(workshop, sink) {
  const batuta = await workshop.startBatuta();
  const { paths, agents } = await runningTasks(batuta, sink, "isolation");
  const [sick, ...others] = paths;
  const run = async ({ forMs, deliveriesPerSecond }) => {
    await atRest(batuta);
    const begin = performance.now();
    const told = [];
    const every = (1_000 * ENDPOINTS) / deliveriesPerSecond;
    await inParallel(Math.ceil(forMs / every), PHASE_MS, async (index, lane) => {
      await sleep(Math.max(0, begin + index * every - performance.now()));
      const agent = agents[lane];
      told.push({ task_id: agent.task_id, seq: await agent.progress(50, `step ${index}`) });
    });
    const namesOf = (path) => told.map(({ task_id, seq }) => Sink.nameOf(path, task_id, seq));
    const names = others.flatMap(namesOf);
    refuseLost(await sink.missing(names));
    return { ages: names.map((name) => sink.ages.get(name)), ofSick: namesOf(sick) };
  };
  return async (load) => {
    const healthy = await run(load);
    refuseLost(await sink.missing(healthy.ofSick));
    sink.hang(sick, HANG_MS);
    const beside = await run(load);
    if (sink.heal(sick) === 0) throw new Error("nothing hung, so nothing was isolated");
    refuseLost(await sink.missing(beside.ofSick));
    return { healthy: healthy.ages, beside: beside.ages };
  };
}

/** An endpoint whose lanes all wait for the retry of their head, next week, and hold this many open rows. */
async function fullEndpoint(batuta, sink, rows) {
  const tenant = "picks";
  const webhook_id = `wh_${String(rows).padStart(22, "0")}`;
  const path = `/${webhook_id}`;
  const endpoint = await batuta.endpoint(tenant, webhook_id);
  await endpoint.configure(JSON.stringify(configOf(tenant, webhook_id, sink.url + path)));
  const lanes = Array.from({ length: rows / ROWS_PER_LANE }, (_, lane) => `${BLOCKED}-${lane}`);
  await enqueue(
    endpoint,
    lanes.map((task_id) => itemOf(task_id, 1)),
  );
  refuseLost(await sink.missing(lanes.map((task_id) => Sink.nameOf(path, task_id, 1))));
  const seqs = Array.from({ length: ROWS_PER_LANE - 1 }, (_, index) => index + 2);
  await enqueue(
    endpoint,
    lanes.flatMap((task_id) => seqs.map((seq) => itemOf(task_id, seq))),
  );
  // The refusals were asked for.
  batuta.problems = batuta.problems.filter((line) => !line.includes(BLOCKED));
  return { endpoint, path };
}

function configOf(tenant, webhook_id, url) {
  return {
    tenant,
    webhook_id,
    url,
    secrets: [{ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", expires_at: null }],
    headers: {},
    timeout: 15,
    retry_policy: { schedule: [604_800] },
    final_statuses: [],
    ordering: "task",
    lane_policy: "block",
    rate_limit: null,
    batching: null,
    breaker: { enabled: false },
    compression: "none",
    shard: 0,
    shards: 1,
    state: "active",
    version: 1,
  };
}

function itemOf(task_id, seq) {
  return {
    task_id,
    seq,
    event_id: `${task_id}-${seq}`,
    type: "task_progress",
    priority: "normal",
    at: new Date().toISOString(),
    correlation_id: "",
    notification: JSON.stringify({ task_id, seq }),
  };
}

async function enqueue(endpoint, items) {
  for (let from = 0; from < items.length; from += ROWS_PER_CALL) {
    const batch = items.slice(from, from + ROWS_PER_CALL);
    const { stored } = await endpoint.enqueue({ config_version: 1, callback: null, items: batch });
    if (stored !== batch.length) throw new Error(`the object stored ${stored} of ${batch.length}`);
  }
}

/**
 * What a delivery through a free lane costs in an object where 1,000 open rows wait, and in one where 100,000 do.
 *
 * CPU-ms and deliveries per second of both, medians of three turns, and the medians of the ratios inside a turn.
 */
export async function pickCosts(workshop, sink) {
  const batuta = await workshop.startBatuta();
  const endpoints = [
    await fullEndpoint(batuta, sink, FEW_ROWS),
    await fullEndpoint(batuta, sink, MANY_ROWS),
  ];
  let lanes = 0;
  const deliver = ({ endpoint, path }) =>
    measure(batuta, async () => {
      const task_ids = Array.from({ length: PICKS }, () => `free-${lanes++}`);
      await enqueue(
        endpoint,
        task_ids.map((task_id) => itemOf(task_id, 1)),
      );
      const names = task_ids.map((task_id) => Sink.nameOf(path, task_id, 1));
      refuseLost(await sink.missing(names, PICK_PATIENCE_MS));
      return { units: task_ids.length, latencies: [] };
    });
  for (const endpoint of endpoints) await deliver(endpoint);
  const turns = [];
  for (let turn = 0; turn < PICK_ROUNDS; turn += 1) {
    const [few, many] = [await deliver(endpoints[0]), await deliver(endpoints[1])];
    turns.push({ few, many });
  }
  await batuta.stop();
  const of = (figure) => ({
    few: median(turns.map(({ few }) => few[figure])),
    many: median(turns.map(({ many }) => many[figure])),
    ratio: median(turns.map(({ few, many }) => many[figure] / few[figure])),
  });
  return { cpuMs: of("cpuMs"), perSecond: of("perSecond") };
}
