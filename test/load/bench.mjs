/**
 * `npm run bench`: what Batuta does per second and what CPU time each unit costs, beside the bare platform.
 *
 * The built bundle on the miniflare API, loopback only, sixteen at a time; medians of five rounds in which every
 * phase has its turn, because only ratios within one run mean anything on a machine that others use too.
 * Takes less than 100 s; `--long` up to ten minutes. Prints a table of phases and one of what webhooks promise, each
 * beside its target, and then the same as JSON. `--only edge` measures what the edge costs and nothing else; `--keep` puts
 * the JSON into test/load/measured/, where the bill reads what CPU time a life takes.
 *
 * Exits with 1 when something is broken: an answer that is not 2xx, a lost delivery, a bundle that is too large.
 * Never for slowness: a missed target is only said.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import path from "node:path";

import { CONCURRENCY, median, quantile } from "./client.mjs";
import { deliveriesPhase, isolationPhase, pickCosts } from "./delivery-phases.mjs";
import { edgeCosts } from "./edge-phases.mjs";
import { overviewLatency, overviewLines } from "./overview.mjs";
import { acceptsPhase, floorPhase, livesPhase } from "./phases.mjs";
import { dispatchLatency, poolPickCosts } from "./pool-phases.mjs";
import { Workshop } from "./servers.mjs";
import { Sink } from "./sink.mjs";
import { stateFolder } from "./state-folder.mjs";
import { round, table } from "./table.mjs";

const isLong = process.argv.includes("--long");
const isEdgeOnly = process.argv.includes("--only") && process.argv.includes("edge");

/** Whether the result is kept, and where. */
const isKept = process.argv.includes("--keep");
const KEPT = path.join(import.meta.dirname, "measured/bench.json");

/** Turns of the edge's measurement. */
const EDGE_TURNS = isLong || isEdgeOnly ? 7 : 3;

/** What the figures are medians of. */
const ROUNDS = isLong ? 9 : 5;

/** No round begins when it could not end within this, milliseconds. */
const BUDGET_MS = isLong ? 600_000 : 95_000;

/** What a phase should take, milliseconds: its count follows from how fast the warm-up went. */
const PHASE_MS = isLong ? 8_000 : 1_500;

/** Units of the warm-up, and so the least of a round. */
const WARM_UP = { floor: 64, accept: 64, life: 32, delivery: 320 };

/** The most units of a round: each accepted task has to be cancelled again, which takes longer than to accept it. */
const MAX_UNITS = { floor: 1_500, accept: isLong ? 1_500 : 300, life: 1_000, delivery: 20_000 };

/** Events of the isolation phase each second: a quarter of what the machine can deliver, so that none has to queue. */
const PACE_SHARE = 0.25;

/** What is promised of webhooks. Ratios hold on any machine; the rate is a million deliveries a day. */
const TARGETS = { isolation: 1.5, pick: 2, deliveriesPerDay: 1_000_000, edgeCpuMs: 0.3 };
const SECONDS_PER_DAY = 86_400;

/** Compressed bytes that the bundle may have: what a start of an isolate reads, and with what it reads when it needs it. */
const MAX_GZIP_BYTES = 500 * 1_024;
const MAX_UPLOAD_BYTES = 768 * 1_024;

const began = performance.now();
const folder = mkdtempSync(path.join(stateFolder(), "batuta-bench-"));
// However it ends: a folder in memory would stay there.
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
const sink = await new Sink().start();
let workshop = null;
try {
  workshop = new Workshop(folder);
  const edge = edgeFigures(await edgeCosts(workshop, EDGE_TURNS));
  if (isEdgeOnly) {
    console.log(`${table(["edge", "figure", "target"], edgeLines(edge))}\n${JSON.stringify(edge)}`);
  } else {
    const picks = await pickCosts(workshop, sink);
    const pools = { picks: await poolPickCosts(), dispatch: await dispatchLatency(workshop) };
    const overview = await overviewLatency(workshop, { many: isLong ? 1_000_000 : 100_000 });
    report(await runRounds(), picks, { edge, pools: poolFigures(pools), overview });
  }
} catch (error) {
  console.error("bench:", error);
  process.exitCode = 1;
} finally {
  for (const problem of workshop?.problems.slice(0, 10) ?? []) console.error(problem);
  await workshop?.stop();
  sink.stop();
}

