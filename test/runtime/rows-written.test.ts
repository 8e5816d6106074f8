import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { DurableObject } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Clock } from "../../src/lib/ports.ts";
import { itemOf, outcomeOf } from "../unit/pool-fixture.ts";
import { Executor, call, eventually, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { RowMeter } from "./row-meter.ts";
import type { Meter } from "./row-meter.ts";

/*
 * The bill of one plain task, exactly. What it holds is in test/load/measured.json, from which test/load/cost.mjs
 * makes dollars; a change of it has to be wanted: `npm test -- -u test/runtime/rows-written.test.ts`.
 */

type Clocked = DurableObject & { now: Clock; begin?: (work: () => Promise<void>) => void };
type Stub = DurableObjectStub<Clocked>;

/** After so long without anything to do an object is evicted, milliseconds (facts/platform.md §4). */
const IDLE_MS = 10_000;

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
  readonly #webhook_id: string;
  readonly #objects: Stub[];
  #clock = Date.now() + 10 * AFTERLIFE_MS;
  /** Runs of the endpoint that are under way beside everything else. */
  #runs = 0;

  constructor(task_id: string, webhook_id: string, pool: string) {
    this.#task_id = task_id;
    this.#webhook_id = webhook_id;
    this.#objects = [
      env.TASK.getByName(`default/${task_id}`),
      env.POOL.getByName(`default/${pool}`),
      env.ENDPOINT.getByName(`default/${webhook_id}`),
    ];
  }

  async begin(): Promise<void> {
    await this.#inEach((name, instance, storage) => {
      if (name === "task") this.#meter.start(storage);
      this.#attend(name, instance, storage);
    });
  }

  /** Has the endpoint do what it does once a day, which is no task's cost. */
  async warmUp(): Promise<void> {
    await call("POST", `/v1/webhooks/${this.#webhook_id}/test`, {});
    const [, , endpoint] = this.#objects;
    if (endpoint !== undefined) await this.#meter.fire(endpoint);
  }

  /** The next life is not to be told to this one's endpoint. */
  async end(): Promise<void> {
    this.#meter.stop();
    await call("DELETE", `/v1/webhooks/${this.#webhook_id}`);
  }

  /** What was written so far is not on the bill: registrations serve many tasks. */
  forget(): void {
    this.#meter.forget();
  }

  /** Does something, then lets time pass with its alarms; the history consumer keeps up. */
  async step(name: string, ms: number, act: () => Promise<unknown>): Promise<void> {
    await act();
    const until = this.#clock + ms;
    for (;;) {
      await this.#endpointHasSent();
      await this.#historyCatchesUp();
      const [next, stub] = await this.#nextAlarm();
      await this.#sleepUntil(Math.min(next, until));
      if (stub === null || next > until) break;
      await this.#meter.fire(stub);
    }
    this.steps.push({ step: name, ...this.#meter.take() });
  }

  /** Objects that have nothing to do for long are evicted: they know afterwards what they have written. */
  async #sleepUntil(instant: number): Promise<void> {
    const isLong = instant - this.#clock >= IDLE_MS;
    this.#clock = Math.max(this.#clock, instant);
    if (!isLong) return;
    for (const stub of this.#objects) await evictDurableObject(stub);
    await this.#inEach((name, instance, storage) => this.#attend(name, instance, storage));
  }

  #attend(name: string, instance: Clocked, storage: DurableObjectStorage): void {
    this.#meter.name(storage, name);
    instance.now = () => this.#clock;
    if (instance.begin === undefined) return;
    instance.begin = (work) => {
      this.#runs += 1;
      void work().then(() => {
        this.#runs -= 1;
      });
    };
  }

  /** What has left at once has its answer: no step begins, and nobody is evicted, before. */
  async #endpointHasSent(): Promise<void> {
    await vi.waitUntil(() => this.#runs === 0, { timeout: 5_000, interval: 5 });
  }

  async #inEach(
    act: (name: string, instance: Clocked, storage: DurableObjectStorage) => void,
  ): Promise<void> {
    for (const [index, stub] of this.#objects.entries()) {
      await runInDurableObject(stub, (instance: Clocked, { storage }) =>
        act(["task", "pool", "endpoint"][index] ?? "", instance, storage),
      );
    }
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

function totalOf(steps: readonly Meter[]): number {
  return steps.flatMap(({ rows }) => Object.values(rows)).reduce((sum, rows) => sum + rows, 0);
}

const lives: Life[] = [];

afterEach(async () => {
  for (const life of lives.splice(0)) await life.end();
});

/**
 * Works off another task, so that the pool has just learnt how the executor does: that is a row a minute and
 * executor, not a row a task.
 */
async function practise(agent_id: string): Promise<void> {
  const pool = env.POOL.getByName("default/default");
  const requires = { agent_id };
  const task = itemOf(`practice-${agent_id}`, { task_type: "research", requires, ready_at: 0 });
  await pool.announce(task);
  await pool.claim({ agent_id, max_tasks: 1, wait_ms: 0 });
  await pool.release(task.task_id, task.attempt, agent_id, outcomeOf({ task_type: "research" }));
}

/** Lives one plain task with an external executor and one webhook for everything. */
async function liveOnce(name: string, pauseMs: number): Promise<Life["steps"]> {
  const receiver = newReceiver();
  const { body } = await call<{ webhook_id: string }>("POST", "/v1/webhooks", {
    url: receiver.url,
  });
  const life = new Life(name, body.webhook_id, "default");
  lives.push(life);
  await life.begin();
  const executor = await new Executor(`executor-${name}`).register();
  await life.warmUp();
  life.forget();

  const requires = { capabilities: [executor.agent_id] };
  await life.step("submit", pauseMs, () => submit({ task_id: name, requires }));
  await life.step("claim", pauseMs, () => executor.claim());
  await life.step("started", pauseMs, () => executor.start());
  await life.step("progress 1", pauseMs, () => executor.progress(25));
  await life.step("progress 2", pauseMs, () => executor.progress(50));
  await life.step("progress 3", pauseMs, () => executor.progress(75));
  await life.step("completed", pauseMs, () => executor.complete());
  await practise(executor.agent_id);
  life.forget();
  await life.step("end", pauseMs, () => executor.end());
  await life.step("afterwards", AFTERLIFE_MS, async () => {});

  expect((await receiver.log()).map(({ headers }) => headers["x-notification-type"])).toEqual([
    "system_alert",
    "task_started",
    "task_progress",
    "task_progress",
    "task_progress",
    "task_completed",
    "agent_end_task",
  ]);
  return life.steps;
}

describe("the rows written for one plain task", () => {
  it.each([
    { name: "burst", pauseMs: 50, rows: 34, meaning: "all of it within half a second" },
    { name: "paced", pauseMs: 1_500, rows: 45, meaning: "its steps seconds apart" },
    { name: "slow", pauseMs: 25_000, rows: 55, meaning: "its objects evicted between the steps" },
  ])("are exactly $rows with $meaning", async ({ name, pauseMs, rows }) => {
    const steps = await liveOnce(name, pauseMs);

    await expect(`${JSON.stringify(steps, null, 2)}\n`).toMatchFileSnapshot(
      `../load/measured/${name}.json`,
    );
    expect(totalOf(steps)).toBe(rows);
  });
});
