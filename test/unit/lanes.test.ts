import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { storedChannelSchema } from "../../src/delivery/channels/channel.ts";
import { registrationOf } from "../../src/delivery/channels/endpoint.ts";
import { releaseAtOf } from "../../src/delivery/endpoint/gate.ts";
import type { LaneItem } from "../../src/delivery/endpoint/lane.ts";
import { AGEING_MS, laneOf, Lanes } from "../../src/delivery/endpoint/lanes.ts";
import { storyIds, storyOf } from "../../src/delivery/endpoint/story.ts";

const PAGER = storedChannelSchema.parse({ name: "pager", kind: "paging" });

let position = 0;

function item(source: string, seq: number, changes: Partial<LaneItem> = {}): LaneItem {
  position += 1;
  const lane = laneOf("task", source, seq);
  return {
    lane,
    source,
    seq,
    priority: 1,
    due: 0,
    position,
    isRetry: false,
    hasLeft: false,
    releaseAt: null,
    bytes: 10,
    ...changes,
  };
}

function lanesWith(items: LaneItem[]): Lanes {
  const lanes = new Lanes();
  for (const added of items) lanes.add(added);
  return lanes;
}

/** Everything that goes out when each succeeds at once. */
function drain(lanes: Lanes, now = 0): string[] {
  const sent: string[] = [];
  for (let next = lanes.take(now); next !== null; next = lanes.take(now)) {
    sent.push(`${next.source}${next.seq}`);
    lanes.free(next.lane);
  }
  return sent;
}

describe("the lane of a delivery", () => {
  it.each([
    ["task", "t", "t"],
    ["endpoint", "", ""],
    ["none", "t/1", "t/2"],
  ] as const)("under ordering %s", (ordering, first, second) => {
    expect([laneOf(ordering, "t", 1), laneOf(ordering, "t", 2)]).toEqual([first, second]);
  });
});

describe("news without a task", () => {
  it.each([
    ["al_1", "al_1"],
    ["al_1_resolved", "al_1"],
    ["al_1_fired", "al_1"],
    ["al_1_acknowledged", "al_1"],
    ["al_1_resolved_34600111222", "al_1_34600111222"],
    ["al_1_resolved_again", "al_1_resolved_again"],
    ["test0", "test0"],
  ])("are in order with those of the same alert: %s", (event_id, lane) => {
    expect(laneOf("task", event_id, 0)).toBe(lane);
    expect(laneOf("task", event_id, 1)).toBe(event_id);
    const others = storyIds(event_id).filter((id) => storyOf(id) !== lane);
    expect([others, storyIds(event_id)]).toEqual([[], expect.arrayContaining([event_id, lane])]);
  });

  it("end at a channel after they began, however long that fails, and keep no other alert back", () => {
    const { ordering, lane_policy = "block" } = registrationOf(PAGER);
    const note = (event_id: string, due: number, isRetry = false) =>
      item(event_id, 0, {
        lane: laneOf(ordering, event_id, 0),
        due,
        isRetry,
        releaseAt: releaseAtOf(lane_policy, isRetry ? 0 : null),
      });
    const day = 86_400_000;
    const lanes = lanesWith([
      note("al_1_fired", day, true),
      note("al_1_resolved", 1_000),
      note("al_2_fired", 2_000),
    ]);

    expect(lanes.areAllRetrying()).toBe(false);
    expect(drain(lanes, day - 1)).toEqual(["al_2_fired0"]);
    expect(drain(lanes, day)).toEqual(["al_1_fired0", "al_1_resolved0"]);
  });
});

