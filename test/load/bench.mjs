/**
 * `npm run bench`: what Batuta does per second and what CPU time each unit costs, beside the bare platform.
 *
 * The built bundle on the miniflare API, loopback only, sixteen at a time; medians of five rounds in which every
 * phase has its turn, because only ratios within one run mean anything on a machine that others use too.
 * Takes less than 90 s; `--long` up to ten minutes. Prints a table and then the same as JSON.
 *
 * Exits with 1 when something is broken: an answer that is not 2xx, a lost delivery, a bundle that is too large.
 * Never for slowness.
 */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";

import { CONCURRENCY, median } from "./client.mjs";
import { acceptsPhase, deliveriesPhase, floorPhase, livesPhase } from "./phases.mjs";
import { Workshop } from "./servers.mjs";
import { Sink } from "./sink.mjs";

const isLong = process.argv.includes("--long");

/** What the figures are medians of. */
const ROUNDS = isLong ? 9 : 5;

/** No round begins when it could not end within this, milliseconds. */
const BUDGET_MS = isLong ? 600_000 : 85_000;

/** What a phase should take, milliseconds: its count follows from how fast the warm-up went. */
const PHASE_MS = isLong ? 8_000 : 1_500;

/** Units of the warm-up, and so the least of a round. */
const WARM_UP = { floor: 64, accept: 64, life: 32, delivery: 320 };

/** The most units of a round: each accepted task has to be cancelled again, which takes longer than to accept it. */
const MAX_UNITS = { floor: 1_500, accept: isLong ? 1_500 : 300, life: 1_000, delivery: 20_000 };

/** Compressed bytes that the bundle may have. */
const MAX_GZIP_BYTES = 500 * 1_024;

/** Free bytes that make a folder in memory large enough. */
const MIN_MEMORY_BYTES = 2 ** 30;

const began = performance.now();
const folder = mkdtempSync(path.join(stateFolder(), "batuta-bench-"));
// However it ends: a folder in memory would stay there.
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
const sink = await new Sink().start();
let workshop = null;
try {
  workshop = new Workshop(folder);
  report(await runRounds());
} catch (error) {
  console.error("bench:", error);
  process.exitCode = 1;
} finally {
  for (const problem of workshop?.problems.slice(0, 10) ?? []) console.error(problem);
  await workshop?.stop();
  sink.stop();
}

/** In memory where that is possible: on a shared disk the wait for `fsync` drowns what is measured. */
function stateFolder() {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize >= MIN_MEMORY_BYTES ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}

async function runRounds() {
  const phases = {
    floor: await floorPhase(workshop),
    accept: await acceptsPhase(workshop),
    life: await livesPhase(workshop, sink),
    delivery: await deliveriesPhase(workshop, sink),
  };
  // Twice: the first time finds cold code, the second tells how much fits into a phase.
  await runRound(phases, WARM_UP);
  const warm = await runRound(phases, WARM_UP);
  const counts = {};
  for (const [name, least] of Object.entries(WARM_UP)) {
    const fitting = Math.round((warm[name].perSecond * PHASE_MS) / 1_000);
    counts[name] = Math.min(MAX_UNITS[name], Math.max(least, fitting));
  }
  const rounds = [];
  let longest = 0;
  const hasTime = () => performance.now() - began + longest < BUDGET_MS;
  while (rounds.length === 0 || (rounds.length < ROUNDS && hasTime())) {
    const begin = performance.now();
    rounds.push(await runRound(phases, counts));
    longest = Math.max(longest, performance.now() - begin);
  }
  return rounds;
}

async function runRound(phases, counts) {
  const figures = {};
  for (const [name, phase] of Object.entries(phases)) figures[name] = await phase(counts[name]);
  return figures;
}

function report(rounds) {
  const { gzipBytes, problems } = workshop;
  const rows = Object.keys(WARM_UP).map((name) => {
    const of = (figure) => median(rounds.map((figures) => figures[name][figure]));
    // Each against the floor of its own round.
    const ratio = (figure) =>
      median(rounds.map((figures) => figures[name][figure] / figures.floor[figure]));
    return {
      unit: name,
      perSecond: round(of("perSecond"), 1),
      cpuMs: round(of("cpuMs"), 2),
      p50Ms: round(of("p50"), 1),
      p99Ms: round(of("p99"), 1),
      rateToFloor: round(ratio("perSecond"), 2),
      cpuToFloor: round(ratio("cpuMs"), 2),
    };
  });
  const result = {
    rows,
    bundleGzipKiB: round(gzipBytes / 1_024, 1),
    repeatedDeliveries: sink.repeated,
    problems: problems.length,
    rounds: rounds.length,
    concurrency: CONCURRENCY,
    loadAverage: loadavg().map((load) => round(load, 2)),
  };
  console.log(table(rows));
  console.log(
    `medians of ${rounds.length} rounds; bundle ${result.bundleGzipKiB} KiB gzip; every delivery arrived`,
  );
  console.log(JSON.stringify(result));
  if (gzipBytes > MAX_GZIP_BYTES) {
    throw new Error(`the bundle has more than ${MAX_GZIP_BYTES / 1_024} KiB`);
  }
}

function round(value, digits) {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

function table(rows) {
  const heads = ["unit", "per s", "CPU-ms", "p50 ms", "p99 ms", "rate : floor", "CPU : floor"];
  const lines = rows.map((row) => Object.values(row).map((value) => String(value ?? "-")));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column].length)),
  );
  const draw = (line) =>
    line
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]),
      )
      .join("  ");
  return [heads, widths.map((width) => "-".repeat(width)), ...lines].map(draw).join("\n");
}
