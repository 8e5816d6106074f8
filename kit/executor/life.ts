import { setTimeout as pause } from "node:timers/promises";

import type { Check } from "../check.ts";
import { judged, notApplicable } from "../check.ts";
import { told, withBody } from "../exchange.ts";
import type { Answer } from "../exchange.ts";
import { different, refusals, unfenced } from "../judge.ts";
import type { OfferRule, Rule } from "../proxy.ts";
import { CUT } from "../proxy.ts";
import { until } from "../wait.ts";
import type { Stage } from "./stage.ts";

/* The plain life of a task, and its offer: once, twice, and lost. */

const plain: Check<Stage> = {
  id: "plain_life",
  title: "Takes a task and brings it to its end",
  section: "protocol.md §3, §4 Executor",
  rule: "task_started comes first, every write carries the Lease-Token, and task_completed is the verdict.",
  advice:
    "Compare with examples/executor.mjs. If the executor cannot do the kit's own task, describe one that it can with --task.",
  async run(stage) {
    const task_id = await stage.play(null);
    const own = stage.about(task_id);
    const faults = [...(await stage.unfinished(task_id, 1)), ...refusals(own)];
    const isSigned = own.every(({ headers }) => headers["webhook-signature"] !== undefined);
    return judged([...faults, ...(isSigned ? [] : unfenced(own))], told(own));
  },
};

/** Gives the executor the offer of a task once more, as Batuta never would: it may come again on the way. */
async function offerAgain(stage: Stage, task_id: string): Promise<string[]> {
  let first: Answer | null = null;
  let repeatedAt = 0;
  stage.proxy.onOffer = async (answer, task_ids) => {
    if (task_ids.includes(task_id)) first = answer;
    return answer;
  };
  stage.proxy.onClaim = async () => {
    if (first === null || repeatedAt > 0) return null;
    repeatedAt = Date.now();
    return first;
  };
  stage.proxy.onPush = async (_exchange, pass) => {
    await pass();
    return pass();
  };
  await stage.submit(task_id);
  await stage.verdict(task_id);
  if (stage.subject.isPush) return [];
  // Where another long poll is under way, it goes on for 25 s at most.
  const isRepeated = await until(() => repeatedAt > 0, 25_000 + stage.pace.patienceMs);
  if (!isRepeated) return ["it did not ask for another task after the first one"];
  const goesOn = await until(() => stage.claimsSince(repeatedAt).length > 0, stage.pace.patienceMs);
  return goesOn ? [] : ["it asked for no other task after the same offer had come twice"];
}

const offeredTwice: Check<Stage> = {
  id: "duplicate_offer",
  title: "Does a task once although its offer comes twice",
  section:
    "protocol.md §6 (at-least-once execution, one live lease); README Write an executor, Push",
  rule: "An offer may arrive again with the same lease. Whoever begins again is refused (409), and stops there.",
  advice:
    "Remember task_id and attempt (or webhook-id) of what was taken, or stop at the refusal of the second task_started.",
  async run(stage) {
    const task_id = stage.nextId();
    const faults = await offerAgain(stage, task_id);
    const own = stage.about(task_id);
    const ends = different(own, ["completed", "failed"]);
    return judged(
      [
        ...faults,
        ...(await stage.unfinished(task_id)),
        ...(ends > 1 ? [`it did the task again: ${ends} different results were sent`] : []),
      ],
      told(own),
    );
  },
};

const lostOffer: Check<Stage> = {
  id: "lost_offer",
  title: "Goes on when the answer to its claim is lost",
  section: "protocol.md §7 Claim; README Write an executor, Push",
  rule: "An assignment that never arrived runs out with its lease; the task comes again as the next attempt.",
  advice:
    "Let a failed claim be followed by another one, after a short pause. A push that came is answered 202 each time.",
  async run(stage) {
    const task_id = stage.nextId();
    let lostAt = 0;
    const lose: OfferRule = async (answer, task_ids) => {
      if (lostAt > 0 || !task_ids.includes(task_id)) return answer;
      lostAt = Date.now();
      return CUT;
    };
    const losePush: Rule = async (exchange, pass) => {
      const answer = await pass();
      if (lostAt > 0 || exchange.task_id !== task_id) return answer;
      lostAt = Date.now();
      return CUT;
    };
    stage.proxy.onOffer = lose;
    stage.proxy.onPush = losePush;
    await stage.submit(task_id);
    const { heartbeat_timeout, patienceMs } = stage.pace;
    await stage.verdict(task_id, heartbeat_timeout * 1_000 + patienceMs * 2);
    const claims = stage.claimsSince(lostAt);
    const isMute = !stage.subject.isPush && claims.length === 0;
    return judged(
      [
        ...(lostAt === 0 ? ["it never asked for the task"] : []),
        ...(lostAt > 0 && isMute ? ["it did not claim again after the connection broke"] : []),
        ...(await stage.unfinished(task_id)),
      ],
      told([...claims.slice(0, 3), ...stage.about(task_id)]),
    );
  },
};

