/** Many cycles of lives, each ended by weeks in which everything is forgotten: what is left after each must be the same. */
import { median, quantile } from "../client.mjs";
import { atRest } from "../phases.mjs";
import { round } from "../table.mjs";
import { ClockedBatuta } from "./clock.mjs";
import { contents, figuresOf, leaks } from "./contents.mjs";
import { MixedWork } from "./mixed-work.mjs";
import { drawOf, openLoop } from "./open-loop.mjs";
import { Receipts } from "./receipts.mjs";
import { Recorder } from "./recorder.mjs";

const TENANT = "endure";

/** Lives at one time while the state grows. */
const LANES = 16;

/** What is measured in each cycle when its state is largest: lives and reads a second, for how long. */
const PROBE = { lives: 6, reads: 18 };

/** The clock's jump between two cycles, days: longer than anything is kept (`KEPT` of clock.mjs). */
const JUMP_DAYS = 32;
const DAY_MS = 86_400_000;

/** How long is waited for what was accepted, and sweeps come round for what is to be forgotten, milliseconds. */
const PATIENCE_MS = 120_000;
const SWEEPS_MS = 30_000;

/** So much may latency grow, and memory: what JavaScript holds after a collection, and what the process has. */
const MOST_LATENCY = 1.5;
const MOST_MEMORY = 1.25;

/**
 * Runs it.
 *
 * @param {{ workshop: object, lives: number, cycles: number, probeMs: number, seed: number, isTimed: boolean }} of lives in all
 * @returns {Promise<object>} figures, with `broken`: each promise that was not kept, in words
 */
export async function endureRun({ workshop, lives, cycles, probeMs, seed, isTimed }) {
  const batuta = await ClockedBatuta.start(workshop);
  const clock = () => batuta.now();
  const receipts = await new Receipts(clock).start();
  const recorder = new Recorder();
  const work = await MixedWork.open(batuta, { receipts, recorder, tenant: TENANT, isTimed, clock });
  const run = {
    batuta,
    work,
    receipts,
    draw: drawOf(seed),
    lives: Math.ceil(lives / cycles),
    probeMs,
  };
  const done = [];
  try {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const figures = await oneCycle(run);
      console.error(`cycle ${cycle + 1} of ${cycles}: ${JSON.stringify(figures)}`);
      done.push(figures);
      // What is broken stays so, and each further cycle would wait for it.
      if (faultsOf(figures).length > 0) break;
    }
    const verdict = verdictOf(done, lives);
    const figures = { lives, cycles: done, verdict, disorders: receipts.disorders.slice(0, 10) };
    return { ...figures, broken: brokenBy(figures, isTimed) };
  } finally {
    work.close();
    receipts.stop();
    await batuta.stop();
  }
}

/** Lives, a look at how quick everything still is, and the weeks after which nothing of them is left. */
async function oneCycle({ batuta, work, receipts, draw, lives, probeMs }) {
  const recorder = new Recorder();
  work.recorder = recorder;
  await work.register();
  const begin = performance.now();
  await inLanes(lives, (index) => work.live(index));
  const lost = await work.settle(PATIENCE_MS);
  const perSecond = round((lives / (performance.now() - begin)) * 1_000, 1);
  await atRest(batuta.server);
  const probe = await measure(work, { draw, probeMs });
  lost.push(...(await work.settle(PATIENCE_MS)));
  const unrecorded = await untilRecorded(batuta, work);
  const full = await contents(batuta, stored(work));
  const unseen = work.unseen();
  const left = await forgetAll(batuta, work, full.objects);
  forget(work, receipts);
  const heapBytes = await batuta.heapBytes();
  const memoryBytes = await batuta.memoryBytes();
  return {
    perSecond,
    ...probe.figures,
    errors: [...recorder.errors, ...probe.errors],
    lost: lost.length,
    unseen: unseen.length,
    unrecorded,
    full: figuresOf(full),
    left,
    heapMiB: mebibytes(heapBytes),
    memoryMiB: mebibytes(memoryBytes),
  };
}

function mebibytes(bytes) {
  return bytes === null ? null : round(bytes / 2 ** 20, 1);
}

/** Waits until history has every task of the cycle; how many it lacks when the patience is over. */
async function untilRecorded(batuta, work) {
  const until = performance.now() + PATIENCE_MS;
  const lacking = async () =>
    work.worker.acknowledged.size - ((await batuta.tables())["task"] ?? 0);
  let count = await lacking();
  while (count !== 0 && performance.now() < until) {
    // oxlint-disable-next-line no-await-in-loop
    await atRest(batuta.server);
    // oxlint-disable-next-line no-await-in-loop
    count = await lacking();
  }
  return count;
}

async function inLanes(count, unit) {
  let next = 0;
  const work = async () => {
    // oxlint-disable-next-line no-await-in-loop
    while (next < count) await unit(next++);
  };
  await Promise.all(Array.from({ length: LANES }, work));
}

/** How long answers take, at a rate that leaves the machine time. */
async function measure(work, { draw, probeMs }) {
  const recorder = new Recorder();
  work.recorder = recorder;
  const [lives, reads] = await Promise.all([
    openLoop({ perSecond: PROBE.lives, forMs: probeMs, draw }, (index, dueAt) =>
      work.live(index, dueAt),
    ),
    openLoop({ perSecond: PROBE.reads, forMs: probeMs, draw }, (index, dueAt) =>
      work.read(index, dueAt),
    ),
  ]);
  await Promise.all([...lives, ...reads]);
  const of = (op) => ({
    p50Ms: round(quantile(recorder.latenciesOf(op), 0.5), 1),
    p99Ms: round(quantile(recorder.latenciesOf(op), 0.99), 1),
  });
  const figures = { accept: of("submit"), read: of("read"), list: of("list") };
  return { figures, errors: recorder.errors };
}

