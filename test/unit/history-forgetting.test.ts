import { describe, expect, it, vi } from "vitest";

import { forgetRemoved } from "../../src/history/forgetting.ts";
import type { ForgettingPorts, Round } from "../../src/history/forgetting.ts";
import { instant } from "../../src/lib/ports.ts";
import { T0 } from "../task-news.ts";

const DAY_MS = 86_400_000;
const SWEEP_MS = 300_000;
const FRONT = { tenant: "", task_id: "" };

/** Databases with so many removed tasks, in pages as they are asked for, and how far each has come. */
function world(given: Record<string, number>, more: Partial<ForgettingPorts> = {}) {
  const rounds = new Map<string, Round>();
  const seen: Record<string, number> = {};
  const asked: { database: string; before: string; behind: string }[] = [];
  const logged: string[] = [];
  const state = { now: T0, written: 0 };
  const ports: ForgettingPorts = {
    now: () => state.now,
    log: (_level, event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    retentionMs: 30 * DAY_MS,
    databases: Object.keys(given),
    readRound: async (database) => rounds.get(database) ?? null,
    writeRound: async (database, round) => {
      state.written += 1;
      rounds.set(database, round);
    },
    forget: async (database, { behind, before, limit }) => {
      asked.push({ database, before, behind: behind.task_id });
      const from = behind.task_id === "" ? 0 : Number(behind.task_id);
      const to = Math.min(from + limit, given[database] ?? 0);
      seen[database] = (seen[database] ?? 0) + to - from;
      // A full page does not tell whether it was the last one.
      return to - from < limit
        ? { count: 1, next: null }
        : { count: 1, next: { tenant: "acme", task_id: String(to) } };
    },
    ...more,
  };
  return {
    sweep: () => forgetRemoved(ports),
    forget: ports.forget,
    rounds,
    seen,
    asked,
    logged,
    state,
  };
}

describe("forgetting removed tasks", () => {
  it("asks for those that were removed longer ago than they are remembered, and says how many went", async () => {
    const own = world({ DB: 5 });

    await own.sweep();

    expect(own.asked).toEqual([{ database: "DB", before: instant(T0 - 30 * DAY_MS), behind: "" }]);
    expect(own.logged).toEqual(['removed_forgotten {"count":1}']);
  });

  it("goes round once a day, and asks nothing in between", async () => {
    const own = world({ DB: 5 });
    const passed: number[] = [];

    for (let sweep = 0; sweep <= 576; sweep += 1) {
      const before = own.asked.length;
      await own.sweep();
      if (own.asked.length > before) passed.push((own.state.now - T0) / DAY_MS);
      own.state.now += SWEEP_MS;
    }

    expect(passed).toEqual([0, 1, 2]);
    expect(own.state.written).toBe(3);
    expect(own.rounds.get("DB")).toEqual({ ...FRONT, began_at: instant(T0 + 2 * DAY_MS) });
  });

  it("looks at 400,000 rows in a run, and the next one goes on behind them", async () => {
    const own = world({ DB: 1_000_001 });

    await own.sweep();
    expect(own.seen).toEqual({ DB: 400_000 });
    expect(own.rounds.get("DB")).toEqual({
      tenant: "acme",
      task_id: "400000",
      began_at: instant(T0),
    });
    own.state.now += SWEEP_MS;
    await own.sweep();
    await own.sweep();

    expect(own.seen).toEqual({ DB: 1_000_001 });
    expect(own.rounds.get("DB")).toEqual({ ...FRONT, began_at: instant(T0) });
  });

  it("is through with a database that is full of nothing else within a day", async () => {
    const rows = Math.ceil(10e9 / 330);
    const own = world({ DB: rows });

    for (let sweep = 0; sweep < 288; sweep += 1) {
      await own.sweep();
      own.state.now += SWEEP_MS;
    }

    expect(own.seen["DB"]).toBe(rows);
  });

  it("begins the next round at once where one took longer than a day", async () => {
    const own = world({ DB: 800_000 });
    await own.sweep();
    own.state.now += 2 * DAY_MS;
    await own.sweep();
    await own.sweep();
    own.state.now += 1;

    await own.sweep();

    expect(own.rounds.get("DB")?.began_at).toBe(instant(T0 + 2 * DAY_MS + 1));
  });

  it("lets databases take turns, and gives what one does not need to the others", async () => {
    const own = world({ DB: 2_000_000, DB_1: 15_000, DB_2: 2_000_000 });

    await own.sweep();

    expect(own.seen).toEqual({ DB: 190_000, DB_1: 15_000, DB_2: 190_000 });
  });

  it("writes every four pages how far it has come, so that a run that is cut off repeats no more", async () => {
    const rows = { DB: 100_000 };
    const pages = { left: 10 };
    const plain = world(rows);
    const own = world(rows, {
      forget: async (database, page) => {
        if ((pages.left -= 1) < 0) return new Promise(() => {});
        return plain.forget(database, page);
      },
    });

    void own.sweep();
    await vi.waitFor(() => expect(pages.left).toBeLessThan(0));

    expect(own.rounds.get("DB")).toMatchObject({ tenant: "acme", task_id: "80000" });
  });

  it("loses nothing of one database where that of another cannot be read or written", async () => {
    const rounds = new Map<string, Round>();
    const own = world(
      { DB: 5, DB_1: 5, DB_2: 5 },
      {
        readRound: async (database) => {
          if (database === "DB") throw new Error("no more statements");
          return null;
        },
        writeRound: async (database, round) => {
          if (database === "DB_1") throw new Error("no more statements");
          rounds.set(database, round);
        },
      },
    );

    await own.sweep();

    expect(own.seen).toEqual({ DB_1: 5, DB_2: 5 });
    expect([...rounds.keys()]).toEqual(["DB_2"]);
    expect(own.logged).toContain('removed_forgotten {"count":2}');
    expect(own.logged.filter((line) => line.startsWith("removed_not_forgotten"))[0]).toContain(
      '"binding":"DB"',
    );
  });

  it("keeps no database waiting for one that fails, which goes on where it stopped", async () => {
    const own = world(
      { DB: 0, DB_1: 0 },
      {
        forget: async (database, { behind }) => {
          if (behind.task_id === "") return { count: 0, next: { tenant: "acme", task_id: "t" } };
          if (database === "DB_1") throw new Error("D1 is away");
          return { count: 0, next: null };
        },
      },
    );

    await own.sweep();

    expect(own.rounds.get("DB")).toMatchObject(FRONT);
    expect(own.rounds.get("DB_1")).toMatchObject({ tenant: "acme", task_id: "t" });
    expect(own.logged).toEqual([
      'removed_not_forgotten {"binding":"DB_1","error":"Error: D1 is away"}',
    ]);
  });
});