/** Each answer of the next checks comes this late, milliseconds. */
const SLOW_MS = 600;
/** As many tasks come at one time. */
const CROWD = 3;

const slow: Check<Stage> = {
  id: "slow_answers",
  title: "Keeps every lease it has taken when answers are slow and tasks come in a crowd",
  section: "protocol.md §7 Claim (the lease lasts heartbeat_timeout)",
  rule: "Whoever claims several tasks holds several leases, and keeps each alive from the claim on.",
  advice:
    "Claim no more than you begin at once, or beat for those that wait, too. Do not give up a call that takes a second.",
  async run(stage) {
    const tasks = Array.from({ length: CROWD }, () => stage.nextId());
    const late: Rule = async (_exchange, pass) => {
      const answer = await pass();
      await pause(SLOW_MS);
      return answer;
    };
    for (const task_id of tasks) stage.proxy.setRule(task_id, late);
    stage.proxy.onOffer = async (answer) => {
      await pause(SLOW_MS);
      return answer;
    };
    // Together, and before the executor can have come for the first.
    await Promise.all(tasks.map((task_id) => stage.submit(task_id)));
    const withinMs = stage.pace.patienceMs * (CROWD + 1);
    await Promise.all(tasks.map((task_id) => stage.verdict(task_id, withinMs)));
    const faults = await Promise.all(tasks.map((task_id) => stage.unfinished(task_id, 1)));
    return judged(faults.flat(), told(tasks.flatMap((task_id) => stage.about(task_id))));
  },
};

/** How far off Batuta's clock seems to be, milliseconds. */
const SKEW_MS = 3_600_000;

/** Moves every `expires_at` in an answer. */
function skewed(body: unknown, byMs: number): unknown {
  const moved = JSON.stringify(body, (name, value: unknown) =>
    name === "expires_at" && typeof value === "string"
      ? new Date(Date.parse(value) + byMs).toISOString()
      : value,
  );
  return JSON.parse(moved);
}

function skewedAnswer(answer: Answer, byMs: number): Answer {
  if (answer.body === null) return answer;
  const date = new Date(Date.now() + byMs).toUTCString();
  const { headers, ...rest } = withBody(answer, skewed(answer.body, byMs));
  return { ...rest, headers: { ...headers, date } };
}

/** One task while the clocks are apart; its first later word is held so long that only heartbeats keep its lease. */
async function playSkewed(stage: Stage, byMs: number, holdMs: number): Promise<string> {
  let isHeld = false;
  stage.proxy.onOffer = async (answer) => skewedAnswer(answer, byMs);
  const task_id = await stage.play(async (exchange, pass) => {
    const isFirst = ["progress", "completed"].includes(exchange.kind) && !isHeld;
    if (isFirst) {
      isHeld = true;
      await pause(holdMs);
    }
    return skewedAnswer(await pass(), byMs);
  });
  return task_id;
}

const skew: Check<Stage> = {
  id: "clock_skew",
  title: "Works although its clock and Batuta's are an hour apart",
  section: "protocol.md §4 Shapes (lease.expires_at), §7 Claim",
  rule: "A lease lasts heartbeat_timeout from each sign of life, by Batuta's clock; the executor's own says nothing of it.",
  advice:
    "Beat every third of the task's heartbeat_timeout, and never compare expires_at with your own clock.",
  async run(stage) {
    if (stage.subject.isPush) {
      return notApplicable("a push is signed, so the kit cannot move the clock in it");
    }
    const behind = await playSkewed(stage, -SKEW_MS, 0);
    const isBeating = !stage.failed.has("heartbeat");
    const holdMs = isBeating ? stage.pace.heartbeat_timeout * 1_700 : 0;
    const ahead = await playSkewed(stage, SKEW_MS, holdMs);
    const at = async (task_id: string, where: string): Promise<string[]> =>
      (await stage.unfinished(task_id, 1)).map((fault) => `with Batuta's clock ${where}: ${fault}`);
    return judged(
      [...(await at(behind, "an hour behind")), ...(await at(ahead, "an hour ahead"))],
      told([...stage.about(behind), ...stage.about(ahead)]),
    );
  },
};

/** What happens to a task as a whole. */
export const lifeChecks: readonly Check<Stage>[] = [plain, offeredTwice, lostOffer, slow];

/** What clocks do. After `heartbeat`: what does not beat at all is no fault of a clock. */
export const clockChecks: readonly Check<Stage>[] = [skew];
