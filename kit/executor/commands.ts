import { setTimeout as pause } from "node:timers/promises";

import type { Check } from "../check.ts";
import { judged, notApplicable } from "../check.ts";
import { acknowledgedIn, commandsIn, NOTIFICATION_KINDS, told } from "../exchange.ts";
import type { Answer, Exchange, Kind } from "../exchange.ts";
import { different, GRACE_MS, isLaterWord, refusals, within, writesAfter } from "../judge.ts";
import type { Rule } from "../proxy.ts";
import { once, refusedWith } from "./stage.ts";
import type { Stage } from "./stage.ts";

/* Commands, which reach an executor in the answer to its heartbeat, and races with them. */

/** Protocol.md §7, Cancel: an executor has 30 s to confirm; and Batuta's own turn. Milliseconds. */
const CANCEL_MS = 33_000;

const GOING_ON: readonly Kind[] = ["started", "progress", "completed"];

/**
 * Gives a command when a task has started, and holds what its executor says next until a heartbeat has brought the
 * command to it, two leases at most: so even a short task is told in time.
 */
class Order {
  command_id: string | null = null;
  /** When the executor was told, epoch milliseconds; null before. */
  toldAt: number | null = null;
  /** Whether its result was on the way before it was told. */
  isOvertaken = false;
  #isLetGo = false;
  readonly #telling = Promise.withResolvers<void>();
  readonly #stage: Stage;
  readonly #command: "cancel" | "pause";

  /** @param command cancel is heard when a heartbeat brings it; a pause when it is acknowledged, by the next one */
  constructor(stage: Stage, command: "cancel" | "pause") {
    this.#stage = stage;
    this.#command = command;
  }

