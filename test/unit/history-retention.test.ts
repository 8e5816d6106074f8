import { describe, expect, it } from "vitest";

import type { OldTask, Removal } from "../../src/history/removed.ts";
import { removeOldTasks } from "../../src/history/retention.ts";
import type { RetentionPorts } from "../../src/history/retention.ts";
import { T0, at, viewOf } from "../task-news.ts";

const DAY_MS = 86_400_000;

type Cursor = Awaited<ReturnType<RetentionPorts["readCursor"]>>;

function old(task_id: string, changes: Partial<OldTask> = {}): OldTask {
  return { task_id, created_at: at(0), phase: "ended", ended_at: at(1), bytes: 1_000, ...changes };
}

/** Tenants with tasks in the order of their places, and what became of them. */
function world(tasks: Record<string, OldTask[]>, more: Partial<RetentionPorts> = {}) {
  const removed: Record<string, string[]> = {};
  const files: string[][] = [];
  const logged: string[] = [];
  const told: Removal[] = [];
  const state: { cursor: Cursor; pages: number } = { cursor: null, pages: 0 };
  const ports: RetentionPorts = {
    now: () => T0 + 40 * DAY_MS,
    log: (_level, event) => logged.push(event),
    retentionMs: 30 * DAY_MS,
    readCursor: async () => state.cursor,
    writeCursor: async (cursor) => {
      state.cursor = cursor;
    },
    tenants: async (from, limit) =>
      Object.keys(tasks)
        .filter((tenant) => tenant >= from)
        .slice(0, limit),
    oldTasks: async (tenant, { place, limit }) => {
      state.pages += 1;
      const rest = (tasks[tenant] ?? []).filter(({ task_id }) => task_id > (place?.id ?? ""));
      const page = rest.slice(0, limit);
      const last = page.at(-1);
      const isMore = page.length === limit && last !== undefined;
      return { tasks: page, next: isMore ? { at: last.created_at, id: last.task_id } : null };
    },
    view: async (_tenant, task_id) => viewOf({ task_id, phase: "ended", ended_at: at(1) }),
    async *events() {
      yield [];
    },
    archive: async (_tenant, { task_ids }) => {
      files.push(task_ids);
      return `file-${files.length}`;
    },
    remove: async (tenant, removals) => {
      told.push(...removals);
      (removed[tenant] ??= []).push(...removals.map(({ task_id }) => task_id));
    },
    ...more,
  };
  return { sweep: () => removeOldTasks(ports), removed, files, logged, told, state };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => old(`t-${String(index).padStart(5, "0")}`));

describe("removing old tasks", () => {
  it("takes those whose end is older than the retention, and no others", async () => {
    const own = world({
      acme: [
        old("a"),
        old("b", { ended_at: at(11 * 86_400) }),
        old("c", { phase: "executing", ended_at: null }),
        old("d"),
      ],
    });

    await own.sweep();

    expect(own.removed).toEqual({ acme: ["a", "d"] });
    expect(own.told[1]?.place).toMatchObject({ key: "file-1", offset: expect.any(Number) });
  });

  it("fills files up to 8 MB, and gives a larger task one of its own", async () => {
    const sizes = [3, 3, 3, 20, 1];
    const own = world({
      acme: sizes.map((mb, index) => old(`t${index}`, { bytes: mb * 1_000_000 })),
    });

    await own.sweep();

    expect(own.files).toEqual([["t0", "t1"], ["t2"], ["t3"], ["t4"]]);
  });

  it("leaves a task that no file can hold where it is, and says so; without an archive it goes", async () => {
    const huge = { acme: [old("huge", { bytes: 25_000_000 }), old("small")] };
    const [kept, gone] = [world(huge), world(huge, { archive: null })];

    await kept.sweep();
    await gone.sweep();

    expect([kept.removed, gone.removed]).toEqual([
      { acme: ["small"] },
      { acme: ["huge", "small"] },
    ]);
    expect(kept.logged).toContain("tasks_too_large_to_archive");
    expect(gone.told.map(({ place }) => place)).toEqual([null, null]);
  });

  it("does 2,000 in a run, and goes on where it stopped until all tenants are done", async () => {
    const own = world({ acme: many(2_500), zeta: many(10) });

    await own.sweep();
    expect([own.removed["acme"]?.length, own.state.pages]).toEqual([2_000, 20]);
    expect(own.state.cursor?.tenant).toBe("acme");

    await own.sweep();
    expect([own.removed["acme"]?.length, own.removed["zeta"]?.length]).toEqual([2_500, 10]);
    expect(own.state.cursor).toBeNull();
  });

  it("is not kept from the others by a group that fails", async () => {
    const own = world(
      { acme: many(1), zeta: many(1) },
      {
        view: async (tenant, task_id) => {
          if (tenant === "acme") throw new Error("a row that nobody can read");
          return viewOf({ task_id, phase: "ended", ended_at: at(1) });
        },
      },
    );

    await own.sweep();

    expect(Object.keys(own.removed)).toEqual(["zeta"]);
    expect(own.logged).toEqual(["tasks_not_removed", "tasks_removed"]);
  });

  it("looks at 50 tenants at a time, and begins anew behind the last", async () => {
    const names = Array.from(
      { length: 51 },
      (_, index) => `tenant-${String(index).padStart(2, "0")}`,
    );
    const own = world(Object.fromEntries(names.map((name) => [name, []])));

    await own.sweep();
    await own.sweep();
    await own.sweep();

    expect(own.removed).toEqual({});
    expect(own.state.cursor).toBeNull();
  });
});
