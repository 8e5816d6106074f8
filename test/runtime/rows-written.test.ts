import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";

import type { Clock } from "../../src/lib/ports.ts";
import { Executor, call, eventually, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { RowMeter } from "./row-meter.ts";
import type { Meter } from "./row-meter.ts";

type Stub = DurableObjectStub<Rpc.DurableObjectBranded & { now: Clock }>;

/** What one step of a life cost. */
type Step = { step: string } & Meter;

/**
 * A life whose clock is turned by hand: alarms fire when it comes to them, and in that order.
 *
 * The clock is hours ahead of the real one, so that the runtime fires no alarm by itself.
 */
class Life {
  readonly steps: Step[] = [];
  readonly #meter = new RowMeter();
  readonly #objects: Stub[];
  readonly #task_id: string;
  #clock = Date.now() + 36_000_000;
  #sent = 0;

  constructor(task_id: string, objects: Stub[]) {
    this.#task_id = task_id;
    this.#objects = objects;
  }

  async begin(): Promise<void> {
    for (const [index, name] of ["task", "pool", "endpoint"].entries()) {
      await runInDurableObject(this.#object(index), (instance, { storage }) => {
        if (index === 0) this.#meter.start(storage);
        this.#meter.name(storage, name);
        instance.now = () => this.#clock;
      });
    }
  }

  end(): void {
    this.#meter.stop();
  }

  /** Does something, then lets time pass, alarms and the history consumer included. */
  async step(name: string, ms: number, act: () => Promise<unknown>): Promise<void> {
    await act();
    await this.#pass(ms);
    this.steps.push({ step: name, ...this.#meter.take() });
  }

  async #pass(ms: number): Promise<void> {
    const until = this.#clock + ms;
    for (;;) {
      await this.#historyCatchesUp();
      const alarms = await Promise.all(
        this.#objects.map((stub) =>
          runInDurableObject(stub, (_, { storage }) => storage.getAlarm()),
        ),
      );
      const next = Math.min(...alarms.map((alarm) => alarm ?? Infinity));
      if (next > until) break;
      this.#clock = Math.max(this.#clock, next);
      await runDurableObjectAlarm(this.#object(alarms.indexOf(next)));
    }
    this.#clock = until;
  }

  async #historyCatchesUp(): Promise<void> {
    await eventually(async () => true, Boolean);
  }

  #object(index: number): Stub {
    const stub = this.#objects[index];
    if (stub === undefined) throw new Error("no such object");
    return stub;
  }
}
