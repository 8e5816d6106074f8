import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import type { Check } from "../check.ts";
import { judged, notApplicable } from "../check.ts";
import { NOTIFICATION_KINDS, overloaded, told } from "../exchange.ts";
import type { Exchange, Kind } from "../exchange.ts";
import { different, impatient, isLaterWord, unrepeated } from "../judge.ts";
import type { Pass, Rule } from "../proxy.ts";
import { CUT } from "../proxy.ts";
import { until } from "../wait.ts";
import { once } from "./stage.ts";
import type { Stage } from "./stage.ts";

/* What happens to single messages: twice, lost, put off, out of order, and the sign of life. */

const NEWS: readonly Kind[] = [...NOTIFICATION_KINDS, "end"];

/** Says how often each fact is in the log of a task, where that is not once. */
async function countedTwice(stage: Stage, task_id: string): Promise<string[]> {
  const types = (await stage.batuta.log(task_id)).map(({ type }) => type);
  return ["task_started", "task_completed"]
    .map((type) => ({ type, times: types.filter((one) => one === type).length }))
    .filter(({ times }) => times !== 1)
    .map(({ type, times }) => `${type} is ${times} times in the log`);
}

const duplicates: Check<Stage> = {
  id: "duplicate_messages",
  title: "Takes 200 for a message that came before as it takes 202",
  section: "protocol.md §4 Executor (POST /v1/notifications, /end)",
  rule: "The same notification_id again → 200 and no effect; a repeated /end → 200 with the same answer.",
  advice: "Treat every 2xx as success. Whatever is on the way may deliver a message twice.",
  async run(stage) {
    const task_id = await stage.play(async (_exchange, pass) => {
      await pass();
      return pass();
    });
    const own = stage.about(task_id);
    const again = NOTIFICATION_KINDS.filter((kind) => kind !== "progress")
      .filter((kind) => different(own, [kind]) > 1)
      .map((kind) => `${kind} was said a second time under another notification_id`);
    return judged([...(await stage.unfinished(task_id, 1)), ...again], told(own));
  },
};

const lostAnswers: Check<Stage> = {
  id: "lost_ack",
  title: "Says again what was not answered, under the same id",
  section: "protocol.md §4 Executor; README Write an executor (Repeating is safe)",
  rule: "A call without an answer is sent again with the same notification_id: Batuta may have taken it already.",
  advice:
    "Make the notification_id before the first try, and repeat the very same body with growing pauses until it is answered.",
  async run(stage) {
    const lost = new Set<Kind>();
    const task_id = await stage.play(async ({ kind }, pass) => {
      const answer = await pass();
      if (lost.has(kind)) return answer;
      lost.add(kind);
      return CUT;
    });
    const own = stage.about(task_id);
    return judged(
      [
        ...unrepeated(own),
        ...(await stage.unfinished(task_id, 1)),
        ...(await countedTwice(stage, task_id)),
      ],
      told(own),
    );
  },
};

/** What Retry-After asks for here, seconds. */
const RETRY_AFTER_S = 2;

const putOff: Check<Stage> = {
  id: "retry_after",
  title: "Waits as long as Retry-After says, and then comes again",
  section: "protocol.md §4 (429 with Retry-After); README How much",
  rule: "429 and 503 with Retry-After: the call is not repeated before that many seconds are over.",
  advice:
    "Read Retry-After (whole seconds) of 429 and 503 in the one place that makes calls, and sleep so long.",
  async run(stage) {
    const isFirst = once(({ kind }) => NEWS.includes(kind));
    const isSecond = once(({ kind }) => kind === "completed");
    const rule: Rule = async (exchange, pass) => {
      if (isFirst(exchange)) return overloaded(429, RETRY_AFTER_S);
      return isSecond(exchange) ? overloaded(503, RETRY_AFTER_S) : pass();
    };
    let refused: Exchange | null = null;
    const task_id = await stage.play(rule, { heartbeat_timeout: 30 });
    const own = stage.about(task_id);
    const withStatus = (status: number) => (exchange: Exchange) =>
      exchange.answer?.status === status;
    const faults = [
      ...impatient(own, withStatus(429), RETRY_AFTER_S),
      ...impatient(own, withStatus(503), RETRY_AFTER_S),
      ...(await stage.unfinished(task_id, 1)),
    ];
    if (stage.subject.isPush) return judged(faults, told(own));
    stage.proxy.onClaim = async (exchange) => {
      if (refused !== null) return null;
      refused = exchange;
      return overloaded(503, RETRY_AFTER_S);
    };
    // The next claim may be under way already; a task brings it back.
    await stage.play(null, { heartbeat_timeout: 30 });
    await until(() => refused !== null, stage.pace.patienceMs);
    await until(() => stage.claimsSince(refused?.at ?? 0).length > 0, stage.pace.patienceMs);
    const claims = stage.proxy.exchanges.filter(({ kind }) => kind === "claim");
    const later = claims.slice(refused === null ? claims.length : claims.indexOf(refused));
    const claimFaults = impatient(later, (exchange) => exchange === refused, RETRY_AFTER_S);
    return judged([...faults, ...claimFaults], told([...own, ...later.slice(0, 3)]));
  },
};

