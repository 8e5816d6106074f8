import { describe, expect, it } from "vitest";

import type { ScriptedReply } from "../received.ts";
import { item, newEndpoint, placeOf } from "./endpoints.ts";
import type { TestEndpoint } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

const TASKS = Array.from({ length: 100 }, (_, index) => `t${index}`);
const SEQS = [1, 2, 3];

/** Two of five answers are failures, of every kind that is tried again; in the end all is well. */
const FLAKY: ScriptedReply[] = [
  ...Array.from({ length: 80 }, () => [
    { status: 200 },
    { status: 500 },
    { status: 204 },
    { status: 503, headers: { "retry-after": "2" } },
    { status: 200 },
  ]).flat(),
  { status: 200 },
];

/** Far more than any policy asks for: what is not there by then is lost. */
const MOST_STEPS = 400;
const STEP_MS = 30_000;

async function untilDelivered(endpoint: TestEndpoint): Promise<void> {
  for (let step = 1; step <= MOST_STEPS; step += 1) {
    await endpoint.send();
    const page = await endpoint.stub.deliveries({ limit: TASKS.length * SEQS.length });
    if (page.ok && page.value.items.every(({ state }) => state === "delivered")) return;
    await endpoint.at(step * STEP_MS);
    await endpoint.stub.wake();
  }
}

describe.each([
  ["without a breaker", { enabled: false }],
  ["with the breaker as it is by default", null],
] as const)(
  "a burst of a hundred tasks with three messages each to a flaky endpoint %s",
  (_, breaker) => {
    it("arrives whole, each task's messages in order and each under one id with the same bytes", async () => {
      const endpoint = await newEndpoint({
        retry_policy: { schedule: Array.from({ length: 20 }, () => 1) },
        breaker,
      });
      await endpoint.receiver.script(FLAKY);

      await Promise.all(
        SEQS.map((seq) => endpoint.enqueue(...TASKS.map((task_id) => item(task_id, seq)))),
      );
      await untilDelivered(endpoint);

      const log = await endpoint.receiver.log();
      const places = TASKS.flatMap((task_id) => SEQS.map((seq) => `${task_id}:${seq}`));
      const firsts = [...new Set(log.map((request) => placeOf(request)))];
      for (const task_id of TASKS) {
        const ofTask = firsts.filter((place) => place.startsWith(`${task_id}:`));
        expect(ofTask).toEqual(SEQS.map((seq) => `${task_id}:${seq}`));
      }
      const sent = new Set(
        log.map((request) => `${request.headers["webhook-id"]} ${bodyText(request)}`),
      );
      expect(sent.size).toBe(places.length);
      const page = await endpoint.stub.deliveries({ limit: places.length + 1 });
      const views = page.ok ? page.value.items : [];
      expect(views.map(({ task_id, seq }) => `${task_id}:${seq}`).toSorted()).toEqual(
        places.toSorted(),
      );
      expect(new Set(views.map(({ state }) => state))).toEqual(new Set(["delivered"]));
      const attempts = views.reduce((total, { attempts_made }) => total + attempts_made, 0);
      expect(attempts).toBe(log.length);
      expect(log.length).toBeGreaterThan(places.length);
    });
  },
);