describe("lanes", () => {
  it("send one lane in order, one at a time", () => {
    const lanes = lanesWith([item("a", 1), item("a", 2)]);

    const first = lanes.take(0);
    const whileBusy = lanes.take(0);

    expect(first).toMatchObject({ source: "a", seq: 1 });
    expect(whileBusy).toBeNull();
  });

  it("let other lanes go while one is busy or waits", () => {
    const lanes = lanesWith([item("a", 1), item("a", 2), item("b", 1), item("c", 1)]);

    const a = lanes.take(0);
    if (a === null) throw new Error("nothing to take");
    lanes.putBack({ ...a, due: 60_000, isRetry: true });

    expect(drain(lanes)).toEqual(["b1", "c1"]);
    expect(drain(lanes, 59_999)).toEqual([]);
    expect(drain(lanes, 60_000)).toEqual(["a1", "a2"]);
  });

  it("send a critical one before a backlog of a hundred", () => {
    const backlog = Array.from({ length: 100 }, (_, index) =>
      item(`p${index}`, 1, { priority: 0 }),
    );
    const lanes = lanesWith([...backlog, item("critical", 1, { priority: 3 })]);

    const sent = drain(lanes);

    expect(sent[0]).toBe("critical1");
    expect(sent).toHaveLength(101);
  });

  it("lend a lane the highest priority in it, and never change its order", () => {
    const lanes = lanesWith([
      item("other", 1, { priority: 2 }),
      item("a", 1, { priority: 0 }),
      item("a", 2, { priority: 3 }),
      item("a", 3, { priority: 0 }),
    ]);

    // Behind its critical one the lane has nothing but what is older than `other`, half a minute for each class.
    expect(drain(lanes)).toEqual(["a1", "a2", "other1", "a3"]);
  });

  it("send the longest due first among equals, then the oldest", () => {
    const lanes = lanesWith([
      item("new", 1, { due: 9 }),
      item("old", 1, { due: 3 }),
      item("same", 1, { due: 3 }),
    ]);

    expect(drain(lanes, 10)).toEqual(["old1", "same1", "new1"]);
  });

  it("keep the order of seq when a task's earlier one comes later", () => {
    const lanes = lanesWith([item("a", 5), item("a", 3)]);

    expect(drain(lanes)).toEqual(["a3", "a5"]);
  });

  it("do not send before it is due", () => {
    const lanes = lanesWith([item("a", 1, { due: 1_000 })]);

    expect(lanes.take(999)).toBeNull();
    expect(lanes.nextDue()).toMatchObject({ at: 1_000, isRetry: false });
    expect(lanes.take(1_000)).not.toBeNull();
    expect(lanes.nextDue()).toBeNull();
  });

  it("keep the order of a lane whose head was due already when the clock goes back", () => {
    const lanes = lanesWith([item("a", 5, { due: 5_000 }), item("b", 1, { due: 5_000 })]);
    const before = lanes.load(5_000).items;

    for (const seq of [6, 7]) lanes.add(item("a", seq, { due: 300 }));

    expect(before).toBe(2);
    expect(drain(lanes, 300)).toEqual(["a5", "a6", "a7", "b1"]);
    expect(drain(lanes, 5_000)).toEqual([]);
  });

  it("say whether only retries are left, and whether another may go", () => {
    const lanes = lanesWith([item("a", 1), item("a", 2)]);
    expect(lanes.areAllRetrying()).toBe(false);
    const head = lanes.take(0);
    if (head === null) throw new Error("nothing to take");

    lanes.putBack({ ...head, due: 5, isRetry: true });
    expect(lanes.areAllRetrying()).toBe(true);
    lanes.take(5);
    expect(lanes.free(head.lane)).toBe(true);
    expect(lanes.areAllRetrying()).toBe(false);
  });

  it("put everything of an endpoint into one order when it asks for that", () => {
    const items = [item("a", 1), item("b", 1), item("a", 2)];
    const lanes = lanesWith(items.map((added) => ({ ...added, lane: "" })));

    expect(drain(lanes)).toEqual(["a1", "b1", "a2"]);
  });

  it("lose nothing and keep each task's order under random failures", () => {
    const step = fc.record({
      task: fc.integer({ min: 0, max: 4 }),
      priority: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        (steps, luck) => {
          const counts = new Map<number, number>();
          const items = steps.map(({ task, priority }) => {
            const seq = (counts.get(task) ?? 0) + 1;
            counts.set(task, seq);
            return item(`t${task}`, seq, { priority });
          });
          const lanes = lanesWith(items);
          const sent = new Map<string, number[]>();
          let failures = 0;
          for (let now = 0; lanes.nextDue() !== null; now += 1) {
            // Now and then the clock was ahead for a moment.
            lanes.load(luck.next().value === true ? now + 4 : now);
            for (let next = lanes.take(now); next !== null; next = lanes.take(now)) {
              if (failures < 200 && luck.next().value === true) {
                failures += 1;
                lanes.putBack({ ...next, due: now + 3, isRetry: true });
                continue;
              }
              sent.set(next.source, [...(sent.get(next.source) ?? []), next.seq]);
              lanes.free(next.lane);
            }
          }

          for (const [task, count] of counts) {
            expect(sent.get(`t${task}`)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
          }
        },
      ),
    );
  });

  it("raise what waits by one class each half minute", () => {
    const lanes = lanesWith([
      item("low", 1, { priority: 0, due: 0 }),
      item("normal", 1, { priority: 1, due: AGEING_MS - 1 }),
      item("later", 1, { priority: 1, due: AGEING_MS + 1 }),
    ]);

    expect(drain(lanes, AGEING_MS + 1)).toEqual(["normal1", "low1", "later1"]);
  });

  it("let a critical one overtake a backlog however long that has waited", () => {
    const backlog = Array.from({ length: 20 }, (_, index) => item(`p${index}`, 1, { due: 0 }));
    const lanes = lanesWith([...backlog, item("critical", 1, { priority: 3, due: 86_400_000 })]);

    expect(drain(lanes, 86_400_000)[0]).toBe("critical1");
  });

  it("give every eighth turn to the others, so that a flood of critical ones starves nobody", () => {
    const flood = Array.from({ length: 100 }, (_, index) => item(`c${index}`, 1, { priority: 3 }));
    const lanes = lanesWith([...flood, item("low", 1, { priority: 0 })]);

    expect(drain(lanes).indexOf("low1")).toBe(7);
  });

  it("count what may go now, by number and bytes", () => {
    const lanes = lanesWith([item("a", 1), item("a", 2), item("b", 1, { due: 50 })]);

    const before = lanes.load(0);
    lanes.take(0);
    const whileBusy = lanes.load(0);

    expect(before).toEqual({ items: 2, bytes: 20 });
    expect(whileBusy).toEqual({ items: 0, bytes: 0 });
    expect(lanes.load(50)).toEqual({ items: 1, bytes: 10 });
  });

  it("keep thousands in one lane in order", () => {
    const lanes = lanesWith(Array.from({ length: 5_000 }, (_, index) => item("a", index + 1)));

    expect(drain(lanes)).toEqual(Array.from({ length: 5_000 }, (_, index) => `a${index + 1}`));
  });

  it("pick from a hundred thousand lanes as from a few", () => {
    const lanes = new Lanes();
    for (let task = 0; task < 100_000; task += 1) lanes.add(item(`t${task}`, 1));

    expect(drain(lanes)).toHaveLength(100_000);
  });
});
