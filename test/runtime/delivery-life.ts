import fc from "fast-check";

import type { Priority } from "../../src/protocol/enums.ts";
import type { Ordering } from "../../src/protocol/webhook-options.ts";
import type { ReceivedRequest } from "../received.ts";
import { item, newEndpoint } from "./endpoints.ts";
import type { TestEndpoint } from "./endpoints.ts";

/** The wait that is promised before each retry, milliseconds. */
export const RETRY_WAIT_MS = 2_000;
/** More retries than any plan has failures, so that nothing can run out of them. */
const RETRY_POLICY = { schedule: Array.from({ length: 20 }, () => RETRY_WAIT_MS / 1_000) };

/** Far more than any policy asks for: what is not there by then is lost. */
const MOST_STEPS = 400;
const STEP_MS = 60_000;

type Move =
  | { what: "enqueue"; task: number; count: number; priority: Priority }
  | { what: "repeat"; task: number }
  | { what: "replay"; which: number }
  | { what: "pass"; ms: number }
  | { what: "send" | "wake" | "evict" };

const task = fc.nat({ max: 3 });
const moves = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constant("enqueue" as const),
        task,
        count: fc.integer({ min: 1, max: 3 }),
        priority: fc.constantFrom("low" as const, "normal" as const, "critical" as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("repeat" as const), task }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant("replay" as const), which: fc.nat() }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant("pass" as const),
        ms: fc.constantFrom(500, 2_000, 10_000, 70_000),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constantFrom("send" as const, "send" as const, "wake" as const, "evict" as const),
      }),
    },
  ),
  { minLength: 15, maxLength: 30 },
);

const replies = fc.array(
  fc.constantFrom(
    { status: 200 },
    { status: 204 },
    { status: 500 },
    { status: 404 },
    { status: 302 },
    { status: 429 },
    { status: 503, headers: { "retry-after": "7" } },
  ),
  { maxLength: 18 },
);

/** Any life of an endpoint: half of them have no breaker. */
export const plans = fc.record({
  ordering: fc.constantFrom<Ordering>("task", "endpoint", "none"),
  breaker: fc.constantFrom(null, { enabled: false }),
  replies,
  moves,
});
type Plan = typeof plans extends fc.Arbitrary<infer Value> ? Value : never;

type Delivery = Awaited<ReturnType<TestEndpoint["delivery"]>>;

/** What can be seen of a life once it has come to rest. */
export interface Outcome {
  ordering: Ordering;
  /** `task_id:seq` of everything enqueued, in order of the first enqueue. */
  enqueued: string[];
  log: ReceivedRequest[];
  /** By `task_id:seq`, with all attempts. */
  deliveries: Map<string, Delivery>;
}

/** An endpoint under a plan. */
class Life {
  readonly #endpoint: TestEndpoint;
  readonly #seqs = new Map<string, number>();
  readonly #enqueued: string[] = [];
  readonly #priorities = new Map<string, Priority>();
  #now = 0;

  constructor(endpoint: TestEndpoint) {
    this.#endpoint = endpoint;
  }

  async move(move: Move): Promise<void> {
    switch (move.what) {
      case "enqueue":
        return this.#enqueue(move);
      case "repeat": {
        const task_id = `t${move.task}`;
        await this.#store(this.#enqueued.filter((place) => place.startsWith(`${task_id}:`)));
        return;
      }
      case "replay":
        return this.#replay(move.which);
      case "pass":
        return this.#pass(move.ms);
      case "send":
        await this.#endpoint.send();
        return;
      case "wake":
        return this.#endpoint.stub.wake();
      case "evict":
        return this.#endpoint.evict();
    }
  }

  async #enqueue({ task: number, count, priority }: Extract<Move, { what: "enqueue" }>) {
    const task_id = `t${number}`;
    const last = this.#seqs.get(task_id) ?? 0;
    const places = Array.from({ length: count }, (_, index) => `${task_id}:${last + index + 1}`);
    for (const place of places) this.#priorities.set(place, priority);
    this.#seqs.set(task_id, last + count);
    this.#enqueued.push(...places);
    await this.#store(places);
  }

  async #store(places: readonly string[]): Promise<void> {
    const items = places.map((place) => {
      const [task_id = "", seq] = place.split(":");
      return item(task_id, Number(seq), { priority: this.#priorities.get(place) ?? "normal" });
    });
    const receipt = await this.#endpoint.enqueue(...items);
    if (!receipt.known) throw new Error("The endpoint does not know its own configuration.");
  }

  /** Of something that arrived at least once, whatever became of it. */
  async #replay(which: number): Promise<void> {
    const arrived = await this.#endpoint.arrived();
    const place = arrived[which % Math.max(arrived.length, 1)];
    if (place === undefined) return;
    const { delivery_id } = await this.#read(place);
    const answer = await this.#endpoint.stub.replay(delivery_id);
    if (!answer.ok) throw new Error(answer.refusal.detail);
  }

  async #pass(ms: number): Promise<void> {
    this.#now += ms;
    await this.#endpoint.at(this.#now);
  }

  #read(place: string): Promise<Delivery> {
    const [task_id = "", seq] = place.split(":");
    return this.#endpoint.delivery(task_id, Number(seq));
  }

  /** The receiver is well from now on; time passes until nothing is open, or for hours. */
  async settle(ordering: Ordering): Promise<Outcome> {
    await this.#endpoint.receiver.script([{ status: 200 }]);
    for (let step = 0; step < MOST_STEPS; step += 1) {
      await this.#endpoint.send();
      const page = await this.#endpoint.stub.deliveries({ limit: 200 });
      if (page.ok && page.value.items.every(({ state }) => state === "delivered")) break;
      await this.#pass(STEP_MS);
      await this.#endpoint.stub.wake();
    }
    const read = await Promise.all(
      this.#enqueued.map(async (place) => [place, await this.#read(place)] as const),
    );
    const log = await this.#endpoint.receiver.log();
    return { ordering, enqueued: this.#enqueued, log, deliveries: new Map(read) };
  }
}

/** Lives a plan on a real object, to the end. */
export async function outcomeOf(plan: Plan): Promise<Outcome> {
  const { ordering, breaker } = plan;
  const endpoint = await newEndpoint({ ordering, breaker, retry_policy: RETRY_POLICY });
  if (plan.replies.length > 0) await endpoint.receiver.script(plan.replies);
  const life = new Life(endpoint);
  for (const move of plan.moves) await life.move(move);
  return life.settle(ordering);
}
