import { describe, expect, it } from "vitest";

import { AMOUNTS, DURATION_BOUNDS_S, DURATIONS } from "../../src/db/rollup-table.ts";
import { countedScore, factsOf, minuteOf } from "../../src/history/rollup.ts";
import { LAST, LIVES, newsOfLife } from "../rollup-news.ts";
import { at, T0, viewOf } from "../task-news.ts";

const endedNews = (changes: object) => ({
  tenant: "acme",
  view: viewOf({ status: "completed", phase: "ended", ended_at: at(1), ...changes }),
  events: [],
  escalation: null,
  isRebuild: false,
});

const amountsOf = (changes: object) =>
  factsOf([endedNews(changes)]).find(({ kind }) => kind === "ended")?.amounts ?? {};

describe("what news add to the roll-up", () => {
  it("is that a task was created, until it has ended, and each question once", () => {
    const news = LIVES.flatMap((life) =>
      [1, 5, LAST, 5].map((to) => newsOfLife("acme", life, { from: 1, to })),
    );

    const facts = factsOf(news).map(({ kind, task_id, task_type, agent_id }) => [
      kind,
      task_id,
      task_type,
      agent_id,
    ]);

    expect(facts).toEqual([
      ["created", "success", "data_analysis", ""],
      ["ended", "success", "data_analysis", "exec-1"],
      // It came as one type and was done as another.
      ["created", "failure", "research", ""],
      ["ended", "failure", "testing", "exec-2"],
      ["created", "open", "data_analysis", ""],
      ["asked", "open", "data_analysis", ""],
      ["asked", "success", "data_analysis", ""],
      ["asked", "success", "data_analysis", ""],
    ]);
    expect(factsOf([])).toEqual([]);
  });

  it("keeps tenants apart that use the same ids", () => {
    const [life] = LIVES;
    if (life === undefined) throw new Error("no life");
    const both = ["one", "other"].map((tenant) => newsOfLife(tenant, life, { from: 1, to: LAST }));

    expect(factsOf(both)).toHaveLength(8);
  });

  it.each([
    [0, "duration_0"],
    [1_000, "duration_0"],
    [1_001, "duration_1"],
    [86_400_000, "duration_12"],
    [86_400_001, "duration_13"],
  ])("counts a task of %i ms in %s: a bound belongs to its bucket", (ms, column) => {
    const ended_at = new Date(T0 + ms).toISOString();

    const amounts: Record<string, number> = amountsOf({ ended_at });

    expect(DURATIONS.filter((name) => amounts[name] === 1)).toEqual([column]);
    expect(amounts["duration_ms"] ?? 0).toBe(ms);
  });

  it("has a column for each bound and one beyond, and no name twice", () => {
    expect(DURATIONS).toHaveLength(DURATION_BOUNDS_S.length + 1);
    expect(new Set(AMOUNTS).size).toBe(AMOUNTS.length);
  });

  it("is whole numbers that are not negative, whatever a clock or an executor says", () => {
    const usage = { cost_usd: 1e300, tokens: 1e300, duration_s: 0 };

    expect(amountsOf({ ended_at: at(-5), usage, attempt: 0 })).toEqual({
      completed: 1,
      duration_0: 1,
      cost_nano_usd: Number.MAX_SAFE_INTEGER,
      tokens: Number.MAX_SAFE_INTEGER,
    });
  });

  it("counts scores in millionths and instants by their minute", () => {
    expect([countedScore(0.123_456_7), countedScore(1), countedScore(-1)]).toEqual([
      123_457, 1_000_000, 0,
    ]);
    expect([minuteOf("2026-11-22T00:00:59.999Z"), minuteOf("2026-11-22T01:00:00+01:00")]).toEqual([
      T0 / 1_000,
      T0 / 1_000,
    ]);
  });

  it("takes the type of the view where a message from before has no tally", () => {
    const [created] = factsOf([endedNews({ task_type: "testing" })]);

    expect(created).toMatchObject({ kind: "created", task_type: "testing" });
  });
});
