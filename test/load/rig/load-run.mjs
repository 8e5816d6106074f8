/** A target rate of whole lives and reads for a while, beside the floor at the same rate of requests. */
import { randomUUID } from "node:crypto";

import { taskOf } from "../phases.mjs";
import { round } from "../table.mjs";
import { Caller } from "./caller.mjs";
import { MixedWork } from "./mixed-work.mjs";
import { drawOf, openLoop } from "./open-loop.mjs";
import { Receipts } from "./receipts.mjs";
import { percentiles, Recorder } from "./recorder.mjs";

/** Reads that come with each life. */
const READS_PER_LIFE = 2;

/** Requests of a life, about: what the floor's rate follows from. Submit, claim, four notifications, end, and the reads. */
const REQUESTS_PER_LIFE = 7 + READS_PER_LIFE;

/** Of the target rate, the share that has to be reached. */
const LEAST_SHARE = 0.95;

/** A life counts as in time when its last step is answered so long after the last arrival at the latest, milliseconds. */
const GRACE_MS = 3_000;

/** How long is waited for what was accepted, milliseconds: a lost lease alone costs 60 s, and its retry 30. */
const PATIENCE_MS = 180_000;

/** Cold code is found before anything is measured. */
const WARM_UP = { perSecond: 4, forMs: 2_000 };

/** The floor's turns, before and after: of the run's time this share each. */
const FLOOR_SHARE = 0.2;

/**
 * Runs it.
 *
 * @param {{ workshop: object, perSecond: number, forMs: number, seed: number, isTimed: boolean }} of lives a second, and for how long;
 *   what is not timed is judged by what came of it alone
 * @returns {Promise<object>} figures, with `broken`: each promise that was not kept, in words
 */
export async function loadRun({ workshop, perSecond, forMs, seed, isTimed }) {
  const draw = drawOf(seed);
  const receipts = await new Receipts().start();
  const batuta = await workshop.startBatuta();
  const of = { receipts, recorder: new Recorder(), tenant: "load", isTimed };
  const work = await MixedWork.open(batuta, of);
  try {
    await arrive(work, { ...WARM_UP, draw, recorder: new Recorder() });
    const floor = await floorOf(workshop, {
      perSecond: perSecond * REQUESTS_PER_LIFE,
      forMs: forMs * FLOOR_SHARE,
      draw,
    });
    await floor.run();
    receipts.ages = [];
    const cpu = batuta.cpuMs();
    const recorder = new Recorder();
    const arrived = await arrive(work, { perSecond, forMs, draw, recorder });
    const cpuMs = cpu === null ? null : (batuta.cpuMs() - cpu) / arrived.lives;
    await floor.run();
    const figures = {
      target: { perSecond, seconds: forMs / 1_000, perDay: Math.round(perSecond * 86_400) },
      achieved: arrived.achieved,
      requestsPerSecond: round((recorder.answered / forMs) * 1_000, 1),
      cpuMsPerLife: round(cpuMs, 1),
      floor: floor.figures(),
      operations: besideFloor(recorder.rows(), floor.figures()),
      deliveries: deliveriesOf(receipts),
      lives: { accepted: work.accepted, lost: arrived.lost.length, unseen: work.unseen().length },
      refusalsAskedFor: recorder.asked,
      slotsInUse: await work.slotsInUse(),
      errors: [...recorder.errors, ...floor.errors()],
      serverProblems: batuta.problems.length,
    };
    return { ...figures, broken: brokenBy(figures, isTimed) };
  } finally {
    work.close();
    receipts.stop();
    await batuta.stop();
  }
}

/** Lives and reads at their rates; then everything is waited for. */
async function arrive(work, { perSecond, forMs, draw, recorder }) {
  work.recorder = recorder;
  let done = 0;
  const live = async (index, dueAt) => {
    if (await work.live(index, dueAt)) done += 1;
  };
  const reads = { perSecond: perSecond * READS_PER_LIFE, forMs, draw };
  const [lives, looks] = await Promise.all([
    openLoop({ perSecond, forMs, draw }, live),
    openLoop(reads, (index, dueAt) => work.read(index, dueAt)),
  ]);
  const all = Promise.all([...lives, ...looks]);
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]);
  const inTime = done;
  await all;
  const lost = await work.settle(PATIENCE_MS);
  const achieved = {
    inTime: round(inTime / lives.length, 3),
    perSecond: round((inTime / forMs) * 1_000, 2),
    atAll: round(done / lives.length, 3),
  };
  return { lives: lives.length, achieved, lost };
}

/** The bare Worker at a rate of requests. */
async function floorOf(workshop, { perSecond, forMs, draw }) {
  const server = await workshop.startFloor();
  const caller = new Caller(server.url);
  const recorder = new Recorder();
  const send = async (index, dueAt) => {
    const note = ["POST", `/notes/${randomUUID()}`, taskOf("nobody", index)];
    const answer = await caller.send(...note);
    recorder.note({ op: "floor", ms: performance.now() - dueAt, answer });
  };
  const run = async () => Promise.all(await openLoop({ perSecond, forMs, draw }, send));
  await Promise.all(await openLoop({ perSecond: 10, forMs: 1_000, draw }, send));
  return {
    run,
    figures: () => ({ perSecond, ...percentiles(recorder.latenciesOf("floor")) }),
    errors: () => recorder.errors,
  };
}

function besideFloor(rows, floor) {
  return rows.map((row) => ({
    ...row,
    p50ToFloor: round(row.p50Ms / floor.p50Ms, 1),
    p99ToFloor: round(row.p99Ms / floor.p99Ms, 1),
  }));
}

function deliveriesOf({ ages, effects, repeated, disorders }) {
  return { effects, repeated, disorders: disorders.slice(0, 10), ...percentiles(ages) };
}

/** Promises that were not kept, in words. */
function brokenBy({ errors, lives, deliveries, achieved, slotsInUse }, isTimed) {
  const broken = errors.map(
    ({ class: what, count, op, detail }) => `${count} x ${what}, first of ${op}: ${detail}`,
  );
  if (lives.lost > 0) broken.push(`${lives.lost} accepted tasks have not ended for the receiver`);
  if (lives.unseen > 0) broken.push(`${lives.unseen} acknowledged notifications never came`);
  if (deliveries.disorders.length > 0) broken.push(`out of order: ${deliveries.disorders[0]}`);
  if (slotsInUse > 0) broken.push(`${slotsInUse} slots are still in use`);
  const share = isTimed ? achieved.inTime : achieved.atAll;
  const least = isTimed ? LEAST_SHARE : 1;
  if (share < least) broken.push(`${share} of the target was achieved, and ${least} has to be`);
  return broken;
}

/** Lines for people. */
export const LOAD_HEADS = [
  "load",
  "count",
  "p50 ms",
  "p95 ms",
  "p99 ms",
  "p50 : floor",
  "p99 : floor",
];

export function loadLines({ operations, floor, deliveries }) {
  return [
    ...operations.map(Object.values),
    [
      "webhook, event to receipt",
      deliveries.effects,
      deliveries.p50Ms,
      deliveries.p95Ms,
      deliveries.p99Ms,
    ],
    [
      `floor at ${round(floor.perSecond, 0)} requests/s`,
      null,
      floor.p50Ms,
      floor.p95Ms,
      floor.p99Ms,
    ],
  ].map((line) => [
    ...line,
    ...Array.from({ length: LOAD_HEADS.length - line.length }, () => null),
  ]);
}
