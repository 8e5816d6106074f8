/** What the edge costs: the same route with and without it; and what a cache of verdicts could save of that. */
import { inParallel, median } from "./client.mjs";
import { measure, PHASE_MS, tenantOf } from "./phases.mjs";
import { TYPICAL_TASK } from "./typical-task.mjs";

/** Requests of one turn; medians of turns are what is said. */
const REQUESTS = 1_000;

/** How often a thing is done that takes microseconds: the kernel counts CPU time in hundredths of a second. */
const TIMES = 20_000;

const CALLS = {
  post: ["POST", "/v1/tasks", TYPICAL_TASK],
  get: ["GET", "/v1/tasks/t1", undefined],
};

/**
 * CPU-ms of one request through all of the edge, through none of it, and through what gives it ids, headers and a line
 * in the log: keys, limits and validation are what the first costs more than the last. In turns of one server.
 */
async function requestCosts(server, client, turns) {
  const costs = { post: [], get: [] };
  const once = async (kind, app) => {
    const [method, path, body] = CALLS[kind];
    const { cpuMs } = await measure(server, async () => ({
      units: await inParallel(REQUESTS, PHASE_MS, () =>
        client.call(method, path, body, { "x-bench": app }),
      ),
      latencies: [],
    }));
    return cpuMs;
  };
  for (let turn = -1; turn < turns; turn += 1) {
    for (const kind of Object.keys(CALLS)) {
      // In one turn right after each other: what the machine does besides is the same for both.
      const turnCosts = {};
      for (const app of ["bare", "told", "edge"]) turnCosts[app] = await once(kind, app);
      // The first turn finds cold code.
      if (turn >= 0) costs[kind].push(turnCosts);
    }
  }
  const of = (list) => ({
    bare: median(list.map(({ bare }) => bare)),
    edge: median(list.map(({ edge }) => edge)),
    difference: median(list.map(({ bare, edge }) => edge - bare)),
    checks: median(list.map(({ told, edge }) => edge - told)),
  });
  return { post: of(costs.post), get: of(costs.get) };
}

/** CPU-us of hashing a typical body and of checking it by its schema: a cache of verdicts saves the one by the other. */
async function verdictCosts(server, client) {
  const once = async (what, times) => {
    const { cpuMs } = await measure(server, async () => {
      await client.call("GET", `/repeat?what=${what}&times=${times}`);
      return { units: times, latencies: [] };
    });
    return cpuMs * 1_000;
  };
  const figures = {};
  for (const what of ["sha256", "fnv1a", "schema"]) {
    await once(what, TIMES);
    const turns = [];
    for (let turn = 0; turn < 3; turn += 1) turns.push(await once(what, TIMES));
    figures[what] = median(turns);
  }
  return figures;
}

/** The cost of the edge on a server of its own; medians of so many turns. */
export async function edgeCosts(workshop, turns) {
  const server = await workshop.startEdge();
  const client = await tenantOf(server, "edge");
  const requests = await requestCosts(server, client, turns);
  const verdicts = await verdictCosts(server, client);
  await server.stop();
  return { requests, verdicts };
}
