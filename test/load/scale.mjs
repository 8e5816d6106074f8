/**
 * `npm run scale`: which part is how busy at 1, 10, 100 and 1,000 million tasks a day, what is full first, how far the levers
 * have to be moved, and what a month costs. On paper: measured figures of test/load/measured/ and limits of the platform.
 *
 *   npm run scale -- --life burst --tenants 50 --largest 0.5 --receiver-ms 500 --json
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { PLATFORM } from "./scale/bounds.ts";
import { burst, draws, hangingEndpoint, hotTenant } from "./scale/events.ts";
import { breaksAt, dollarsOfMonth, FULL, relieved } from "./scale/levers.ts";
import { partsAt } from "./scale/parts.ts";

const SCALES = [1, 10, 100, 1_000];
const NUMBERS = {
  "tasks-per-day": 1_000_000,
  tenants: 100,
  largest: 0.2,
  peak: 3,
  "receiver-ms": 200,
  "retention-days": 365,
  "removed-days": 365,
  "object-days": 7,
};

function read(name) {
  const file = path.join(import.meta.dirname, "measured", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8"));
}

function refuse(words) {
  console.error(words);
  process.exit(2);
}

function options() {
  const numbers = Object.keys(NUMBERS);
  const known = `Known: ${numbers.map((name) => `--${name} N`).join(", ")}, --life burst|paced|slow, --json`;
  try {
    const { values } = parseArgs({
      options: {
        ...Object.fromEntries(
          numbers.map((name) => [name, { type: "string", default: String(NUMBERS[name]) }]),
        ),
        life: { type: "string", default: "paced" },
        json: { type: "boolean", default: false },
      },
    });
    for (const name of numbers) {
      const value = Number(values[name]);
      if (!(Number.isFinite(value) && value > 0))
        refuse(`--${name} must be a number above 0. ${known}`);
      values[name] = value;
    }
    if (values.largest > 1) refuse(`--largest is a share of all tasks, 1 at most. ${known}`);
    if (!["burst", "paced", "slow"].includes(values.life))
      refuse(`--life must be one of three. ${known}`);
    return values;
  } catch (error) {
    return refuse(`${error.message}. ${known}`);
  }
}

const asked = options();
const measured = { steps: read(asked.life), ...read("history") };
const [{ cpuMs }] = read("bench").rows.filter(({ unit }) => unit === "life");
const LIFE_SECONDS = { burst: 0.5, paced: 12, slow: 200 };
const situation = (times) => ({
  tasksPerDay: asked["tasks-per-day"] * times,
  peak: asked.peak,
  tenants: asked.tenants * times,
  largest: asked.largest,
  lifeSeconds: LIFE_SECONDS[asked.life],
  receiverMs: asked["receiver-ms"],
  requestsOfIsolate: 100,
  retentionDays: asked["retention-days"],
  removedDays: asked["removed-days"],
  installations: 1,
  splits: 1,
  pools: 1,
  endpointShards: 1,
  databases: 1,
  queues: 1,
});
const costs = { cpuMs, objectDays: asked["object-days"] };

const scales = SCALES.map((times) => {
  const before = situation(times);
  const after = relieved(measured, before);
  return {
    times,
    tasksPerDay: before.tasksPerDay,
    asItComes: partsAt(measured, before),
    levers: after,
    relieved: partsAt(measured, after),
    dollarsOfMonth: dollarsOfMonth(measured, after, costs),
  };
});
const first = scales[0].asItComes.map(({ name, use }) => ({
  name,
  use,
  breaksAt: breaksAt(measured, situation(1), name),
}));

const seed = draws(9);
const callMs = 1_000 / PLATFORM.callsOfObject;
const msOfMessage = measured.batchMs / PLATFORM.messagesOfBatch;
const capacity = 1_000 / msOfMessage;
const events = {
  burst: [1, 4, 16].map((pools) => ({
    pools,
    ...burst({ tasks: 2_000, withinMs: 1_000, callMs, pools }, seed),
  })),
  hotTenant: [0.5, 0.9, 1.1].map((use) => ({
    use,
    ...hotTenant({ hot: capacity * use, small: 5, ms: msOfMessage, seconds: 60 }, seed),
  })),
  hangingEndpoint: hangingEndpoint(
    { perSecond: 10, receiverMs: asked["receiver-ms"], timeoutMs: 30_000, slots: 6, seconds: 60 },
    seed,
  ),
};

if (asked.json) {
  console.log(JSON.stringify({ measured: { ...measured, cpuMs }, first, scales, events }));
} else {
  showFirst();
  for (const scale of scales) showScale(scale);
  showEvents();
}

function percent(use) {
  return `${use < 0.1 ? (use * 100).toFixed(1) : Math.round(use * 100).toLocaleString("en")} %`;
}

function showFirst() {
  console.log(`# What is full first, as an installation comes (one of everything)\n`);
  for (const { name, use, breaksAt: at } of first) {
    const tasks =
      at === null
        ? "never"
        : `${Number(((at * asked["tasks-per-day"]) / 1e6).toPrecision(2)).toLocaleString("en", { maximumSignificantDigits: 2 })} M tasks/day`;
    console.log(`  ${percent(use).padStart(8)}  ${tasks.padStart(18)}  ${name}`);
  }
}

function showScale({
  times,
  tasksPerDay,
  asItComes,
  levers,
  relieved: parts,
  dollarsOfMonth: dollars,
}) {
  console.log(
    `\n# ${times}x: ${(tasksPerDay / 1e6).toLocaleString("en")} M ${asked.life} tasks a day\n`,
  );
  const [worst] = asItComes;
  console.log(`  first: ${worst.name}, ${percent(worst.use)}: ${worst.beyond}`);
  const { installations, splits, pools, endpointShards, databases, queues } = levers;
  console.log(
    `  history in D1: ${levers.retentionDays} days, older tasks in the archive and known for ${levers.removedDays} days`,
  );
  console.log(
    `  the largest tenant: split into ${splits}, with ${pools} pools and ${endpointShards} endpoint shards each`,
  );
  console.log(
    `  installations: ${installations}, each with ${databases} databases of history and ${queues} queues of news`,
  );
  console.log(`  a month: $${Math.round(dollars).toLocaleString("en")}`);
  const left = parts.filter(({ use }) => use > FULL);
  console.log(left.length === 0 ? "  nothing is above 70 % then" : "  above 70 % then:");
  for (const { name, use, asked: needs, able, unit, beyond } of left) {
    const figures = [needs, able].map((value) =>
      value.toLocaleString("en", { maximumFractionDigits: 1 }),
    );
    console.log(
      `    ${percent(use).padStart(9)}  ${name} (${figures.join(" of ")} ${unit}): ${beyond}`,
    );
  }
}

function showEvents() {
  console.log("\n# Many at once\n");
  for (const { pools, p50, p99 } of events.burst) {
    console.log(
      `  2,000 tasks within a second over ${pools} pool(s): an executor after ${Math.round(p50)} ms (p50), ${Math.round(p99)} ms (p99)`,
    );
  }
  for (const { use, together, apart } of events.hotTenant) {
    console.log(
      `  a tenant that takes ${percent(use)} of a database: a small one's history is ${Math.round(together)} ms late beside it, ${Math.round(apart)} ms in another one (p99)`,
    );
  }
  const { own, shared } = events.hangingEndpoint;
  console.log(
    `  an endpoint that hangs: another one's deliveries take ${Math.round(own)} ms; with senders shared they would take ${Math.round(shared)} ms (p99)`,
  );
}
