import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import type { Batuta } from "../batuta.ts";
import { headersOf, post, receiptLine, signature } from "../letter.ts";
import type { Letter, Receipt } from "../letter.ts";
import type { Proxy } from "../proxy.ts";
import { until } from "../wait.ts";

/** An effect may come after the answer, by a queue of the receiver's own; milliseconds. */
const EFFECT_WITHIN_MS = 3_000;
/** A second effect would have come by now, milliseconds. */
const SECOND_WITHIN_MS = 500;

/** How often a receiver acted on what it was told of a task; null where nobody can see that. */
export type Effects = (task_id: string) => Promise<number | null>;

const countSchema = z.union([
  z.int(),
  z.array(z.unknown()).transform((effects) => effects.length),
  z.looseObject({ count: z.int() }).transform(({ count }) => count),
]);

/** Asks the receiver itself: a number, a list of effects, or `{count}`. */
export function askedEffects(template: string): Effects {
  return async (task_id) => {
    const answer = await fetch(template.replaceAll("{task_id}", encodeURIComponent(task_id)));
    if (!answer.ok) throw new Error(`--effects was answered ${answer.status}`);
    return countSchema.parse(await answer.json());
  };
}

/** Counts the lines that a program has written about a task. */
export function countedLines(output: string, task_id: string): number {
  return output.split("\n").filter((line) => line.includes(task_id)).length;
}

/** One receiver, and the kit as its sender. */
export class ReceiverStage {
  readonly url: string;
  readonly secret: string;
  readonly run: string;
  readonly batuta: Batuta;
  readonly proxy: Proxy;
  readonly #effects: Effects;
  #count = 0;

  constructor(all: {
    url: string;
    secret: string;
    run: string;
    batuta: Batuta;
    proxy: Proxy;
    effects: Effects;
  }) {
    this.url = all.url;
    this.secret = all.secret;
    this.run = all.run;
    this.batuta = all.batuta;
    this.proxy = all.proxy;
    this.#effects = all.effects;
  }

  /** A name that no task has had. */
  nextTask(): string {
    this.#count += 1;
    return `kit_${this.run}_r${this.#count}`;
  }

  /** A notification as Batuta writes it: protocol.md §5. */
  letter(task_id: string, { seq = 2, more = {} }: { seq?: number; more?: object } = {}): Letter {
    const timestamp = new Date().toISOString();
    const notification = {
      notification_id: `${task_id}-${seq}`,
      notification_type: "task_progress",
      task_id,
      agent_id: "kit",
      timestamp,
      status: "running",
      data: { progress_percentage: 50, current_step: "A step of the conformance kit" },
    };
    const data = { task_id, seq, prev_seq: seq === 1 ? null : seq - 1, notification };
    const body = JSON.stringify({ type: "task_progress", timestamp, data, ...more });
    return { id: `msg_${task_id}_${seq}`, body };
  }

  /** Sends a letter, signed with the receiver's own secret unless `signed` brings other headers. */
  async send(letter: Letter, what: string, headers?: Record<string, string>): Promise<Receipt> {
    const now = Date.now();
    const own = headersOf(letter, [signature(this.secret, letter, now)], now);
    return post(this.url, letter, { headers: headers ?? own, what });
  }

  /** What is wrong with how often it acted on a task. Nothing where that cannot be seen. */
  async effectFaults(task_id: string, wanted: number, what: string): Promise<string[]> {
    let seen = await this.#effects(task_id);
    if (seen === null) return [];
    await until(
      async () => {
        seen = await this.#effects(task_id);
        return seen === null || seen >= Math.max(wanted, 1);
      },
      wanted === 0 ? SECOND_WITHIN_MS : EFFECT_WITHIN_MS,
    );
    await pause(SECOND_WITHIN_MS);
    seen = await this.#effects(task_id);
    return seen === wanted ? [] : [`${what}: it acted ${seen} times, not ${wanted}`];
  }
}

/** Complaints about letters that should have been taken. */
export function notTaken(receipts: readonly Receipt[]): string[] {
  return receipts.filter(({ status }) => status < 200 || status > 299).map(receiptLine);
}

/** Complaints about letters that should not have been taken. */
export function wronglyTaken(receipts: readonly Receipt[]): string[] {
  return receipts.filter(({ status }) => status >= 200 && status <= 299).map(receiptLine);
}