  readonly rule: Rule = async (exchange, pass) => {
    const { kind, task_id } = exchange;
    if (isLaterWord(exchange) && !this.#isLetGo) {
      this.isOvertaken ||= kind === "completed" && this.toldAt === null;
      const holdMs = this.#stage.pace.heartbeat_timeout * 2_000;
      await Promise.race([this.#telling.promise, pause(holdMs)]);
      this.#isLetGo = true;
    }
    const answer = await pass();
    if (kind === "started" && answer.status < 300 && task_id !== null) {
      this.command_id ??= await this.#stage.batuta.command(task_id, this.#command);
    }
    if (kind === "heartbeat") this.#hear(exchange, answer);
    return answer;
  };

  #hear(exchange: Exchange, answer: Answer): void {
    const isTold = commandsIn(answer, this.#command).length > 0;
    if (isTold) this.toldAt ??= Date.now();
    const isAcknowledged = acknowledgedIn(exchange).includes(this.command_id ?? "");
    const isHeard = this.#command === "cancel" ? isTold : isAcknowledged;
    // What was held goes a moment later: by then the answer has been read, and what follows is no crossing.
    if (isHeard) setTimeout(() => this.#telling.resolve(), GRACE_MS * 1.2);
  }

  /** Why nothing can be said of whether the executor obeys; null when it can. */
  get silence(): string | null {
    if (this.command_id === null) return "it did not begin";
    if (this.toldAt === null) {
      return "no heartbeat came between its first word and its result, so no command could reach it: give it longer work with --task, and see heartbeat";
    }
    return this.isOvertaken
      ? "its result was on the way before it could be told: give it longer work with --task"
      : null;
  }
}

/** Whether the log says that a cancellation was confirmed. */
async function isConfirmed(stage: Stage, task_id: string): Promise<boolean> {
  const log = await stage.batuta.log(task_id);
  return log.some(
    ({ type, data }) =>
      type === "command_acknowledged" && JSON.stringify(data).includes('"confirmed"'),
  );
}

const cancel: Check<Stage> = {
  id: "cancel",
  title: "Stops when a heartbeat brings the command cancel",
  section: "protocol.md §4 Shapes (Command), §7 Cancel",
  rule: "The executor has 30 s to confirm a cancellation, by task_failed or /end; it does not go on working.",
  advice:
    "Look at `commands` of each heartbeat's answer. On cancel stop the work, and send task_failed (or /end with reason cancelled).",
  async run(stage) {
    const order = new Order(stage, "cancel");
    const task_id = stage.nextId();
    stage.proxy.setRule(task_id, order.rule);
    await stage.submit(task_id);
    const view = await stage.verdict(task_id, CANCEL_MS + stage.pace.patienceMs);
    const own = stage.about(task_id);
    if (order.silence !== null) return notApplicable(order.silence, told(own));
    const toldAt = (order.toldAt ?? 0) + GRACE_MS;
    const went = within(own, GOING_ON, [toldAt, Infinity]).map(
      ({ kind, at }) =>
        `${kind} came ${((at - toldAt + GRACE_MS) / 1_000).toFixed(1)} s after it was told to stop`,
    );
    const hasObeyed = view.status === "cancelled" && (await isConfirmed(stage, task_id));
    const ended = `the task is ${view.status}, and the cancellation was not confirmed by its executor`;
    return judged([...refusals(own), ...went, ...(hasObeyed ? [] : [ended])], told(own));
  },
};

/** Cancels a task while its result is on the way; the result comes first. */
function overtaken(stage: Stage): Rule {
  const isFirst = once(({ kind }) => kind === "completed");
  return async (exchange, pass) => {
    const { task_id } = exchange;
    if (isFirst(exchange) && task_id !== null) await stage.batuta.command(task_id, "cancel");
    return pass();
  };
}

/** Cancels a task while its result is on the way; the cancellation is complete before it arrives. */
function forestalled(stage: Stage): Rule {
  const ending = Promise.withResolvers<void>();
  let isEnding = false;
  return async (exchange, pass) => {
    const { task_id, kind } = exchange;
    if (kind === "heartbeat" && isEnding) await ending.promise;
    if (kind === "completed" && !isEnding && task_id !== null) {
      isEnding = true;
      await stage.batuta.command(task_id, "cancel");
      await stage.endFor(task_id);
      ending.resolve();
    }
    return pass();
  };
}

const race: Check<Stage> = {
  id: "cancel_race",
  title: "Accepts whichever came first, its result or the cancellation",
  section: "protocol.md §6 (a verdict never changes), §7 Verdict, Cancel",
  rule: "A result that arrives before the cancellation counts. After it: 409 task_ended, and nothing more is to be said but /end.",
  advice:
    "Take task_ended as the end of the attempt: do not repeat the result, and do not report its refusal as a failure.",
  async run(stage) {
    const first = await stage.play(overtaken(stage));
    const second = await stage.play(forestalled(stage));
    await pause(GRACE_MS);
    const own = stage.about(second);
    const seen = told([...stage.about(first), ...own]);
    if (refusedWith(own, "task_ended") === undefined) {
      return notApplicable("its result never met the cancelled task", seen);
    }
    const faults = await stage.unfinished(first, 1);
    const doubled = different(stage.about(first), ["completed", "failed"]) > 1;
    return judged(
      [
        ...faults.map((fault) => `its result came first, but ${fault}`),
        ...(doubled ? ["its result was taken, and it reported another one"] : []),
        ...writesAfter(own, ["task_ended"], NOTIFICATION_KINDS),
      ],
      seen,
    );
  },
};

/** So long a resting executor is watched, milliseconds. */
const REST_MS = 1_500;

/** When the executor's acknowledgement of a command was answered; null when it has not acknowledged it. */
function acknowledgedAt(own: readonly Exchange[], command_id: string): number | null {
  return own.find((exchange) => acknowledgedIn(exchange).includes(command_id))?.answeredAt ?? null;
}

const rest: Check<Stage> = {
  id: "pause",
  title: "Rests after it has acknowledged a pause, until it is to resume",
  section: "protocol.md §4 Shapes (Command); README Commands and escalations",
  rule: "An acknowledged pause: heartbeats go on, progress does not, until a heartbeat brings `resume`.",
  advice:
    "Acknowledge only commands that you carry out. Between pause and resume beat, and send neither progress nor a result.",
  async run(stage) {
    const order = new Order(stage, "pause");
    const task_id = stage.nextId();
    stage.proxy.setRule(task_id, order.rule);
    await stage.submit(task_id);
    const id = () => order.command_id ?? "";
    const own = () => stage.about(task_id);
    const isSettled = (exchange: Exchange): boolean =>
      exchange.answeredAt !== null &&
      (acknowledgedIn(exchange).includes(id()) || exchange.kind === "end");
    await stage.sees(task_id, isSettled);
    const restedFrom = acknowledgedAt(own(), id());
    if (order.silence !== null) return notApplicable(order.silence, told(own()));
    if (restedFrom === null) {
      return notApplicable(
        "it did not acknowledge the pause, which leaves it free to go on",
        told(own()),
      );
    }
    await pause(REST_MS);
    const until = Date.now();
    const went = within(own(), [...GOING_ON, "failed"], [restedFrom + GRACE_MS, until]);
    const beats = within(own(), ["heartbeat"], [restedFrom, until]).length;
    await stage.batuta.command(task_id, "resume").catch(() => {
      // It has ended: that it went on is in the list.
    });
    await stage.verdict(task_id);
    return judged(
      [
        ...went.map(({ kind }) => `${kind} came while it rested`),
        ...(went.length === 0 && beats === 0 ? ["no heartbeat came while it rested"] : []),
        ...(await stage.unfinished(task_id, 1)),
      ],
      told(own()),
    );
  },
};

/** What happens with commands. */
export const commandChecks: readonly Check<Stage>[] = [cancel, race, rest];
