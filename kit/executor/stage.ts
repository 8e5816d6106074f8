import { z } from "zod";

import type { Batuta, TaskView } from "../batuta.ts";
import { codeOf } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import type { Proxy, Rule } from "../proxy.ts";
import { ASK_MS, until } from "../wait.ts";

/** The executor under test. */
export interface Subject {
  agent_id: string;
  pool: string;
  task_type: string;
  isPush: boolean;
  /** Where it really takes pushes, and what they are signed with; null where the kit does not know. */
  push: { url: string; secret: string | null } | null;
}

/** How patient the kit is, and what its tasks ask for. */
export interface Pace {
  /** Milliseconds that an executor has for its next step. */
  patienceMs: number;
  /** Seconds: the lease of the kit's tasks. */
  heartbeat_timeout: number;
}

/** Without another word for so long, an executor has said its last one; milliseconds. */
const QUIET_MS = 700;

/** Statuses that are a verdict. */
const OVER = new Set(["completed", "failed", "cancelled"]);

const claimSchema = z.looseObject({
  tasks: z.array(
    z.looseObject({
      task: z.looseObject({ task_id: z.string() }),
      lease: z.looseObject({ token: z.string() }),
    }),
  ),
});

/** One executor, one Batuta, and the proxy between them: what executor checks are played on. */
export class Stage {
  readonly proxy: Proxy;
  readonly batuta: Batuta;
  readonly subject: Subject;
  readonly pace: Pace;
  readonly run: string;
  /** Ids of the checks that have failed so far. */
  readonly failed = new Set<string>();
  readonly #task: Readonly<Record<string, unknown>>;
  #open: string[] = [];
  #count = 0;

  constructor(all: {
    proxy: Proxy;
    batuta: Batuta;
    subject: Subject;
    pace: Pace;
    run: string;
    /** What the executor can do, as a task_execution. */
    task: Readonly<Record<string, unknown>>;
  }) {
    this.proxy = all.proxy;
    this.batuta = all.batuta;
    this.subject = all.subject;
    this.pace = all.pace;
    this.run = all.run;
    this.#task = all.task;
  }

  /** A name for the next task, so that a rule for it can be there before it is. */
  nextId(): string {
    this.#count += 1;
    return `kit_${this.run}_${this.#count}`;
  }

  /** Submits a task that only the executor under test may take, unless `more` says otherwise. */
  async submit(task_id: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { subject, pace } = this;
    this.#open.push(task_id);
    await this.batuta.call("POST", "/v1/tasks", {
      task_type: subject.task_type,
      description: "A task of Batuta's conformance kit",
      ...this.#task,
      task_id,
      pool: subject.pool,
      heartbeat_timeout: pace.heartbeat_timeout,
      execution_options: { retry_policy: { max_retries: 2, retry_delay: 1 } },
      requires: { agent_id: subject.agent_id },
      ...more,
    });
  }

  /** Submits a task under a rule, and waits for its verdict. */
  async play(rule: Rule | null, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const task_id = this.nextId();
    if (rule !== null) this.proxy.setRule(task_id, rule);
    await this.submit(task_id, more);
    await this.verdict(task_id);
    return task_id;
  }

  /** What was said about a task so far: offers, and what its executor wrote. */
  about(task_id: string): Exchange[] {
    return this.proxy.exchanges.filter((exchange) => exchange.task_id === task_id);
  }

  /** Waits for the next thing that the executor says about a task and that fits. */
  async sees(task_id: string, isIt: (exchange: Exchange) => boolean): Promise<boolean> {
    return until(() => this.about(task_id).some(isIt), this.pace.patienceMs);
  }

  /** Claims that came after an instant. */
  claimsSince(at: number): Exchange[] {
    return this.proxy.exchanges.filter((exchange) => exchange.kind === "claim" && exchange.at > at);
  }

  /** Waits until a task has a verdict and its executor had time for its last word; the view either way. */
  async verdict(task_id: string, withinMs = this.pace.patienceMs * 2): Promise<TaskView> {
    let view = await this.batuta.view(task_id);
    const hasVerdict = async (): Promise<boolean> => {
      view = await this.batuta.view(task_id);
      return OVER.has(view.status);
    };
    await until(hasVerdict, withinMs, ASK_MS);
    // What it says after its verdict belongs to the story.
    await this.#isQuiet(task_id);
    if (OVER.has(view.status)) await this.#release(task_id);
    return view;
  }

