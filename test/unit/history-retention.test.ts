import { describe, expect, it } from "vitest";

import type { OldTask, Removal } from "../../src/history/removed.ts";
import { removeOldTasks } from "../../src/history/retention.ts";
import type { RetentionPorts } from "../../src/history/retention.ts";
import type { Place } from "../../src/protocol/keyset.ts";
import { T0, at, eventOf, viewOf } from "../task-news.ts";

const DAY_MS = 86_400_000;

function old(task_id: string, changes: Partial<OldTask> = {}): OldTask {
  return { task_id, created_at: at(0), phase: "ended", ended_at: at(1), bytes: 1_000, ...changes };
}

const wholeOf = (task_id: string) => ({
  view: viewOf({ task_id, phase: "ended", ended_at: at(1) }),
  events: [eventOf(1)],
});

/** Tenants with tasks in the order of their places, and what became of them. */
function world(given: Record<string, OldTask[]>, more: Partial<RetentionPorts> = {}) {
  const tasks = { ...given };
  const removed: Record<string, string[]> = {};
  const files: string[][] = [];
  const logged: string[] = [];
  const told: Removal[] = [];
  const state = { start: null as string | null, pages: 0, reads: [] as number[] };
  const places = new Map<string, Place | null>();
  const ports: RetentionPorts = {
    now: () => T0 + 40 * DAY_MS,
    log: (_level, event, fields) => logged.push(`${event} ${String(fields?.["task_id"] ?? "")}`),
    retentionMs: 30 * DAY_MS,
    readStart: async () => state.start,
    writeStart: async (tenant) => {
      state.start = tenant;
    },
    readPlace: async (tenant) => places.get(tenant) ?? null,
    writePlace: async (tenant, place) => {
      places.set(tenant, place);
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
    tasks: async (_tenant, task_ids) => {
      state.reads.push(task_ids.length);
      return task_ids.map((task_id) => ({ task_id, whole: () => wholeOf(task_id) }));
    },
    view: async (_tenant, task_id) => wholeOf(task_id).view,
    async *events(_tenant, task_id) {
      yield wholeOf(task_id).events;
    },
    archive: async (_tenant, { bytes }) => {
      const text = new TextDecoder().decode(bytes);
      files.push([...text.matchAll(/^\{"task_id":"([^"]+)"/gm)].map(([, id]) => id ?? ""));
      return `file-${files.length}`;
    },
    remove: async (tenant, removals) => {
      told.push(...removals);
      const ids = removals.map(({ task_id }) => task_id);
      (removed[tenant] ??= []).push(...ids);
      tasks[tenant] = (tasks[tenant] ?? []).filter(({ task_id }) => !ids.includes(task_id));
    },
    ...more,
  };
  return { sweep: () => removeOldTasks(ports), removed, files, logged, told, state, places };
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
    expect(kept.logged).toContain("tasks_too_large_to_archive ");
    expect(gone.told.map(({ place }) => place)).toEqual([null, null]);
  });

  it("does 5,000 in a run in which tenants take turns, and goes on until all are done", async () => {
    const own = world({ acme: many(6_000), zeta: many(10) });

    await own.sweep();
    expect([own.removed["acme"]?.length, own.removed["zeta"]?.length]).toEqual([4_750, 10]);
    expect(own.state.pages).toBe(20);
    expect([own.state.start, own.places.get("acme")?.id]).toEqual([null, "t-04749"]);

    await own.sweep();
    expect(own.removed["acme"]?.length).toBe(6_000);
    expect([own.state.start, own.places.get("acme")]).toEqual([null, null]);
  });

  it("keeps up with a million tasks a day of one tenant, by a run in five minutes", async () => {
    const arriving = Math.ceil(1_000_000 / (86_400 / 300));
    const own = world({ acme: many(3 * arriving) });

    await own.sweep();
    await own.sweep();
    await own.sweep();

    expect(own.removed["acme"]).toHaveLength(3 * arriving);
  });

  it("lets a tenant with ever more to remove keep no other from its turn", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `tenant-${index}`);
    const tasks = Object.fromEntries(names.map((name) => [name, many(12_500)]));
    const own = world({ ...tasks, zeta: many(10) });

    await own.sweep();
    expect(own.state.start).toBe("tenant-4");
    await own.sweep();

    expect(own.removed["zeta"]).toHaveLength(10);
    expect(names.map((name) => (own.removed[name]?.length ?? 0) >= 1_250)).toEqual(
      Array(7).fill(true),
    );
  });

  it("reads many tasks at once, and a task larger than 4 MB by itself", async () => {
    const own = world({ acme: [...many(99), old("x", { bytes: 5_000_000 })] });

    await own.sweep();

    expect(own.state.reads).toEqual([99]);
    expect(own.removed["acme"]).toHaveLength(100);
    expect(own.files).toHaveLength(1);
  });

  it("ends a run after 25 groups, and the next goes on behind the last of them", async () => {
    const own = world({ acme: many(60).map((task) => ({ ...task, bytes: 7_000_000 })) });

    await own.sweep();
    expect([own.files.length, own.places.get("acme")?.id]).toEqual([25, "t-00024"]);
    await own.sweep();
    await own.sweep();

    expect(own.removed["acme"]).toHaveLength(60);
    expect(own.places.get("acme")).toBeNull();
  });

  it("keeps a task that cannot be read, by name in the log, and none of its neighbours", async () => {
    const own = world(
      { acme: many(100) },
      {
        tasks: async (_tenant, task_ids) =>
          task_ids.map((task_id) => ({
            task_id,
            whole: () => {
              if (task_id === "t-00050") throw new Error("a row that nobody can read");
              return wholeOf(task_id);
            },
          })),
      },
    );

    await own.sweep();

    expect(own.removed["acme"]).toHaveLength(99);
    expect(own.removed["acme"]).not.toContain("t-00050");
    expect(own.logged).toEqual(["task_not_removed t-00050", "tasks_removed "]);
  });

  it.each([
    ["its first event", [2, 3]],
    ["one in between", [1, 3]],
    ["its last event", [1, 2]],
    ["all", []],
  ])("keeps a task of which history lacks %s, and says so", async (_what, seqs) => {
    const events = seqs.map((seq) => eventOf(seq));
    const own = world(
      { acme: [old("a"), old("huge", { bytes: 9_000_000 })] },
      {
        tasks: async () => [
          { task_id: "a", whole: () => ({ view: { ...wholeOf("a").view, seq: 3 }, events }) },
        ],
        view: async () => ({ ...wholeOf("huge").view, seq: 3 }),
        async *events() {
          yield events;
        },
      },
    );

    await own.sweep();

    expect([own.removed, own.files]).toEqual([{}, []]);
    expect(own.logged).toEqual(["tasks_kept_incomplete "]);
  });

  it("is not kept from the others by a group that fails", async () => {
    const own = world(
      { acme: many(1), zeta: many(1) },
      {
        tasks: async (tenant, task_ids) => {
          if (tenant === "acme") throw new Error("D1 is away");
          return task_ids.map((task_id) => ({ task_id, whole: () => wholeOf(task_id) }));
        },
      },
    );

    await own.sweep();

    expect(Object.keys(own.removed)).toEqual(["zeta"]);
    expect(own.logged).toEqual(["tasks_not_removed t-00000", "tasks_removed "]);
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
    expect(own.state.start).toBeNull();
  });
});
