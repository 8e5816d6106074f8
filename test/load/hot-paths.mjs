/** The hot paths of Batuta one by one, each on a server of its own: accept, dispatch, notify, deliver, and a whole life. */
import { inParallel } from "./client.mjs";
import { deliveriesPhase } from "./delivery-phases.mjs";
import {
  acceptsPhase,
  executors,
  floorPhase,
  livesPhase,
  measure,
  PHASE_MS,
  taskOf,
  tenantOf,
} from "./phases.mjs";

/** No task of these phases is late, however long a run takes. Seconds. */
const PATIENCE = { timeout: 3_600, heartbeat_timeout: 3_600, stall_timeout: 3_600 };

/** Claims of tasks that have been waiting for them, one task each. What was claimed is cancelled afterwards, unmeasured. */
export async function dispatchPhase(workshop, _sink, around) {
  const batuta = await workshop.startBatuta();
  const client = await tenantOf(batuta, "dispatch");
  const agents = await executors(client, "dispatch", 100);
  return async (count) => {
    const task_ids = [];
    await inParallel(count, PHASE_MS, async (index) => {
      const task = { ...taskOf("dispatch", index), ...PATIENCE };
      task_ids.push((await client.call("POST", "/v1/tasks", task)).task_id);
    });
    const figures = await measure(
      batuta,
      async () => {
        const units = await inParallel(task_ids.length, PHASE_MS, (_, lane) =>
          agents[lane].claim(),
        );
        return { units, latencies: [] };
      },
      around,
    );
    await inParallel(task_ids.length, Infinity, (index) =>
      client.call("POST", `/v1/tasks/${task_ids[index]}/commands`, { command: "cancel" }),
    );
    return figures;
  };
}

/** Progress of sixteen running tasks, of which nobody wants to be told: each lane has an object of its own. */
export async function notifyPhase(workshop, _sink, around) {
  const batuta = await workshop.startBatuta();
  const client = await tenantOf(batuta, "notify");
  const agents = await executors(client, "notify");
  for (const [index, agent] of agents.entries()) {
    await client.call("POST", "/v1/tasks", { ...taskOf("notify", index), ...PATIENCE });
    await agent.claim();
    await agent.start();
  }
  return (count) =>
    measure(
      batuta,
      async () => ({
        units: await inParallel(count, PHASE_MS, (index, lane) =>
          agents[lane].progress(50, `step ${index}`),
        ),
        latencies: [],
      }),
      around,
    );
}

/** How each is set up, which floor it stands on, and how many units a round has. */
export const HOT_PATHS = {
  accept: { phase: acceptsPhase, floor: "fresh", units: 256 },
  dispatch: { phase: dispatchPhase, floor: "same", units: 256 },
  notify: { phase: notifyPhase, floor: "same", units: 800 },
  deliver: { phase: deliveriesPhase, floor: "same", units: 3_200 },
  life: { phase: livesPhase, floor: "life", units: 96 },
};

/**
 * Names of paths as they are given on a command line, all of them where none are.
 *
 * @throws Error for one that there is not
 */
export function pathsOf(text) {
  const known = Object.keys(HOT_PATHS);
  const names = text === undefined ? known : text.split(",");
  const stranger = names.find((name) => !known.includes(name));
  if (stranger === undefined) return names;
  throw new Error(`there is no path ${stranger}; there are ${known.join(", ")}`);
}

/** Inserts of a life: a submission in a new object; claim, five notifications and the end in one that is there. */
const CALLS_OF_LIFE = { fresh: 1, same: 7 };

/** Units of a round of the floor. */
const FLOOR_UNITS = { fresh: 400, same: 800 };

/** The two floors, warm: an insert in a new object, and in one of sixteen that are there, one for each lane. */
export async function floorsOf(workshop) {
  const servers = [];
  const startFloor = async () => servers[servers.push(await workshop.startFloor()) - 1];
  const fresh = await floorPhase({ startFloor });
  const same = await floorPhase({ startFloor }, (lane) => `lane-${lane}`);
  await fresh(FLOOR_UNITS.fresh);
  await same(FLOOR_UNITS.same);
  return { servers, fresh, same };
}

/** One turn of the floor that a path stands on; that of a life has as many calls as a life. */
export async function floorTurn(floors, name) {
  const { floor } = HOT_PATHS[name];
  if (floor !== "life") return floors[floor](FLOOR_UNITS[floor]);
  const fresh = await floors.fresh(FLOOR_UNITS.fresh);
  const same = await floors.same(FLOOR_UNITS.same);
  const sum = (figure) => CALLS_OF_LIFE.fresh * figure(fresh) + CALLS_OF_LIFE.same * figure(same);
  return {
    cpuMs: sum(({ cpuMs }) => cpuMs),
    perSecond: 1 / sum(({ perSecond }) => 1 / perSecond),
  };
}