const stored = ({ worker: { acknowledged }, webhook_id }) => ({
  acknowledged,
  tenant: TENANT,
  webhook_id,
});

/**
 * Weeks go by, sweeps come round; what is left then. Another day goes by if need be: a sweep of the endpoint that was
 * half-way as the weeks went by leaves what it had looked at to the next one.
 */
async function forgetAll(batuta, work, objects) {
  let left = null;
  let sweeps = 0;
  for (const days of [JUMP_DAYS, 1]) {
    // oxlint-disable-next-line no-await-in-loop
    await batuta.forward(days * DAY_MS, objects);
    const until = performance.now() + SWEEPS_MS;
    do {
      sweeps += 1;
      // oxlint-disable-next-line no-await-in-loop
      await batuta.sweep();
      // oxlint-disable-next-line no-await-in-loop
      await atRest(batuta.server);
      // oxlint-disable-next-line no-await-in-loop
      left = await contents(batuta, stored(work));
    } while (leaks(left).length > 0 && performance.now() < until);
    if (leaks(left).length === 0) break;
  }
  const { reserved, ready } = await work.caller.call("GET", "/v1/pools/default/snapshot");
  const waiting = Object.values(ready).reduce((sum, count) => sum + count, 0);
  const slots = await work.slotsInUse();
  return {
    ...figuresOf(left),
    sweeps,
    leaks: leaks(left),
    pool: { waiting, reserved },
    slotsInUse: slots,
  };
}

/** The run itself must not grow. */
function forget(work, receipts) {
  receipts.forget(work.worker.acknowledged.keys());
  receipts.ages = [];
  work.worker.acknowledged.clear();
  work.forgetLast();
}

/**
 * What became of latency and memory over the cycles, the cold one left out: the last third to the first. Of the process's
 * memory it is the last to the middle one: what it keeps for its files and objects has to fill up first.
 */
function verdictOf(cycles, lives) {
  const warm = cycles.slice(1);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const middle = Math.floor((warm.length - third) / 2);
  const ratio = (figure, from = 0) => {
    const values = warm.map(figure);
    const before = median(values.slice(from, from + third));
    return round(median(values.slice(-third)) / before, 2);
  };
  const heap = ({ heapMiB }) => heapMiB;
  const grown = cycles.length < 3 ? null : heap(cycles.at(-1)) - heap(cycles[1]);
  const livesBetween = (lives / cycles.length) * (cycles.length - 2);
  return {
    latency: {
      acceptP99: ratio(({ accept }) => accept.p99Ms),
      readP99: ratio(({ read }) => read.p99Ms),
      listP99: ratio(({ list }) => list.p99Ms),
    },
    heap: ratio(heap),
    memory: ratio(({ memoryMiB }) => memoryMiB, middle),
    heapKiBPerLife: grown === null ? null : round((grown * 1_024) / livesBetween, 2),
  };
}

/** Promises that were not kept, in words. */
function brokenBy({ cycles, verdict, disorders }, isTimed) {
  const broken = cycles.flatMap((cycle, index) =>
    faultsOf(cycle).map((fault) => `cycle ${index + 1}: ${fault}`),
  );
  if (disorders.length > 0) broken.push(`out of order: ${disorders[0]}`);
  if (!isTimed) return broken;
  const { heap, memory, latency } = verdict;
  for (const [name, ratio] of Object.entries(latency)) {
    if (ratio > MOST_LATENCY) broken.push(`${name} became ${ratio} times as long`);
  }
  if (heap > MOST_MEMORY) broken.push(`live objects became ${heap} times as much`);
  if (memory > MOST_MEMORY) broken.push(`memory became ${memory} times as much`);
  return broken;
}

function faultsOf({ errors, lost, unseen, unrecorded, left }) {
  const faults = errors.map(({ class: what, count, op }) => `${count} x ${what} of ${op}`);
  if (lost > 0) faults.push(`${lost} accepted tasks have not ended for the receiver`);
  if (unseen > 0) faults.push(`${unseen} acknowledged notifications never came`);
  if (unrecorded !== 0) faults.push(`history lacks ${unrecorded} tasks`);
  if (left.slotsInUse > 0) faults.push(`${left.slotsInUse} slots are still in use`);
  const { waiting, reserved } = left.pool;
  if (waiting + reserved > 0)
    faults.push(`${waiting} tasks wait in the pool, ${reserved} are reserved`);
  return [...faults, ...left.leaks];
}

/** Lines for people. */
export const ENDURE_HEADS = [
  "endurance",
  "lives/s",
  "accept p50 / p99",
  "read p50 / p99",
  "list p50 / p99",
  "heap MiB",
  "memory MiB",
  "rows full",
  "rows left",
  "leaks",
];

export function endureLines({ cycles, verdict }) {
  const pair = ({ p50Ms, p99Ms }) => `${p50Ms} / ${p99Ms}`;
  const rows = ({ taskObjects, endpointRows, tables }) =>
    taskObjects.rows + endpointRows + Object.values(tables).reduce((sum, count) => sum + count, 0);
  return [
    ...cycles.map(({ perSecond, accept, read, list, full, left, heapMiB, memoryMiB }, index) => [
      `cycle ${index + 1}`,
      perSecond,
      pair(accept),
      pair(read),
      pair(list),
      heapMiB,
      memoryMiB,
      rows(full),
      rows(left),
      left.leaks.length,
    ]),
    [
      "last third : first",
      null,
      ...Object.values(verdict.latency),
      verdict.heap,
      verdict.memory,
      null,
      null,
      null,
    ],
  ];
}
