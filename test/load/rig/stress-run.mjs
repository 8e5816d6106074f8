/** A ramp until Batuta says no, or cannot follow any more; then whether it gets well, and whether it has lost anything. */
import { Client, quantile } from "../client.mjs";
import { ADMIN_KEY } from "../servers.mjs";
import { round } from "../table.mjs";
import { MixedWork } from "./mixed-work.mjs";
import { drawOf, openLoop } from "./open-loop.mjs";
import { Receipts } from "./receipts.mjs";
import { Recorder } from "./recorder.mjs";

const TENANT = "stress";

/** Each step asks for so much more than the one before, and there are so many at most. */
const GROWTH = 1.5;
const MOST_STEPS = 14;

/** A step of which less than this share is done within itself: the rate rises no more. */
const FOLLOWED = 0.7;

/** Recovery: at this share of the rate that broke it, with this much of the latency before, within this time. */
const CALM_SHARE = 0.2;
const CALM_FACTOR = 2;
const RECOVERED_WITHIN_MS = 120_000;
const CALM_MS = 3_000;

/** Leases are short, so that a claim whose answer was lost is made up for soon; retries are many, so that none runs out. */
const TASK = {
  heartbeat_timeout: 20,
  execution_options: { retry_policy: { max_retries: 5, retry_delay: 1, backoff_multiplier: 1 } },
};

/** How long is waited for what was accepted, milliseconds. */
const PATIENCE_MS = 180_000;

/** With a limit of orders: what the installation multiplies limits by, so that nothing else runs into one. */
const LIMITS_FACTOR = 20;

/** What a key may order in a minute when its limit is lifted, before the factor. */
const MANY_ORDERS = 300;

/** The rate at which no code is cold any more, lives a second, and for how long. */
const WARM_UP = { perSecond: 4, forMs: 2_000 };

/**
 * Runs it.
 *
 * @param {{ workshop: object, perSecond: number, stepMs: number, seed: number, isTimed: boolean, ordersPerMinute: number | null }} of
 *   lives a second of the first step; `ordersPerMinute` limits what submits and is lifted after the break, so that any machine
 *   has a break point
 * @returns {Promise<object>} figures, with `broken`: each promise that was not kept, in words
 */
export async function stressRun({ workshop, ordersPerMinute, isTimed, ...ramp }) {
  const draw = drawOf(ramp.seed);
  const receipts = await new Receipts().start();
  const isLimited = ordersPerMinute !== null;
  const batuta = await workshop.startBatuta(
    isLimited ? { LIMITS_FACTOR: String(LIMITS_FACTOR) } : {},
  );
  const fields = { tenant: TENANT, task: TASK, submitKey: true, isTimed };
  const of = { receipts, recorder: new Recorder(), ...fields };
  const work = await MixedWork.open(batuta, of);
  try {
    if (isLimited) await limitOrders(batuta, work.submitter_id, ordersPerMinute / LIMITS_FACTOR);
    await Promise.all(await openLoop({ ...WARM_UP, draw }, (index) => work.live(index)));
    const climbed = await climb(work, { ...ramp, draw, isTimed });
    if (isLimited) await limitOrders(batuta, work.submitter_id, MANY_ORDERS);
    const recovery = await recover(work, climbed, { draw, isTimed });
    const lost = await work.settle(PATIENCE_MS);
    const figures = {
      steps: climbed.steps,
      breakPoint: climbed.breakPoint,
      recovery,
      lives: { accepted: work.accepted, lost: lost.length, unseen: work.unseen().length },
      deliveries: { effects: receipts.effects, repeated: receipts.repeated },
      disorders: receipts.disorders.slice(0, 10),
      slotsInUse: await work.slotsInUse(),
      serverProblems: [...new Set(batuta.problems.map(eventOf))],
    };
    return { ...figures, broken: brokenBy(figures) };
  } finally {
    work.close();
    receipts.stop();
    await batuta.stop();
  }
}

/** Says how much a key may order in a minute. Within 5 seconds that is in force, as README says. */
async function limitOrders(batuta, key_id, execute) {
  const root = new Client(batuta.url, ADMIN_KEY);
  const asked = { name: "governs", tenant: TENANT, scopes: ["admin"] };
  const { key } = await root.call("POST", "/v1/keys", asked);
  root.close();
  const admin = new Client(batuta.url, key);
  const limits = {
    total: 1_200,
    execute: Math.max(1, Math.round(execute)),
    status: 720,
    admin: 60,
  };
  await admin.call("PUT", `/v1/limits/keys/${key_id}`, { limits });
  admin.close();
}

/** Steps up until the first error class, or until less comes out than goes in. */
async function climb(work, { perSecond, stepMs, draw, isTimed }) {
  const steps = [];
  const underWay = [];
  let breakPoint = null;
  for (let rate = perSecond; breakPoint === null && steps.length < MOST_STEPS; rate *= GROWTH) {
    const recorder = new Recorder();
    work.recorder = recorder;
    let done = 0;
    const live = async (index, dueAt) => {
      if (await work.live(index, dueAt)) done += 1;
    };
    // Steps follow each other without a pause: what the last one left undone is there in the next.
    // oxlint-disable-next-line no-await-in-loop
    const begun = await openLoop({ perSecond: rate, forMs: stepMs, draw }, live);
    underWay.push(...begun);
    const step = stepFigures({ rate, arrived: begun.length, done, recorder });
    steps.push(step);
    breakPoint = breakOf(step, isTimed);
  }
  return {
    steps,
    breakPoint: breakPoint ?? { class: "none", perSecond: steps.at(-1).perSecond },
    underWay,
  };
}

