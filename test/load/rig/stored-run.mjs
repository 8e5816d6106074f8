/** Whether answers take as long with many stored tasks as with few: two Batutas, asked in turns. */
import { setTimeout as sleep } from "node:timers/promises";

import { quantile } from "../client.mjs";
import { atRest, taskOf, tenantOf } from "../phases.mjs";
import { round } from "../table.mjs";
import { MixedWork } from "./mixed-work.mjs";
import { drawOf, openLoop } from "./open-loop.mjs";
import { Receipts } from "./receipts.mjs";
import { Recorder } from "./recorder.mjs";

/** Submissions under way at one time while a Batuta is filled. */
const LANES = 24;

/** Turns of each. The ratios are those of all turns together: the p99 of a turn alone would be its slowest answer or two. */
const TURNS = 7;

/** What comes in a turn: lives and reads a second, half a Batuta's machine at most. A read is one of four. */
const RATE = { lives: 8, reads: 32 };

/** What is accepted, and what history is to have, comes within this, milliseconds. */
const PATIENCE_MS = 60_000;

/** A task asks a minute after its end whether history has all of it: those that fill a Batuta have done so by then. Milliseconds. */
const SETTLED_MS = 70_000;

const TENANT = "stored";

/** What many may cost more than few. */
const MOST = 1.5;

const OPS = ["submit", "claim", "started", "end", "read", "list", "events"];

/**
 * Runs it.
 *
 * @param {{ workshop: object, few: number, many: number, real: number, turnMs: number, seed: number, isTimed: boolean }} of
 *   stored tasks of either, and how many of them have objects
 * @returns {Promise<object>} figures, with `broken`: each promise that was not kept, in words
 */
export async function storedRun({ workshop, few, many, real, turnMs, seed, isTimed }) {
  const receipts = await new Receipts().start();
  const sides = [];
  try {
    for (const tasks of [few, many]) {
      // oxlint-disable-next-line no-await-in-loop
      sides.push(await filled(workshop, { tasks, real, receipts }));
    }
    if (isTimed) await sleep(SETTLED_MS);
    const draw = drawOf(seed);
    // The first turn of each finds cold code.
    for (let turn = -1; turn < TURNS; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await bothTurns(turn % 2 === 0 ? sides : sides.toReversed(), { turn, draw, turnMs });
    }
    const figures = figuresOf(sides);
    return { ...figures, broken: brokenBy(figures, receipts, isTimed) };
  } finally {
    receipts.stop();
    for (const { work, batuta } of sides) {
      work.close();
      // oxlint-disable-next-line no-await-in-loop
      await batuta.stop();
    }
  }
}

/**
 * A Batuta that has so many ended tasks. The first of them were submitted and cancelled, and have objects of their own; of the
 * others history has copies, as of tasks whose objects were emptied.
 */
async function filled(workshop, { tasks, real, receipts }) {
  const batuta = await workshop.startBatuta();
  const of = { receipts, recorder: new Recorder(), tenant: TENANT };
  const work = await MixedWork.open(batuta, of);
  const database = await batuta.database();
  const began = performance.now();
  await submitAll(batuta, Math.min(tasks, real));
  const inHistory = () =>
    database.prepare("SELECT count(*) AS count FROM task WHERE phase = 'ended'").first("count");
  await untilEqual(inHistory, Math.min(tasks, real));
  await copyRows(database, { from: Math.min(tasks, real), to: tasks });
  const seconds = Math.round((performance.now() - began) / 1_000);
  await atRest(batuta);
  return { tasks, stored: await inHistory(), seconds, batuta, work, turns: [] };
}