  /** A verdict without a last word keeps the slot for 30 s more (protocol.md §7, Verdict): the kit says it then. */
  async #release(task_id: string): Promise<void> {
    const isEnd = ({ kind, passed }: Exchange): boolean => kind === "end" && passed.length > 0;
    if (!this.about(task_id).some(isEnd)) await this.endFor(task_id);
  }

  /** Waits until the executor is done with a task as far as can be seen: it has ended it, or says nothing any more. */
  async #isQuiet(task_id: string): Promise<void> {
    await until(() => {
      const own = this.about(task_id);
      const last = own.at(-1);
      if (own.some(({ kind, answer }) => kind === "end" && (answer?.status ?? 500) < 300))
        return true;
      return (
        last === undefined ||
        Date.now() - Math.max(last.at, last.answeredAt ?? 0) > this.#quietMs(last)
      );
    }, this.pace.patienceMs);
  }

  /** Who was cut off or put off comes again; who was answered has gone on by then, or is done. Milliseconds. */
  #quietMs({ isCut, answer }: Exchange): number {
    const isUnanswered = isCut || answer === null || [429, 503].includes(answer.status);
    return isUnanswered ? this.pace.patienceMs : QUIET_MS;
  }

  /** What is wrong with a task that should have been done by now. */
  async unfinished(task_id: string, attempt: number | null = null): Promise<string[]> {
    const view = await this.batuta.view(task_id);
    if (view.status !== "completed") {
      return [
        `the task is ${view.status} (phase ${view.phase}, attempt ${view.attempt}), not completed`,
      ];
    }
    return attempt === null || view.attempt === attempt
      ? []
      : [`the task took ${view.attempt} attempts, not ${attempt}`];
  }

  /** Whether the lease of an attempt has run out, waiting for it. */
  async leaseIsLost(task_id: string): Promise<boolean> {
    const isLost = async (): Promise<boolean> =>
      (await this.batuta.log(task_id)).some(({ type }) => type === "lease_expired");
    return until(isLost, this.pace.heartbeat_timeout * 1_000 + this.pace.patienceMs, ASK_MS);
  }

  /** The newest lease token that came by for a task. */
  tokenOf(task_id: string): string | null {
    return (
      this.about(task_id).findLast(({ token }) => token !== null)?.token ?? this.#claimed(task_id)
    );
  }

  #claimed(task_id: string): string | null {
    const tokens = this.proxy.exchanges.flatMap(({ answer, passed }) =>
      [answer, ...passed].flatMap((one) => claimSchema.safeParse(one?.body).data?.tasks ?? []),
    );
    return tokens.findLast(({ task }) => task.task_id === task_id)?.lease.token ?? null;
  }

  /** Cancels a task with its executor's own lease, as a second thread of it might; after a verdict this is but the last word. */
  async endFor(task_id: string): Promise<boolean> {
    const token = this.tokenOf(task_id);
    if (token === null) return false;
    const end = {
      task_id,
      agent_id: this.subject.agent_id,
      reason: "cancelled",
      timestamp: new Date().toISOString(),
    };
    try {
      await this.batuta.call("POST", `/v1/tasks/${task_id}/end`, end, { "lease-token": token });
      return true;
    } catch {
      // It is nobody's, or over: what the caller wanted to know.
      return false;
    }
  }

  /** Leaves nothing of a check to the next one: rules, tasks, and the slots that they take. */
  async clear(): Promise<void> {
    this.proxy.clear();
    const left = this.#open;
    this.#open = [];
    for (const task_id of left) {
      const view = await this.batuta.view(task_id);
      if (OVER.has(view.status)) continue;
      if (await this.endFor(task_id)) continue;
      await this.batuta.command(task_id, "cancel").catch(() => {
        // It ended in between.
      });
    }
  }
}

/** The first refusal with a code, among what was said. */
export function refusedWith(exchanges: readonly Exchange[], code: string): Exchange | undefined {
  return exchanges.find(({ answer }) => codeOf(answer) === code);
}

/** Remembers whether something has happened once. */
export function once(isIt: (exchange: Exchange) => boolean): (exchange: Exchange) => boolean {
  let hasBeen = false;
  return (exchange) => {
    if (hasBeen || !isIt(exchange)) return false;
    hasBeen = true;
    return true;
  };
}
