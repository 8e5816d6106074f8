/**
 * `npm run profile`: where the time of a task goes, on each of its hot paths.
 *
 * Accept, dispatch (a claim), notify, deliver and a whole life, each on a server of its own, three times: plain, for its
 * CPU-ms beside the floor of the same run; watched (watched-worker.mjs), for what one unit asks of the platform: calls of
 * objects, statements and round trips of D1, messages, rows; and with workerd's inspector, for the functions in which the
 * JavaScript of the Worker spends its time, by room. The bundle is not minified, so that names mean something.
 *
 * `--paths accept,notify` looks at these alone, `--rounds 9` takes longer, `--out <file>` keeps the result as JSON.
 * CPU-ms are those of the whole process, and so hold what simulates the platform: D1, queues, the router. Those of
 * functions are of the Worker alone, and somewhat more than without a profiler.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { median } from "./client.mjs";
import { floorsOf, floorTurn, HOT_PATHS, pathsOf } from "./hot-paths.mjs";
import { recorderOf, selfTimes } from "./inspector.mjs";
import { Workshop } from "./servers.mjs";
import { Sink } from "./sink.mjs";
import { stateFolder } from "./state-folder.mjs";
import { round, table } from "./table.mjs";

/** Functions that are shown of each path. */
const MOST_FUNCTIONS = 20;

const { values: options } = parseArgs({
  options: {
    paths: { type: "string" },
    rounds: { type: "string", default: "3" },
    out: { type: "string" },
  },
});

const folder = mkdtempSync(path.join(stateFolder(), "batuta-profile-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

/** Sets a path up on a server, runs it until it is warm, and hands it on; the server is stopped afterwards. */
async function onServer(name, start, use) {
  const { phase, units } = HOT_PATHS[name];
  const around = {};
  let server = null;
  const startBatuta = async () => (server = await start());
  const run = await phase({ startBatuta }, sink, around);
  await run(units);
  await run(units);
  try {
    return await use({ server, run: () => run(units), around });
  } finally {
    await server.stop();
  }
}

/** CPU-ms and units a second, and the same of the floor in the same rounds. */
function costsOf(name) {
  return onServer(
    name,
    () => workshop.startBatuta(),
    async ({ run }) => {
      const floors = await floorsOf(workshop);
      const turns = [];
      for (let turn = 0; turn < Number(options.rounds); turn += 1) {
        turns.push({ floor: await floorTurn(floors, name), own: await run() });
      }
      for (const server of floors.servers) await server.stop();
      const of = (figure) => round(median(turns.map(figure)), 3);
      return {
        cpuMs: of(({ own }) => own.cpuMs),
        floorCpuMs: of(({ floor }) => floor.cpuMs),
        cpuToFloor: of(({ own, floor }) => own.cpuMs / floor.cpuMs),
        rateToFloor: of(({ own, floor }) => own.perSecond / floor.perSecond),
      };
    },
  );
}

/** What one unit asks of the platform, by kind and by what it is. */
function countsOf(name) {
  return onServer(
    name,
    () => workshop.startWorker(path.join(import.meta.dirname, "watched-worker.mjs")),
    async (watched) => {
      const { server, run, around } = watched;
      let counts = {};
      around.before = async () => void (await takeCounts(server));
      around.after = async () => void (counts = await takeCounts(server));
      const { units } = await run();
      const perUnit = (of) =>
        Object.fromEntries(
          Object.entries(of)
            .map(([what, times]) => [what, round(times / units, 2)])
            .filter(([, times]) => times > 0)
            .toSorted(([, one], [, other]) => other - one),
        );
      return Object.fromEntries(Object.entries(counts).map(([kind, of]) => [kind, perUnit(of)]));
    },
  );
}

async function takeCounts(server) {
  const answer = await fetch(new URL("/counts", server.url));
  return answer.json();
}

/** Milliseconds of JavaScript for one unit, by room and by function. */
function timesOf(name) {
  return onServer(
    name,
    () => workshop.startInspected(),
    async ({ server, run, around }) => {
      const recorder = await recorderOf(server);
      let profile = null;
      around.before = () => recorder.start();
      around.after = async () => void (profile = await recorder.stop());
      const { units } = await run();
      const { rooms, functions } = selfTimes(profile, workshop.script);
      return {
        rooms: Object.fromEntries(
          Object.entries(rooms).map(([room, ms]) => [room, round(ms / units, 3)]),
        ),
        functions: functions
          .slice(0, MOST_FUNCTIONS)
          .map((one) => ({ ...one, ms: round(one.ms / units, 3) })),
      };
    },
  );
}

const sink = await new Sink().start();
let workshop = null;
const found = {};
try {
  workshop = new Workshop(folder, { isMinified: false });
  for (const name of pathsOf(options.paths)) {
    const costs = await costsOf(name);
    const counts = await countsOf(name);
    found[name] = { ...costs, counts, ...(await timesOf(name)) };
    show(name, found[name]);
  }
  const heads = ["path", "CPU-ms", "floor", "CPU : floor", "rate : floor"];
  const rows = Object.entries(found).map(([name, one]) => [
    name,
    one.cpuMs,
    one.floorCpuMs,
    one.cpuToFloor,
    one.rateToFloor,
  ]);
  console.log(`\n${table(heads, rows)}\n${JSON.stringify(found)}`);
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(found, null, 2)}\n`);
} catch (error) {
  console.error("profile:", error);
  process.exitCode = 1;
} finally {
  for (const problem of workshop?.problems.slice(0, 5) ?? []) console.error(problem);
  await workshop?.stop();
  sink.stop();
}

function show(name, { cpuMs, floorCpuMs, counts, rooms, functions }) {
  console.log(`\n# ${name}: ${cpuMs} CPU-ms a unit, its floor ${floorCpuMs}\n`);
  for (const [kind, of] of Object.entries(counts)) {
    const parts = Object.entries(of).map(([what, times]) => `${what} ${times}`);
    console.log(`${kind.padEnd(16)} ${parts.join(" · ")}`);
  }
  const byRoom = Object.entries(rooms).filter(([, ms]) => ms >= 0.01);
  console.log(`\nms by room       ${byRoom.map(([room, ms]) => `${room} ${ms}`).join(" · ")}\n`);
  console.log(
    table(
      ["function", "room", "ms"],
      functions.map((one) => [one.name, one.room, one.ms]),
    ),
  );
}
