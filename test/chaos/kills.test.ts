import { randomInt } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { placesOf, Storm } from "./storm.ts";
import type { Aftermath } from "./storm.ts";

/* Longer storms: CHAOS_KILLS=20 npm test -- --project chaos; the same one again: CHAOS_SEED=… */
const variables = z
  .object({
    CHAOS_SEED: z.coerce
      .number()
      .int()
      .min(0)
      .default(() => randomInt(2 ** 31)),
    CHAOS_KILLS: z.coerce.number().int().min(1).max(1_000).default(2),
  })
  .parse(process.env);
const { CHAOS_SEED: seed, CHAOS_KILLS: kills } = variables;

/** A storm takes half a minute; a machine that is busy with something else gets time. */
const LONGEST_MS = 360_000 + kills * 120_000;

// The seed stands in the title, so that whatever fails names it.
describe(`a server that is killed in the middle of its deliveries (CHAOS_SEED=${seed} CHAOS_KILLS=${kills})`, () => {
  const storm = new Storm(seed);
  let seen: Aftermath;

  beforeAll(async () => {
    seen = await storm.run(kills);
  }, LONGEST_MS);
  afterAll(() => storm.stop());

  const firsts = (endpoint: string, task_id: string) => {
    const own = seen.receipts.filter(
      (receipt) => receipt.endpoint === endpoint && receipt.task_id === task_id,
    );
    return own.filter(({ seq }, index) => own.findIndex((one) => one.seq === seq) === index);
  };

  it("was hit each time with requests under way", () => {
    expect(seen.openAtKill).toHaveLength(kills);
    for (const open of seen.openAtKill) expect(open).toBeGreaterThan(0);
    expect(seen.receiverFaults).toEqual([]);
  });

  it("brings every task to its end, and history has it as far as the task itself", () => {
    expect(seen.tasks.length).toBeGreaterThan(kills);
    for (const { view, log, listed } of seen.tasks) {
      expect(view.phase).toBe("ended");
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      expect(log.at(-1)).toEqual({ seq: view.seq, type: "agent_end_task" });
      expect(listed).toEqual(view);
    }
  });

  it("keeps in its log, once, whatever it said that it had accepted", () => {
    const kept = seen.tasks.flatMap(({ view, log }) =>
      log.map(({ seq, type }) => `${view.task_id} ${seq} ${type}`),
    );
    const said = seen.accepted.map(({ task_id, seq, type }) => `${task_id} ${seq} ${type}`);

    expect(said.length).toBeGreaterThan(0);
    expect(new Set(said).size).toBe(said.length);
    expect(said.filter((one) => !kept.includes(one))).toEqual([]);
  });

  it("delivers every notification to every endpoint", () => {
    for (const endpoint of storm.endpoints) {
      const expected = placesOf(endpoint, seen.tasks);
      const arrived = new Set(
        seen.receipts.map((receipt) => `${receipt.endpoint} ${receipt.task_id} ${receipt.seq}`),
      );

      expect(expected.filter((place) => !arrived.has(place))).toEqual([]);
      expect(expected.filter((place) => seen.deliveries.get(place) !== "delivered")).toEqual([]);
    }
  });

  it("signs every request, and repeats one only under the same id with the same bytes", () => {
    expect(seen.receipts.filter(({ isSigned }) => !isSigned)).toEqual([]);
    const of = (receipt: (typeof seen.receipts)[number]) =>
      `${receipt.endpoint} ${receipt.task_id} ${receipt.seq}`;
    const places = new Set(seen.receipts.map(of));
    const ids = new Set(seen.receipts.map(({ message_id }) => message_id));
    const sent = new Set(seen.receipts.map(({ message_id, body }) => `${message_id} ${body}`));

    expect(seen.receipts.length).toBeGreaterThan(places.size);
    expect(ids.size).toBe(places.size);
    expect(sent.size).toBe(places.size);
  });

  it("delivers each task's notifications in order, each naming the one before it", () => {
    for (const endpoint of storm.endpoints) {
      for (const { view } of seen.tasks) {
        const own = firsts(endpoint, view.task_id);
        const seqs = own.map(({ seq }) => seq);

        expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
        expect(own.map(({ prev_seq }) => prev_seq)).toEqual([null, ...seqs.slice(0, -1)]);
      }
    }
  });

  it("leaves no process behind", async () => {
    await storm.stop();

    expect(storm.isAnythingLeft()).toBe(false);
  });
});
