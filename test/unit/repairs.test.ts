import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import { runsAfter, shownRuns } from "../../src/observe/repairs/runs.ts";
import { RepairTally } from "../../src/observe/repairs/tally.ts";
import { repairsSchema, type SweepRun } from "../../src/protocol/repairs.ts";
import { at, T0 } from "../task-news.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const HOUR = 3_600;

const run = (second: number, changes: Partial<SweepRun> = {}): SweepRun => ({
  at: at(second),
  duration_ms: 5,
  cause: "sweep",
  broken: [],
  tenants: {},
  ...changes,
});

const woke = (id: string) => ({ acme: [{ what: "task_woken" as const, count: 1, ids: [id] }] });

describe("what one run did", () => {
  it("is counted by tenant and kind, with the first ten ids", () => {
    const tally = new RepairTally();
    for (let index = 0; index < 12; index += 1) tally.note("task_woken", "acme", `t${index}`);
    tally.note("task_not_woken", "acme", "t12");
    tally.note("debt_settled", "other", "d1");

    expect(tally.tenants).toMatchObject({
      acme: [
        {
          what: "task_woken",
          count: 12,
          ids: Array.from({ length: 10 }, (_, index) => `t${index}`),
        },
        { what: "task_not_woken", count: 1, ids: ["t12"] },
      ],
      other: [{ what: "debt_settled", count: 1, ids: ["d1"] }],
    });
  });

  it("is told of 50 tenants at most", () => {
    const tally = new RepairTally();
    for (let index = 0; index < 60; index += 1) tally.note("task_woken", `tenant-${index}`, "t");

    expect(Object.keys(tally.tenants)).toHaveLength(50);
  });
});

describe("runs that are remembered", () => {
  it("are those that did something, the newest first, 20 of them", () => {
    let known: SweepRun[] = [];
    for (let index = 0; index < 25; index += 1) {
      known = runsAfter(known, run(index, { tenants: woke(`t${index}`) })) ?? known;
    }

    expect(known.map((one) => one.at)).toEqual(
      Array.from({ length: 20 }, (_, index) => at(24 - index)),
    );
  });

  it("write an idle one once an hour, in the place of the idle one before", () => {
    const first = runsAfter([run(0, { tenants: woke("t1") })], run(60));
    const second = runsAfter([run(0, { tenants: woke("t1") })], run(HOUR + 1)) ?? [];
    const third = runsAfter(second, run(2 * HOUR + 2)) ?? [];

    expect(first).toBeNull();
    expect(third.map((one) => one.at)).toEqual([at(2 * HOUR + 2), at(0)]);
  });

  it("count one in which a sweep broke as one that did something", () => {
    expect(runsAfter([run(0)], run(1, { broken: ["tasks"] }))).toHaveLength(2);
  });

  it("show each tenant its own part, and whether the sweeper is at work", () => {
    const runs = [
      run(20, { broken: ["debts"] }),
      run(10, { tenants: woke("t1") }),
      run(5, { tenants: { other: [{ what: "task_woken", count: 1, ids: ["x"] }] } }),
    ];
    const seen = shownRuns(runs, "acme", T0 + 30_000);

    expect(seen).toMatchObject({
      swept_at: at(20),
      is_sweeper_late: false,
      runs: [
        { at: at(20), broken: ["debts"], repairs: [] },
        { at: at(10), repairs: [{ what: "task_woken", ids: ["t1"] }] },
      ],
    });
    expect(JSON.stringify(seen)).not.toContain("other");
    expect(shownRuns(runs, "acme", T0 + 3 * HOUR * 1_000).is_sweeper_late).toBe(true);
    expect(shownRuns([], "acme", T0)).toMatchObject({ swept_at: null, is_sweeper_late: true });
  });

  it("are answered at /v1/state/repairs", async () => {
    const agents = { groups: [], is_complete: true, slots_free: 0 };
    const repairs = { ...shownRuns([run(10, { tenants: woke("t1") })], "acme", T0), agents };
    const { app } = createFakeApp({ observe: { repairs: async () => ok(repairs) } });

    const response = await send(app, "/v1/state/repairs", { key: "observe" });

    expect(repairsSchema.parse(await response.json())).toEqual(repairs);
  });
});
