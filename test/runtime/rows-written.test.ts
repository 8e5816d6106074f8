import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";

import type { Clock } from "../../src/lib/ports.ts";
import { Executor, call, eventually, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { RowMeter } from "./row-meter.ts";
import type { Meter } from "./row-meter.ts";

/*
 * The bill of one plain task, exactly. What it holds is in test/load/measured.json, from which test/load/cost.mjs
 * makes dollars; a change of it has to be wanted: `npm test -- -u test/runtime/rows-written.test.ts`.
 */

type Clocked = Rpc.DurableObjectBranded & { now: Clock };
type Stub = DurableObjectStub<Clocked>;

/** Milliseconds after the end in which every alarm of a life has fired. */
const AFTERLIFE_MS = 3_600_000;

/**
 * A life whose clock is turned by hand: alarms fire when it comes to them, in their order.
 *
 * The clock is hours ahead of the real one, so that the runtime fires none of them by itself.
 */
class Life {
  readonly steps: ({ step: string } & Meter)[] = [];
  readonly #meter = new RowMeter();
  readonly #task_id: string;
  readonly #objects: Stub[];
  #clock = Date.now() + 10 * AFTERLIFE_MS;

  constructor(task_id: string, webhook_id: string, pool: string) {
    this.#task_id = task_id;
    this.#objects = [
      env.TASK.getByName(`default/${task_id}`),
      env.POOL.getByName(`default/${pool}`),
      env.ENDPOINT.getByName(`default/${webhook_id}`),
    ];
  }

  async begin(): Promise<void> {
    const names = ["task", "pool", "endpoint"];
    for (const [index, stub] of this.#objects.entries()) {
      await runInDurableObject(stub, (instance, { storage }) => {
        if (index === 0) this.#meter.start(storage);
        this.#meter.name(storage, names[index] ?? "");
        instance.now = () => this.#clock;
      });
    }
  }

  end(): void {
    this.#meter.stop();
  }

  /** Does something, then lets time pass with its alarms; the history consumer keeps up. */
  async step(name: string, ms: number, act: () => Promise<unknown>): Promise<void> {
    await act();
    const until = this.#clock + ms;
    for (;;) {
      await this.#historyCatchesUp();
      const [next, stub] = await this.#nextAlarm();
      if (stub === null || next > until) break;
      this.#clock = Math.max(this.#clock, next);
      this.#meter.note(`alarm ${this.#objects.indexOf(stub)}`);
      await runDurableObjectAlarm(stub);
    }
    this.#clock = until;
    this.steps.push({ step: name, ...this.#meter.take() });
  }

  async #nextAlarm(): Promise<[number, Stub | null]> {
    let next: [number, Stub | null] = [Infinity, null];
    for (const stub of this.#objects) {
      const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
      if (at !== null && at < next[0]) next = [at, stub];
    }
    return next;
  }

  /** Real queues are at work: waits until D1 has what the task's object has sent. */
  async #historyCatchesUp(): Promise<void> {
    const seq = this.#meter.lastSeq;
    if (seq === 0) return;
    await eventually(
      () =>
        env.DB.prepare("SELECT seq FROM task WHERE task_id = ?")
          .bind(this.#task_id)
          .first<number>("seq"),
      (written) => written === seq,
    );
  }
}