async function runRounds() {
  const phases = {
    floor: await floorPhase(workshop),
    accept: await acceptsPhase(workshop),
    life: await livesPhase(workshop, sink),
    delivery: await deliveriesPhase(workshop, sink),
  };
  const isolate = await isolationPhase(workshop, sink);
  // Twice: the first time finds cold code, the second tells how much fits into a phase.
  await runRound(phases, WARM_UP);
  const warm = await runRound(phases, WARM_UP);
  const load = {
    forMs: PHASE_MS,
    deliveriesPerSecond: PACE_SHARE * warm.delivery.perSecond,
  };
  await isolate({ ...load, forMs: PHASE_MS / 2 });
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
    rounds.push({ ...(await runRound(phases, counts)), isolation: await isolate(load) });
    longest = Math.max(longest, performance.now() - begin);
  }
  return rounds;
}

async function runRound(phases, counts) {
  const figures = {};
  for (const [name, phase] of Object.entries(phases)) figures[name] = await phase(counts[name]);
  return figures;
}

function report(rounds, picks, { edge, pools, overview }) {
  const { gzipBytes, uploadBytes, problems } = workshop;
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
  const webhooks = webhookFigures(rounds, picks);
  const result = {
    rows,
    webhooks,
    pools,
    edge,
    overview,
    bundleGzipKiB: round(gzipBytes / 1_024, 1),
    uploadGzipKiB: round(uploadBytes / 1_024, 1),
    repeatedDeliveries: sink.repeated,
    problems: problems.length,
    rounds: rounds.length,
    concurrency: CONCURRENCY,
    loadAverage: loadavg().map((load) => round(load, 2)),
  };
  const heads = ["unit", "per s", "CPU-ms", "p50 ms", "p99 ms", "rate : floor", "CPU : floor"];
  console.log(table(heads, rows.map(Object.values)));
  console.log(`\n${table(["webhooks", "figure", "target"], webhookLines(webhooks))}`);
  console.log(`\n${table(["pools", "figure", "target"], poolLines(pools))}`);
  console.log(`\n${table(["edge", "figure", "target"], edgeLines(edge))}\n`);
  console.log(`${table(["overview", "figure", "target"], overviewLines(overview))}\n`);
  console.log("event to receipt: from `timestamp` in the body to the arrival of the request");
  console.log(
    `medians of ${rounds.length} rounds; bundle ${result.bundleGzipKiB} KiB gzip, upload ${result.uploadGzipKiB}; every delivery arrived`,
  );
  console.log(JSON.stringify(result));
  if (isKept) writeFileSync(KEPT, `${JSON.stringify(result, null, 2)}\n`);
  if (gzipBytes > MAX_GZIP_BYTES || uploadBytes > MAX_UPLOAD_BYTES) {
    const most = `${MAX_GZIP_BYTES / 1_024} KiB, or the upload more than ${MAX_UPLOAD_BYTES / 1_024}`;
    throw new Error(`the bundle has more than ${most}`);
  }
}

/** Figures of webhooks; ages are milliseconds from the `timestamp` in the body to the receipt. */
function webhookFigures(rounds, picks) {
  const of = (figure) => median(rounds.map(({ delivery }) => delivery[figure]));
  // All rounds in one: a single round has too few requests for a steady 99th percentile.
  const agesOf = (which) => rounds.flatMap(({ isolation }) => isolation[which]);
  const [healthy, beside] = [quantile(agesOf("healthy"), 0.99), quantile(agesOf("beside"), 0.99)];
  return {
    perSecond: round(of("perSecond"), 1),
    perDay: Math.round(of("perSecond") * SECONDS_PER_DAY),
    burst: { p50Ms: of("ageP50"), p99Ms: of("ageP99") },
    paced: { p50Ms: quantile(agesOf("healthy"), 0.5), p99Ms: healthy },
    besideHanging: { p50Ms: quantile(agesOf("beside"), 0.5), p99Ms: beside },
    isolationRatio: round(beside / healthy, 2),
    pickCpuMs: { few: round(picks.cpuMs.few, 2), many: round(picks.cpuMs.many, 2) },
    pickCpuRatio: round(picks.cpuMs.ratio, 2),
    pickTimeRatio: round(1 / picks.perSecond.ratio, 2),
  };
}

