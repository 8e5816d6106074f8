/**
 * `npm run bench`: what Batuta does per second and what CPU time each unit costs, beside the bare platform.
 *
 * The built bundle on the miniflare API, loopback only, sixteen at a time; medians of five rounds in which every
 * phase has its turn, because only ratios within one run mean anything on a machine that others use too.
 * `--long` takes six times as much. Prints a table and then the same as JSON.
 *
 * Exits with 1 when something is broken: an answer that is not 2xx, a lost delivery, a bundle that is too large.
 * Never for slowness.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";

import { CONCURRENCY, median } from "./client.mjs";
import { acceptsPhase, deliveriesPhase, floorPhase, livesPhase } from "./phases.mjs";
import { startServers } from "./servers.mjs";
import { Sink } from "./sink.mjs";

const ROUNDS = 5;

/** Compressed bytes that the bundle may have. */
const MAX_GZIP_BYTES = 500 * 1_024;

/** Units a round: about two seconds each on two cores. */
const UNITS = { floor: 400, accept: 300, life: 48, delivery: 800 };

const isLong = process.argv.includes("--long");
const folder = mkdtempSync(path.join(tmpdir(), "batuta-bench-"));
const sink = await new Sink().start();
let servers = null;
try {
  servers = await startServers(folder);
  const rounds = await runRounds(servers);
  report(rounds, servers);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  process.exitCode = 1;
} finally {
  for (const problem of servers?.batuta.problems.slice(0, 10) ?? []) console.error(problem);
  await Promise.allSettled([servers?.batuta.stop(), servers?.floor.stop()]);
  sink.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function runRounds({ batuta, floor, adminKey }) {
  const phases = {
    floor: floorPhase(floor),
    accept: await acceptsPhase(batuta, adminKey),
    life: await livesPhase(batuta, adminKey, sink),
    delivery: await deliveriesPhase(batuta, adminKey, sink),
  };
  const rounds = [];
  // The round before the first warms up and is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const figures = {};
    for (const [name, phase] of Object.entries(phases)) {
      const share = (round === 0 ? 0.25 : 1) * (isLong ? 6 : 1);
      figures[name] = await phase(UNITS[name] * share);
    }
    if (round > 0) rounds.push(figures);
  }
  return rounds;
}

function report(rounds, { batuta, gzipBytes }) {
  const rows = Object.keys(UNITS).map((name) => {
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
    problems: batuta.problems.length,
    rounds: ROUNDS,
    concurrency: CONCURRENCY,
    loadAverage: loadavg().map((load) => round(load, 2)),
  };
  console.log(table(rows));
  console.log(`bundle ${result.bundleGzipKiB} KiB gzip; every delivery arrived.`);
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
