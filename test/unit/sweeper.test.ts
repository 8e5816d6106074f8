import { describe, expect, it } from "vitest";

import type { ActiveRow } from "../../src/observe/active.ts";
import { isOverdue, sweepTasks } from "../../src/observe/sweeper.ts";
import type { SweepCursor } from "../../src/observe/sweeper.ts";

const NOW = Date.parse("2026-11-22T12:00:00.000Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1_000).toISOString();

function row(task_id: string, changes: Partial<ActiveRow> = {}): ActiveRow {
  return {
    task_id,
    created_at: ago(3_600),
    seq: 3,
    status: "running",
    phase: "executing",
    deadline_at: ago(61),
    updated_at: ago(1),
    inside: "3/running/executing",
    ...changes,
  };
}

/** A sweep over tenants with so many overdue tasks each; tasks are named by tenant and place. */
function world(tenants: Record<string, number>, finalizing: ActiveRow[] = []) {
  const woken: string[] = [];
  let cursor: SweepCursor | null = null;
  let writes = 0;
  const sweep = () =>
    sweepTasks({
      now: () => NOW,
      log: () => undefined,
      note: () => undefined,
      readCursor: async () => cursor,
      writeCursor: async (next) => {
        writes += 1;
        cursor = next;
      },
      tenants: async (from, limit) =>
        Object.keys(tenants)
          .filter((tenant) => tenant >= from)
          .toSorted()
          .slice(0, limit),
      openRows: async (tenant, place, limit) => {
        const start = place === null ? 0 : Number(place.id) + 1;
        const end = Math.min(start + limit, tenants[tenant] ?? 0);
        const rows = Array.from({ length: end - start }, (_, index) => row(`${start + index}`));
        const isMore = end < (tenants[tenant] ?? 0);
        return { rows, next: isMore ? { at: "", id: String(end - 1) } : null };
      },
      finalizing: async () => finalizing,
      nudge: async (tenant, task_id) => {
        if (task_id === "13") throw new Error("object is broken");
        woken.push(`${tenant}/${task_id}`);
      },
    });
  return { sweep, woken, cursor: () => cursor, writes: () => writes };
}

describe("a task is overdue", () => {
  it.each<[string, Partial<ActiveRow>, boolean]>([
    ["a minute after its deadline", {}, true],
    ["not before", { deadline_at: ago(59) }, false],
    ["after 15 minutes of silence", { deadline_at: ago(-99), updated_at: ago(901) }, true],
    ["not before that", { deadline_at: null, updated_at: ago(899) }, false],
    ["never once it has ended", { phase: "ended", updated_at: ago(9_999) }, false],
  ])("%s", (_when, changes, expected) => {
    expect(isOverdue(row("t", changes), NOW)).toBe(expected);
  });
});

describe("the sweeper", () => {
  it("wakes what is overdue in every tenant, also what is being finalised, and writes nothing down", async () => {
    const { sweep, woken, writes } = world({ acme: 2, beta: 1 }, [
      row("f", { phase: "finalizing" }),
    ]);

    await sweep();

    expect(woken).toEqual(["acme/f", "acme/0", "acme/1", "beta/f", "beta/0"]);
    expect(writes()).toBe(0);
  });

  it("does a bounded amount of work a run, and goes on where it stopped until all were swept", async () => {
    const { sweep, woken, cursor } = world({ acme: 450, beta: 10 });
    const runs: number[] = [];

    do {
      const before = woken.length;
      await sweep();
      runs.push(woken.length - before);
    } while (cursor() !== null);

    // One of each tenant's tasks can't be woken, and holds up no other.
    expect(runs).toEqual([199, 200, 50 + 10]);
    expect(new Set(woken).size).toBe(459);
  });

  it("goes on behind the last tenant of a page", async () => {
    const names = Array.from({ length: 150 }, (_, index) => `t${String(index).padStart(3, "0")}`);
    const { sweep, woken, cursor } = world(Object.fromEntries(names.map((name) => [name, 1])));

    const runs: number[] = [];
    do {
      const before = woken.length;
      await sweep();
      runs.push(woken.length - before);
    } while (cursor() !== null);

    expect(runs).toEqual([50, 50, 50, 0]);
  });
});