function webhookLines(webhooks) {
  const { burst, paced, besideHanging, pickCpuMs } = webhooks;
  const ages = ({ p50Ms, p99Ms }) => `${p50Ms} / ${p99Ms} ms`;
  return [
    ["deliveries a day: measured rate x 86,400", webhooks.perDay, `>= ${TARGETS.deliveriesPerDay}`],
    ["event to receipt in a burst, p50 / p99", ages(burst), ""],
    ["event to receipt at a quarter of the rate, p50 / p99", ages(paced), ""],
    ["the same, one of 20 endpoints hanging 10 s", ages(besideHanging), ""],
    [
      "p99 beside the hanging one : all healthy",
      webhooks.isolationRatio,
      `<= ${TARGETS.isolation}`,
    ],
    [
      "CPU-ms with 1,000 / 100,000 waiting",
      `${pickCpuMs.few ?? "-"} / ${pickCpuMs.many ?? "-"}`,
      "",
    ],
    ["CPU with 100,000 : 1,000 waiting", webhooks.pickCpuRatio, `<= ${TARGETS.pick}`],
    ["time with 100,000 : 1,000 waiting", webhooks.pickTimeRatio, `<= ${TARGETS.pick}`],
  ];
}

/** Figures of pools: picks of a large pool beside those of a small one, and the way of a task to who waits. */
function poolFigures({ picks, dispatch }) {
  const rounded = ({ p50Ms, p99Ms }) => ({ p50Ms: round(p50Ms, 1), p99Ms: round(p99Ms, 1) });
  return {
    pickUs: { few: round(picks.fewUs, 1), many: round(picks.manyUs, 1) },
    pickRatio: round(picks.ratio, 2),
    dispatch: { outside: rounded(dispatch.outside), inLog: rounded(dispatch.inLog) },
  };
}

function poolLines({ pickUs, pickRatio, dispatch }) {
  const times = ({ p50Ms, p99Ms }) => `${p50Ms} / ${p99Ms} ms`;
  return [
    ["POST of a task to the answer of a waiting claim, p50 / p99", times(dispatch.outside), ""],
    ["task_submitted to task_assigned in the log, p50 / p99", times(dispatch.inLog), ""],
    [
      "pick, release and announcement: 100 tasks, 10 agents / 10,000 tasks, 200 agents",
      `${pickUs.few} / ${pickUs.many} us`,
      "",
    ],
    ["the large pool : the small one", pickRatio, `<= ${TARGETS.pick}`],
  ];
}

/** Figures of the edge: the same route with and without it, and what a cache of verdicts would save. */
function edgeFigures({ requests, verdicts }) {
  const of = ({ bare, edge, difference, checks }) => ({
    bare: round(bare, 2),
    checks: round(checks, 2),
    edge: round(edge, 2),
    difference: round(difference, 2),
  });
  const { sha256, fnv1a, schema } = verdicts;
  return {
    post: of(requests.post),
    get: of(requests.get),
    verdictUs: { sha256: round(sha256, 1), fnv1a: round(fnv1a, 1), schema: round(schema, 1) },
  };
}

function edgeLines({ post, get, verdictUs }) {
  const costs = ({ bare, edge, difference, checks }) =>
    `${bare} -> ${edge}: ${difference}, of which ${checks}`;
  const target = `<= ${TARGETS.edgeCpuMs}`;
  const { sha256, fnv1a, schema } = verdictUs;
  return [
    ["POST without and with the edge: keys, limits, validation, CPU-ms", costs(post), target],
    ["GET without and with the edge: keys, limits, validation, CPU-ms", costs(get), target],
    [
      "a typical body: SHA-256 / FNV-1a / its schema, CPU-us",
      `${sha256} / ${fnv1a} / ${schema}`,
      "",
    ],
  ];
}
