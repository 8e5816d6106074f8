import { describe, expect, it } from "vitest";

import { debtsOf } from "../../src/history/debts.ts";
import { at, eventOf, REPORT_DATA, viewOf } from "../task-news.ts";

const SLOT = {
  debt_id: "debt_7_t",
  kind: "slot",
  stage: "slot",
  what: "the slot of attempt 1",
  owner: "pool default",
  expires_at: "2026-11-22T02:00:00+01:00",
};

const news = (
  cleanup_debt: unknown,
  type: "agent_end_task" | "task_progress" = "agent_end_task",
) => ({
  tenant: "acme",
  view: viewOf({ task_id: "t", seq: 9 }),
  events: [eventOf(8), eventOf(9, { type, data: { ...REPORT_DATA, cleanup_debt } })],
  escalation: null,
  isRebuild: false,
});

describe("the debts of a task", () => {
  it("are those of its report, from the instant of its end on", () => {
    expect(debtsOf([news([SLOT])])).toEqual([
      {
        tenant: "acme",
        debt_id: "debt_7_t",
        task_id: "t",
        kind: "slot",
        stage: "slot",
        what: "the slot of attempt 1",
        owner: "pool default",
        created_at: at(9),
        expires_at: "2026-11-22T01:00:00.000Z",
      },
    ]);
  });

  it("have the same names each time, also where the report gives them none", () => {
    const { what, owner } = SLOT;
    const nameless = { what, owner, expires_at: null };

    const found = debtsOf([news([SLOT, nameless])]);

    expect(found[1]).toMatchObject({ debt_id: "debt_2_t", kind: "stage", stage: null });
    expect(found[1]?.expires_at).toBeNull();
  });

  it("are shown at a length that a list can bear", () => {
    const [debt] = debtsOf([news([{ ...SLOT, what: "😀".repeat(2_000) }])]);

    expect(debt?.what).toHaveLength(1_000);
    expect(debt?.what.isWellFormed()).toBe(true);
  });

  it("are none where all was cleaned up, and none in other events", () => {
    expect(debtsOf([news([])])).toEqual([]);
    expect(debtsOf([news([SLOT], "task_progress")])).toEqual([]);
  });
});
