import { describe, expect, it } from "vitest";
import * as z from "zod";

import type { Ordering } from "../../src/protocol/webhook-options.ts";
import { item, newEndpoint, placeOf, type TestEndpoint } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

/** News of an alert, as a channel's endpoint gets them. */
const news = (event_id: string) =>
  item("", 1, { task_id: null, seq: null, event_id, type: "system_alert" });

/** Milliseconds that the receiver takes for an answer. */
const ANSWER_MS = 100;

const PLACES = Array.from({ length: 12 }, (_, index) => `t:${index + 1}`);

/**
 * Sends twelve notifications of one task; their places as they arrived, and how many came before the one before them
 * can have been answered.
 */
async function sendTwelve(ordering: Ordering): Promise<{ places: string[]; overlaps: number }> {
  const endpoint = await newEndpoint({ ordering });
  await endpoint.receiver.script([{ status: 200, delay_ms: ANSWER_MS }]);
  await endpoint.enqueue(...PLACES.map((_place, index) => item("t", index + 1)));
  await endpoint.send();
  const log = await endpoint.receiver.log();
  const overlaps = log.filter(
    ({ at_ms }, index) => index > 0 && at_ms - (log[index - 1]?.at_ms ?? 0) < ANSWER_MS * 0.9,
  ).length;
  return { places: log.map(placeOf), overlaps };
}

describe("a task's notifications", () => {
  it("go one after the other where order counts, and side by side where it doesn't", async () => {
    const ordered = await sendTwelve("task");
    const unordered = await sendTwelve("none");

    expect(ordered.places).toEqual(PLACES);
    expect(ordered.overlaps).toBe(0);
    expect(unordered.places.toSorted()).toEqual(PLACES.toSorted());
    // Six at a time: ten of them on an idle machine, fewer on a busy one.
    expect(unordered.overlaps).toBeGreaterThan(3);
  });
});

const toldSchema = z.object({ task_id: z.string(), seq: z.int() });
const eitherSchema = z.object({
  data: z.union([z.object({ items: z.array(z.object({ data: toldSchema })) }), toldSchema]),
});

/** How far a clock was ahead until it is put right, milliseconds. */
const AHEAD_MS = 5_000;

/** The seqs of task t as they arrived, alone or in batches. */
async function seqsAt({ receiver }: TestEndpoint): Promise<number[]> {
  const bodies = (await receiver.log()).map((request) =>
    eitherSchema.parse(JSON.parse(bodyText(request))),
  );
  const told = bodies.flatMap(({ data }) =>
    "items" in data ? data.items.map((one) => one.data) : [data],
  );
  return told.filter(({ task_id }) => task_id === "t").map(({ seq }) => seq);
}

describe("notifications of a task that wait while the clock is put back", () => {
  it.each([
    ["in a batch", { batching: { max_items: 10, max_wait_ms: 200 } }],
    ["alone", {}],
  ])("keep their order: %s", async (_how, changes) => {
    const endpoint = await newEndpoint({ ...changes, retry_policy: { schedule: [1] } });
    await endpoint.receiver.script([{ status: 500 }, { status: 200 }]);
    await endpoint.enqueue(item("other", 1));
    await endpoint.send();
    await endpoint.at(AHEAD_MS);
    await endpoint.enqueue(item("t", 5), item("t", 6), item("t", 7, { priority: "high" }));
    await endpoint.stub.wake();

    for (let ms = 1_000; ms <= 2 * AHEAD_MS; ms += 250) {
      await endpoint.at(ms);
      await endpoint.stub.wake();
      await endpoint.send();
    }

    expect(await seqsAt(endpoint)).toEqual([5, 6, 7]);
  });
});

describe("an alert's news", () => {
  it("end after they began, whatever the endpoint forgets and whoever wants the end sooner", async () => {
    const endpoint = await newEndpoint();
    const arrived = async () =>
      (await endpoint.receiver.log()).map(({ headers }) =>
        headers["webhook-id"]?.replace(/.*_0_/, ""),
      );
    await endpoint.receiver.script([{ status: 503 }, { status: 200 }]);
    await endpoint.enqueue(news("al_1_fired"));
    await endpoint.send();
    await endpoint.enqueue(news("al_1_resolved"), news("al_2_fired"));
    await endpoint.send();
    const before = await arrived();

    const end = await endpoint.delivery("al_1_resolved", 0);
    const asked = await endpoint.stub.replay(end.delivery_id);
    await endpoint.evict();
    await endpoint.at(10_000);
    await endpoint.send();

    expect(before).toEqual(["al_1_fired", "al_2_fired"]);
    expect(asked).toMatchObject({ ok: true, value: { delay_reason: "lane" } });
    expect(await arrived()).toEqual([...before, "al_1_fired", "al_1_resolved"]);
  });
});
