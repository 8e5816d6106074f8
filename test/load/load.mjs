/**
 * `npm run load -- load | stress | endurance | stored`: how Batuta bears work from outside, beside the bare platform where that tells
 * something. The built bundle on the miniflare API, loopback only; each is bounded in time, prints a table and a line of
 * JSON, and exits with 1 when a promise is broken. `--help` says what each takes. Several in one call share one build.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { stateFolder } from "./machine.mjs";
import { ENDURE_HEADS, endureLines, endureRun } from "./rig/endurance-run.mjs";
import { LOAD_HEADS, loadLines, loadRun } from "./rig/load-run.mjs";
import { storedHeads, storedLines, storedRun } from "./rig/stored-run.mjs";
import { STRESS_HEADS, stressLines, stressRun } from "./rig/stress-run.mjs";
import { Workshop } from "./servers.mjs";
import { table } from "./table.mjs";

/** Free bytes that make a folder in memory large enough: an object's database takes some 20 KiB. */
const MIN_MEMORY_BYTES = 8 * 2 ** 30;

const MEASURED = path.join(import.meta.dirname, "measured");

const OPTIONS = {
  help: { type: "boolean", default: false },
  out: { type: "string" },
  seed: { type: "string", default: "1" },
  untimed: { type: "boolean", default: false },
  rate: { type: "string", default: "12" },
  seconds: { type: "string", default: "20" },
  from: { type: "string", default: "10" },
  step: { type: "string", default: "5" },
  "orders-per-minute": { type: "string" },
  lives: { type: "string", default: "600" },
  cycles: { type: "string", default: "6" },
  probe: { type: "string", default: "5" },
  few: { type: "string", default: "200" },
  stored: { type: "string", default: "2000" },
  real: { type: "string", default: "2000" },
  turn: { type: "string", default: "10" },
};

const HELP = `npm run load -- COMMAND... [options]

  load       a target rate of whole lives and reads, each arrival at its instant whatever became of those before
             --rate 12        lives a second (12 are a million tasks a day)
             --seconds 20     for how long

  stress     steps up until the first error class, or until the rate rises no more; then back to a fifth of that, until it is
             well again, and until nothing that was accepted is missing
             --from 10        lives a second of the first step; each next one has half as many again
             --step 5         seconds of a step
             --orders-per-minute N  limits the key that submits, so that it breaks on any machine; lifted afterwards

  endurance  cycles of lives, each followed by 32 days on a clock that is put forward, after which nothing of them may be left:
             memory, rows, alarms and latency stay the same
             --lives 600      lives in all; the long form is 50000, about half an hour
             --cycles 6       cycles among which they are shared out; the long form is 10
             --probe 5        seconds in which latency is measured in each cycle

  stored     two of them in turns, one with few ended tasks and one with many: answers take as long
             --few 200        stored tasks of the one; the long form is 1000
             --stored 2000    stored tasks of the other; the long form is 100000
             --real 2000      of these, so many have objects of their own; the others are rows of history alone
             --turn 10        seconds of a turn; the long form is 20

Of all:
  --seed 1           draws the instants of arrivals
  --untimed          judges nothing that depends on how fast the machine is
  --out FILE         writes the JSON to test/load/measured/FILE, or to FILE where that is an absolute path
  --help             this

Exits with 1 when a promise is broken; each is then named.
`;

const COMMANDS = {
  load: {
    run: ({ workshop, values }) =>
      loadRun({
        workshop,
        perSecond: positive(values, "rate"),
        forMs: positive(values, "seconds") * 1_000,
        ...common(values),
      }),
    show: (figures) => table(LOAD_HEADS, loadLines(figures)),
  },
  stress: {
    run: ({ workshop, values }) =>
      stressRun({
        workshop,
        perSecond: positive(values, "from"),
        stepMs: positive(values, "step") * 1_000,
        ordersPerMinute:
          values["orders-per-minute"] === undefined ? null : positive(values, "orders-per-minute"),
        ...common(values),
      }),
    show: (figures) => table(STRESS_HEADS, stressLines(figures)),
  },
  endurance: {
    run: ({ workshop, values }) =>
      endureRun({
        workshop,
        lives: positive(values, "lives"),
        cycles: positive(values, "cycles"),
        probeMs: positive(values, "probe") * 1_000,
        ...common(values),
      }),
    show: (figures) => table(ENDURE_HEADS, endureLines(figures)),
  },
  stored: {
    run: ({ workshop, values }) =>
      storedRun({
        workshop,
        few: positive(values, "few"),
        many: positive(values, "stored"),
        real: positive(values, "real"),
        turnMs: positive(values, "turn") * 1_000,
        ...common(values),
      }),
    show: (figures) => table(storedHeads(figures), storedLines(figures)),
  },
};

function common(values) {
  return { seed: positive(values, "seed"), isTimed: !values.untimed };
}

function positive(values, name) {
  const number = Number(values[name]);
  if (Number.isFinite(number) && number > 0) return number;
  throw new Error(`--${name} must be a positive number, and is ${values[name]}`);
}

function parsed() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const unknown = positionals.find((name) => !Object.hasOwn(COMMANDS, name));
  if (unknown !== undefined) {
    throw new Error(`${unknown} is none of ${Object.keys(COMMANDS).join(", ")}`);
  }
  return { values, commands: positionals };
}

async function runAll(workshop, { values, commands }) {
  const result = {};
  for (const name of commands) {
    const { run, show } = COMMANDS[name];
    // One after the other: each would slow the other.
    // oxlint-disable-next-line no-await-in-loop
    const figures = await run({ workshop, values });
    console.log(`${show(figures)}\n`);
    for (const promise of figures.broken) console.error(`broken: ${name}: ${promise}`);
    if (figures.broken.length > 0) process.exitCode = 1;
    result[name] = figures;
  }
  console.log(JSON.stringify(result));
  if (values.out !== undefined) {
    mkdirSync(MEASURED, { recursive: true });
    writeFileSync(path.resolve(MEASURED, values.out), `${JSON.stringify(result, null, 2)}\n`);
  }
}

async function main() {
  const asked = parsed();
  if (asked.values.help || asked.commands.length === 0) {
    console.log(HELP);
    return;
  }
  const folder = mkdtempSync(path.join(stateFolder(MIN_MEMORY_BYTES), "batuta-load-"));
  // However it ends: a folder in memory would stay there.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  const workshop = new Workshop(folder);
  try {
    await runAll(workshop, asked);
  } finally {
    for (const problem of workshop.problems.slice(0, 10)) console.error(problem);
    await workshop.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error("load:", error.message);
  process.exitCode = 1;
}