function stepFigures({ rate, arrived, done, recorder }) {
  const p99Ms = round(quantile(recorder.latenciesOf("submit"), 0.99), 1);
  const share = round(done / arrived, 2);
  return { perSecond: round(rate, 1), arrived, done, share, p99Ms, errors: recorder.errors };
}

/** Where and how it broke; null where it did not. */
function breakOf({ perSecond, share, errors }, isTimed) {
  const [first] = errors;
  if (first !== undefined) return { perSecond, ...first };
  if (share >= FOLLOWED || !isTimed) return null;
  const detail = `${share} of the lives of a step were done within it`;
  return {
    perSecond,
    class: "the rate rises no more",
    count: 0,
    op: "live",
    retryAfterS: null,
    detail,
  };
}

/** Back to a fifth of the rate, in turns of some seconds, until it is as quick as it was and says no to nothing. */
async function recover(work, { steps, breakPoint, underWay }, { draw, isTimed }) {
  const began = performance.now();
  work.recorder = new Recorder();
  await Promise.all(underWay);
  const backlogMs = performance.now() - began;
  const perSecond = Math.max(1, CALM_SHARE * breakPoint.perSecond);
  const before = steps[0].p99Ms;
  const turns = [];
  while (performance.now() - began < RECOVERED_WITHIN_MS) {
    const recorder = new Recorder();
    work.recorder = recorder;
    const turnAt = performance.now();
    // oxlint-disable-next-line no-await-in-loop
    const begun = await openLoop({ perSecond, forMs: CALM_MS, draw }, (index, dueAt) =>
      work.live(index, dueAt),
    );
    // oxlint-disable-next-line no-await-in-loop
    await Promise.all(begun);
    const p99Ms = round(quantile(recorder.latenciesOf("submit"), 0.99), 1);
    turns.push({ p99Ms, errors: recorder.errors });
    const isCalm = !isTimed || p99Ms <= CALM_FACTOR * before;
    const afterMs = Math.round(turnAt - began);
    const figures = {
      perSecond: round(perSecond, 1),
      beforeP99Ms: before,
      p99Ms,
      turns: turns.length,
    };
    if (recorder.errors.length === 0 && isCalm) {
      return { isRecovered: true, afterMs, backlogMs: Math.round(backlogMs), ...figures };
    }
  }
  return { isRecovered: false, turns };
}

/** The event of a log line, or its beginning. */
function eventOf(line) {
  return /"event":"(\w+)"/.exec(line)?.[1] ?? line.slice(0, 120);
}

/** Promises that were not kept, in words. */
function brokenBy({ breakPoint, recovery, lives, disorders, slotsInUse }) {
  const broken = [];
  // The two ways in which a server says no and means later.
  if (/^(429|503) /.test(breakPoint.class)) {
    if (!(breakPoint.retryAfterS >= 1)) broken.push(`${breakPoint.class} without Retry-After`);
    if (breakPoint.detail.length < 20)
      broken.push(`${breakPoint.class} does not say what is wrong`);
  } else if (/^\d/.test(breakPoint.class)) {
    broken.push(`it broke with ${breakPoint.class}: ${breakPoint.detail}`);
  }
  if (!recovery.isRecovered) {
    const last = JSON.stringify(recovery.turns.at(-1));
    broken.push(`it did not recover within ${RECOVERED_WITHIN_MS / 1_000} s: ${last}`);
  }
  if (lives.lost > 0) broken.push(`${lives.lost} accepted tasks have not ended for the receiver`);
  if (lives.unseen > 0) broken.push(`${lives.unseen} acknowledged notifications never came`);
  if (disorders.length > 0) broken.push(`out of order: ${disorders[0]}`);
  if (slotsInUse > 0) broken.push(`${slotsInUse} slots are still in use`);
  return broken;
}

/** Lines for people. */
export const STRESS_HEADS = ["stress", "lives/s", "arrived", "done", "submit p99 ms", "errors"];

export function stressLines({ steps, breakPoint, recovery, lives }) {
  const errorsOf = (errors) =>
    errors.map(({ class: what, count }) => `${count} x ${what}`).join(", ");
  const calm = recovery.isRecovered ? `${recovery.afterMs} ms` : "no";
  return [
    ...steps.map(({ perSecond, arrived, done, p99Ms, errors }, index) => [
      `step ${index + 1}`,
      perSecond,
      arrived,
      done,
      p99Ms,
      errorsOf(errors),
    ]),
    ["break point", breakPoint.perSecond, null, null, null, breakPoint.class],
    ["recovered after", recovery.perSecond, null, null, recovery.p99Ms, calm],
    ["accepted and lost", null, lives.accepted, lives.lost, null, ""],
  ];
}