/** Submits tasks and cancels them. */
async function submitAll(batuta, count) {
  const filler = await tenantOf(batuta, TENANT);
  let next = 0;
  const fill = async () => {
    while (next < count) {
      const index = next++;
      // oxlint-disable-next-line no-await-in-loop
      const { task_id } = await filler.call("POST", "/v1/tasks", taskOf("nobody", index));
      // oxlint-disable-next-line no-await-in-loop
      await filler.call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel" });
      if (index % 1_000 === 999) console.error(`${index + 1} of ${count} stored`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, fill));
  filler.close();
}

async function untilEqual(ask, count) {
  const until = performance.now() + PATIENCE_MS;
  // oxlint-disable-next-line no-await-in-loop
  while ((await ask()) !== count && performance.now() < until) await sleep(500);
}

/** Copies rows of history under other ids, each time older than the one before. */
async function copyRows(database, { from, to }) {
  const { results } = await database.prepare("PRAGMA table_info(task)").all();
  const columns = results.map(({ name }) => name);
  const changed = {
    task_id: "task_id || ?1",
    created_at: "strftime('%Y-%m-%dT%H:%M:%fZ', created_at, ?2)",
    view: "replace(view, task_id, task_id || ?1)",
  };
  const copy = database.prepare(
    `INSERT INTO task (${columns.join(", ")})
     SELECT ${columns.map((name) => changed[name] ?? name).join(", ")}
     FROM task WHERE tenant = '${TENANT}' AND task_id NOT LIKE '%~%' ORDER BY created_at LIMIT ?3`,
  );
  for (let done = from, copies = 1; done < to; done += from, copies += 1) {
    const values = [`~${copies}`, `-${copies} minutes`, Math.min(from, to - done)];
    // D1 takes one statement after the other.
    // oxlint-disable-next-line no-await-in-loop
    await copy.bind(...values).run();
  }
}

async function bothTurns(sides, { turn, ...how }) {
  for (const side of sides) {
    // Never beside each other.
    // oxlint-disable-next-line no-await-in-loop
    const recorder = await oneTurn(side, how);
    if (turn >= 0) side.turns.push(recorder);
  }
}

async function oneTurn({ work, batuta }, { draw, turnMs }) {
  const recorder = new Recorder();
  work.recorder = recorder;
  const [lives, reads] = await Promise.all([
    openLoop({ perSecond: RATE.lives, forMs: turnMs, draw }, (index, dueAt) =>
      work.live(index, dueAt),
    ),
    openLoop({ perSecond: RATE.reads, forMs: turnMs, draw }, (index, dueAt) =>
      work.read(index, dueAt),
    ),
  ]);
  await Promise.all([...lives, ...reads]);
  await work.untilOver(PATIENCE_MS);
  await atRest(batuta);
  return recorder;
}

function figuresOf([few, many]) {
  const of = (op) => {
    const quantileOf = (side, share) =>
      quantile(
        side.turns.flatMap((turn) => turn.latenciesOf(op)),
        share,
      );
    const ratio = (share) => round(quantileOf(many, share) / quantileOf(few, share), 2);
    const told = (side) => ({
      p50Ms: round(quantileOf(side, 0.5), 1),
      p99Ms: round(quantileOf(side, 0.99), 1),
    });
    return { op, few: told(few), many: told(many), p50Ratio: ratio(0.5), p99Ratio: ratio(0.99) };
  };
  const side = ({ tasks, stored, seconds, batuta, work, turns }) => ({
    tasks,
    inHistory: stored,
    fillSeconds: seconds,
    stateMiB: round(batuta.stateBytes() / 2 ** 20, 0),
    open: work.open.size,
    errors: turns.flatMap(({ errors }) => errors),
  });
  return { few: side(few), many: side(many), turns: TURNS, operations: OPS.map(of) };
}

/** Promises that were not kept, in words. */
function brokenBy({ few, many, operations }, { disorders }, isTimed) {
  const broken = [few, many].flatMap(({ tasks, inHistory, open, errors }) => [
    ...(inHistory === tasks ? [] : [`${inHistory} tasks are in history in place of ${tasks}`]),
    ...(open === 0 ? [] : [`${open} accepted tasks have not ended for the receiver`]),
    ...errors.map(({ class: what, count, op }) => `${count} x ${what} of ${op}`),
  ]);
  if (disorders.length > 0) broken.push(`out of order: ${disorders[0]}`);
  if (!isTimed) return broken;
  for (const { op, p99Ratio } of operations) {
    if (p99Ratio > MOST) broken.push(`p99 of ${op} became ${p99Ratio} times as long`);
  }
  return broken;
}

/** Lines for people. */
export const storedHeads = ({ few, many }) => [
  "stored tasks",
  `${few.tasks}: p50 / p99 ms`,
  `${many.tasks}: p50 / p99 ms`,
  "p50 ratio",
  "p99 ratio",
];

export function storedLines({ operations }) {
  const pair = ({ p50Ms, p99Ms }) => `${p50Ms} / ${p99Ms}`;
  return operations.map(({ op, few, many, p50Ratio, p99Ratio }) => [
    op,
    pair(few),
    pair(many),
    p50Ratio,
    p99Ratio,
  ]);
}
