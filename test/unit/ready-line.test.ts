import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { misfit } from "../../src/dispatch/choice/fit.ts";
import { inOrder } from "../../src/dispatch/pool/pool.ts";
import type { Entry, PoolItem } from "../../src/dispatch/pool/pool.ts";
import { ReadyLine } from "../../src/dispatch/pool/ready-line.ts";
import { prioritySchema } from "../../src/protocol/enums.ts";
import { agentOf, entryOf, itemOf, NOW } from "./pool-fixture.ts";

const agents = [
  agentOf("ann", { task_types: ["general", "testing"] }),
  agentOf("bob", { task_types: ["general"], capabilities: ["gpu"] }),
  agentOf("cas", { task_types: ["research"] }),
];

const entries = fc.uniqueArray(
  fc
    .record({
      task_id: fc.stringMatching(/^[a-z]{1,4}$/),
      priority: fc.constantFrom(...prioritySchema.options),
      task_type: fc.constantFrom("general" as const, "testing" as const),
      requires: fc.constantFrom<PoolItem["requires"]>(
        null,
        { capabilities: ["gpu"] },
        { agent_id: "ann" },
      ),
      ready_at: fc.integer({ min: NOW, max: NOW + 1_000_000 }),
    })
    .map((item) => entryOf(itemOf(item.task_id, item))),
  { selector: ({ item }) => item.task_id, maxLength: 40 },
);

const sorted = (list: readonly Entry[]) =>
  list.toSorted((one, other) => inOrder(one.item, other.item));

describe("the line of ready tasks", () => {
  it("shows each executor what it fits, in order, after any additions and removals", () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 40 }), (all, gone) => {
        const line = new ReadyLine();
        for (const entry of all) line.add(entry);
        for (const entry of all.slice(0, gone)) line.remove(entry);
        const left = sorted(all.slice(gone));

        for (const agent of agents) {
          const own = left.filter(({ item }) => misfit(agent, item) === null);
          expect([...line.fitting(agent)]).toEqual(own);
        }
        expect(left.map(({ item }) => line.position(item))).toEqual(left.map((_, i) => i + 1));
        expect(line.size).toBe(left.length);
        const times = left.map(({ item }) => item.ready_at);
        expect(line.oldestReadyAt).toBe(times.length === 0 ? null : Math.min(...times));
      }),
    );
  });

  it("counts by priority, and knows no place of what is not in it", () => {
    const line = new ReadyLine();
    const low = itemOf("a", { priority: "low" });
    line.add(entryOf(low));
    line.add(entryOf(itemOf("b")));

    expect(line.counts).toEqual({ critical: 0, high: 0, normal: 1, low: 1 });
    expect([line.position(low), line.position(itemOf("c"))]).toEqual([2, null]);
  });

  it("judges anew an executor that has registered with other skills", () => {
    const line = new ReadyLine();
    line.add(entryOf(itemOf("a", { requires: { capabilities: ["gpu"] } })));

    const before = [...line.fitting(agentOf("ann"))];
    const after = [...line.fitting(agentOf("ann", { capabilities: ["gpu"] }))];

    expect([before.length, after.length]).toEqual([0, 1]);
  });
});