/** Of a lease: so long nothing but heartbeats reaches Batuta. */
const HELD_LEASES = 2.2;

const heartbeat: Check<Stage> = {
  id: "heartbeat",
  title: "Keeps its lease alive by heartbeats while nothing else gets through",
  section: "protocol.md §7 Claim (each heartbeat or notification renews the lease)",
  rule: "The lease lasts the task's own heartbeat_timeout, and each heartbeat renews it.",
  advice:
    "Beat on a timer or thread of its own, every third of task.heartbeat_timeout, from the claim to the last word.",
  async run(stage) {
    const isFirst = once(isLaterWord);
    const holdMs = stage.pace.heartbeat_timeout * HELD_LEASES * 1_000;
    const task_id = await stage.play(async (exchange, pass) => {
      if (isFirst(exchange)) await pause(holdMs);
      return pass();
    });
    const own = stage.about(task_id);
    const lost = (await stage.batuta.log(task_id)).some(({ type }) => type === "lease_expired");
    const beats = own.filter(({ kind }) => kind === "heartbeat").length;
    const told_ = `one message took ${holdMs / 1_000} s, the lease lasts ${stage.pace.heartbeat_timeout} s`;
    return judged(
      [
        ...(lost ? [`the lease was lost: ${told_}, and ${beats} heartbeats came`] : []),
        ...(await stage.unfinished(task_id, lost ? null : 1)),
      ],
      told(own),
    );
  },
};

const countedSchema = z.looseObject({ sequence: z.int() });
const receiptSchema = z.looseObject({ seq: z.int(), event_id: z.string() });

/** The count that an executor has given a message; null where it does not count. */
function sequenceOf({ body }: Exchange): number | null {
  return countedSchema.safeParse(body).data?.sequence ?? null;
}

/** Lets the first progress go by only after what follows it, as a queue on the way might. */
function reordering(): { rule: Rule; wasHeld: () => boolean } {
  let kept: Pass | null = null;
  let wasHeld = false;
  const isFirst = once((exchange) => exchange.kind === "progress" && sequenceOf(exchange) !== null);
  let receipt: z.infer<typeof receiptSchema> = { seq: 1, event_id: "evt_kit" };
  const rule: Rule = async (exchange, pass) => {
    if (isFirst(exchange)) {
      kept = pass;
      const body = { ...receipt, seq: receipt.seq + 1 };
      return {
        status: 202,
        headers: { "content-type": "application/json" },
        text: JSON.stringify(body),
        body,
      };
    }
    const answer = await pass();
    if (exchange.kind === "started") receipt = receiptSchema.safeParse(answer.body).data ?? receipt;
    if (kept !== null && isLaterWord(exchange)) {
      const held = z.looseObject({ held: z.literal(true) }).safeParse(answer.body);
      wasHeld = held.success;
      const late = kept;
      kept = null;
      await late();
      return answer;
    }
    return answer;
  };
  return { rule, wasHeld: () => wasHeld };
}

const ordering: Check<Stage> = {
  id: "ordering",
  title: "Goes on when its messages overtake each other",
  section: "protocol.md §4 Shapes (Executor's sequence)",
  rule: "`sequence` counts 1, 2, 3 … without gaps; an early message is held: 202 {held: true}, and applied in its turn.",
  advice:
    "Count every notification of an attempt once, repeat it under its own number, and take `held` as success.",
  async run(stage) {
    const { rule, wasHeld } = reordering();
    const task_id = await stage.play(rule);
    const own = stage.about(task_id);
    const counts = own.filter(({ kind }) => NOTIFICATION_KINDS.includes(kind)).map(sequenceOf);
    if (counts.every((count) => count === null)) {
      return notApplicable(
        "its notifications carry no `sequence`, so none may overtake another",
        told(own),
      );
    }
    if (!own.some(({ kind }) => kind === "progress")) {
      return notApplicable("it sent no task_progress that could have been overtaken", told(own));
    }
    const repeats = different(own, ["completed", "failed"]) > 1;
    const expected = [...new Set(counts)];
    const hasGaps = expected.some((count, index) => count !== index + 1);
    return judged(
      [
        ...(hasGaps ? [`sequence went ${expected.join(", ")}`] : []),
        ...(repeats ? ["it did not take the answer `held` for success"] : []),
        ...(wasHeld() || hasGaps ? [] : ["Batuta did not hold the message that came early"]),
        ...(await stage.unfinished(task_id, 1)),
      ],
      told(own),
    );
  },
};

/** What happens to single messages of an executor. */
export const messageChecks: readonly Check<Stage>[] = [
  duplicates,
  lostAnswers,
  heartbeat,
  putOff,
  ordering,
];
