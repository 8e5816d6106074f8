import { describe, expect, it } from "vitest";

import type { Ordering } from "../../src/protocol/webhook-options.ts";
import { item, newEndpoint, placeOf } from "./endpoints.ts";

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
