import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Notification } from "../../src/protocol/notification.ts";
import { notificationOf } from "../task-life.ts";
import { START, accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const timestamp = new Date(START).toISOString();

/** What an executor says in one attempt, numbered from 1. */
function story(steps: number, last: "task_completed" | "task_failed"): Notification[] {
  const told = (type: Parameters<typeof notificationOf>[0], index: number, data = {}) =>
    notificationOf(type, data, {
      timestamp,
      sequence: index + 1,
      notification_id: `n${index + 1}`,
    });
  return [
    told("task_started", 0),
    ...Array.from({ length: steps }, (_, step) =>
      told("task_progress", step + 1, {
        progress_percentage: Math.floor((100 * (step + 1)) / (steps + 1)),
        current_step: `step ${step + 1}`,
      }),
    ),
    told(last, steps + 1),
  ];
}

async function hear(notifications: readonly Notification[]): Promise<Subject> {
  const subject = await newSubject();
  accepted(await subject.submit());
  await subject.assign();
  for (const notification of notifications) {
    accepted(await subject.stub.notify(subject.token, JSON.stringify(notification)));
  }
  return subject;
}

/** View and log without what names the tenant's own object. */
async function outcome(subject: Subject): Promise<unknown> {
  return { view: await subject.view(), events: await subject.events() };
}

const arrivals = fc
  .record({
    steps: fc.integer({ min: 0, max: 8 }),
    last: fc.constantFrom("task_completed" as const, "task_failed" as const),
    order: fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
    repeats: fc.array(fc.record({ what: fc.nat(), where: fc.nat() }), { maxLength: 5 }),
  })
  .map(({ steps, last, order, repeats }) => {
    const inOrder = story(steps, last);
    const shuffled = inOrder
      .map((notification, index) => ({ notification, rank: order[index] ?? 0 }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ notification }) => notification);
    for (const { what, where } of repeats) {
      const again = inOrder[what % inOrder.length];
      if (again) shuffled.splice(where % (shuffled.length + 1), 0, again);
    }
    return { inOrder, shuffled };
  });

describe("an executor's numbered notifications", () => {
  it("lead to the same view and the same log in whatever order and how often they arrive", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, async ({ inOrder, shuffled }) => {
        const [straight, crooked] = [await hear(inOrder), await hear(shuffled)];

        expect(await outcome(crooked)).toEqual(await outcome(straight));
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it("also do when the object is evicted after each of them", async () => {
    const inOrder = story(4, "task_completed");
    const subject = await newSubject();
    accepted(await subject.submit());
    await subject.assign();

    for (const notification of inOrder.toReversed()) {
      accepted(await subject.stub.notify(subject.token, JSON.stringify(notification)));
      await subject.evict();
    }

    expect(await outcome(subject)).toEqual(await outcome(await hear(inOrder)));
  });

  it("are answered with what is expected while they are early", async () => {
    const subject = await newSubject();
    await subject.execute();

    const early = accepted(await subject.notify("task_progress", {}, { sequence: 3 }));
    const again = accepted(await subject.notify("task_progress", {}, { sequence: 3 }));

    expect([early, again].map(({ receipt }) => receipt)).toEqual(
      Array(2).fill({ held: true, expected_sequence: 1 }),
    );
  });

  it("are refused with the gap when a hundred are held, and the hundred still count", async () => {
    const subject = await newSubject();
    await subject.execute();
    for (let sequence = 2; sequence <= 101; sequence += 1) {
      const data = { progress_percentage: sequence / 2 };
      accepted(await subject.notify("task_progress", data, { sequence }));
    }

    const tooMany = await subject.notify("task_progress", {}, { sequence: 102 });
    accepted(await subject.notify("task_progress", { progress_percentage: 0 }, { sequence: 1 }));

    expect(tooMany).toMatchObject({
      ok: false,
      refusal: { code: "sequence_gap", extra: { expected_sequence: 1 } },
    });
    expect((await subject.view()).progress_percentage).toBe(50.5);
  });

  it("are refused with the gap when it has been open for more than 60 s", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 600 });
    accepted(await subject.notify("task_progress", {}, { sequence: 3 }));
    subject.now += 60_000;
    const inTime = await subject.notify("task_progress", {}, { sequence: 4 });
    // Sent again, it does not make the gap any younger.
    accepted(await subject.notify("task_progress", {}, { sequence: 3 }));
    subject.now += 1;

    const late = await subject.notify("task_progress", {}, { sequence: 5 });

    expect([inTime, late].map(codeOf)).toEqual([null, "sequence_gap"]);
  });

  it("that were given up with the gap have to be sent again", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 600 });
    accepted(await subject.notify("task_progress", {}, { sequence: 2 }));
    subject.now += 60_001;
    await subject.notify("task_progress", {}, { sequence: 3 });

    const first = { progress_percentage: 10 };
    accepted(await subject.notify("task_progress", first, { sequence: 1 }));

    expect((await subject.view()).progress_percentage).toBe(10);
  });

  it("of a lost attempt are forgotten", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.notify("task_progress", {}, { sequence: 2 }));
    await subject.pass(60_000);
    await subject.pass(30_000);
    await subject.assign(2);

    accepted(await subject.notify("task_started", {}, { sequence: 1 }));

    expect((await subject.view()).progress_percentage).toBe(0);
  });

  it("that are refused when their turn comes do not stop those before them", async () => {
    const subject = await newSubject();
    await subject.execute();
    const high = { progress_percentage: 90 };
    accepted(await subject.notify("task_progress", { progress_percentage: 20 }, { sequence: 2 }));

    accepted(await subject.notify("task_progress", high, { sequence: 1 }));

    expect((await subject.view()).progress_percentage).toBe(90);
    expect(subject.neighbours.logged).toContain("held_notification_refused");
  });
});
