import { afterEach, describe, expect, it, vi } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { debtDelayMs, isTried, outcomeOf, repairDebts } from "../../src/observe/debt-repair.ts";
import type { DebtOutcome, DebtRepairPorts, DueDebt } from "../../src/observe/debt-repair.ts";

const NOW = Date.parse("2026-11-22T12:00:00.000Z");
const MINUTE = 60_000;
const inMinutes = (minutes: number) => new Date(NOW + minutes * MINUTE).toISOString();

function debtOf(changes: Partial<DueDebt> = {}): DueDebt {
  return {
    tenant: "acme",
    debt_id: "debt_1_t",
    task_id: "t",
    kind: "slot",
    owner: "pool default",
    expires_at: inMinutes(600),
    tries: 1,
    ...changes,
  };
}

describe("a debt that a try did not settle", () => {
  it("waits a minute, then twice as long each time, an hour at most", () => {
    const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((tries) => debtDelayMs(tries) / MINUTE);

    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  const open = { state: "open", detail: "still broken" } as const;
  const settled = { state: "settled", detail: "done" } as const;
  it.each<[string, Partial<DueDebt>, Parameters<typeof outcomeOf>[1], Partial<DebtOutcome>]>([
    ["is due again later", { tries: 2 }, open, { state: "open", due_at: inMinutes(4) }],
    ["waits for its owner", { kind: "action" }, open, { state: "open", due_at: inMinutes(600) }],
    ["is due when it expires", { expires_at: inMinutes(1) }, open, { due_at: inMinutes(1) }],
    ["expires at its time", { expires_at: inMinutes(0) }, open, { state: "expired" }],
    ["never expires without a time", { expires_at: null, tries: 99 }, open, { state: "open" }],
    ["is settled, however late", { expires_at: inMinutes(-9) }, settled, { state: "settled" }],
    ["says nothing new without a try", {}, null, { state: "expired", detail: null }],
  ])("%s", (_title, changes, answer, expected) => {
    expect(outcomeOf(debtOf(changes), answer, NOW)).toMatchObject(expected);
  });

  it.each([
    ["while its time is not over", { tries: 9 }, true],
    [
      "once, where its time was over before the first try",
      { tries: 0, expires_at: inMinutes(-1) },
      true,
    ],
    ["no more when its time is over", { tries: 1, expires_at: inMinutes(0) }, false],
    ["again and again where it has no time", { tries: 9, expires_at: null }, true],
  ])("is tried %s", (_title, changes, expected) => {
    expect(isTried(debtOf(changes), NOW)).toBe(expected);
  });
});

/** A run over these debts; `repair` says what their tasks answer. */
async function run(debts: DueDebt[], changes: Partial<DebtRepairPorts> = {}) {
  const outcomes = new Map<string, DebtOutcome>();
  const lines: unknown[] = [];
  const tried: string[] = [];
  const { repair = async () => ok('{"state":"settled","detail":"slot released"}') } = changes;
  const done = repairDebts({
    now: () => NOW,
    log: (level, event, fields) => void lines.push([level, event, fields?.["debt_id"]]),
    due: async (_now, limit) => debts.slice(0, limit),
    record: async ({ debt_id }, outcome) => {
      outcomes.set(debt_id, outcome);
      return true;
    },
    ...changes,
    repair: (debt) => {
      tried.push(debt.debt_id);
      return repair(debt);
    },
  });
  await done;
  return { outcomes, lines, tried };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => debtOf({ debt_id: `debt_${index + 1}_t` }));

describe("repairing debts", () => {
  afterEach(() => vi.useRealTimers());

  it("settles what can be settled, with a line each", async () => {
    const { outcomes, lines } = await run(many(2));

    expect([...outcomes.values()]).toEqual(
      [1, 2].map(() => ({
        state: "settled",
        at: inMinutes(0),
        detail: "slot released",
        due_at: inMinutes(0),
      })),
    );
    expect(lines).toEqual([
      ["info", "cleanup_debt_settled", "debt_1_t"],
      ["info", "cleanup_debt_settled", "debt_2_t"],
    ]);
  });

  it("tries a bounded number a run", async () => {
    const { tried } = await run(many(120));

    expect(tried).toHaveLength(50);
  });

  it("lets no debt that breaks, hangs or answers nonsense stop the others", async () => {
    vi.useFakeTimers();
    const answers = [
      () => Promise.reject(new Error("object is broken")),
      () => new Promise<never>(() => {}),
      async () => ok("{"),
      async () => ok('{"state":"forgiven","detail":""}'),
      async () => refuse({ code: "unavailable", detail: "not now" } as const),
    ];
    const debts = many(25);
    const done = run(debts, {
      repair: ({ debt_id }) => {
        const number = Number(debt_id.split("_")[1]);
        const answer = answers[number - 1];
        return answer === undefined
          ? Promise.resolve(ok('{"state":"settled","detail":""}'))
          : answer();
      },
    });
    await vi.advanceTimersByTimeAsync(60_000);
    const { outcomes } = await done;

    const states = debts.map(({ debt_id }) => outcomes.get(debt_id)?.state);
    expect(states.slice(0, 5)).toEqual(["open", "open", "open", "open", "open"]);
    expect(new Set(states.slice(5))).toEqual(new Set(["settled"]));
    expect(outcomes.get("debt_1_t")?.detail).not.toContain("object is broken");
    expect(outcomes.get("debt_5_t")).toMatchObject({
      detail: "not now",
      due_at: inMinutes(2),
    });
  });

  it("goes on where an outcome can't be written", async () => {
    const written: string[] = [];
    const { lines } = await run(many(12), {
      record: async ({ debt_id }) => {
        if (debt_id === "debt_1_t") throw new Error("D1 is down");
        written.push(debt_id);
        return true;
      },
    });

    expect(written).toHaveLength(11);
    expect(lines).toContainEqual(["error", "cleanup_debt_not_recorded", "debt_1_t"]);
  });

  it.each(["task_not_found", "task_gone", "debt_not_found"] as const)(
    "gives up when the task is gone, or knows no such debt: %s",
    async (code) => {
      const { outcomes, lines } = await run(many(1), {
        repair: async () => refuse({ code, detail: "" }),
      });

      expect(outcomes.get("debt_1_t")?.state).toBe("expired");
      expect(lines).toEqual([["warning", "cleanup_debt_expired", "debt_1_t"]]);
    },
  );

  it("names the owner of what has expired, and asks its task no more", async () => {
    const lines: unknown[] = [];
    const { tried } = await run([debtOf({ expires_at: inMinutes(-1) })], {
      log: (level, event, fields) => void lines.push([level, event, fields]),
    });

    expect(tried).toEqual([]);
    expect(lines).toEqual([
      [
        "warning",
        "cleanup_debt_expired",
        expect.objectContaining({ owner: "pool default", tenant: "acme", task_id: "t", tries: 1 }),
      ],
    ]);
  });

  it("says nothing of a debt that somebody else has closed meanwhile, nor of one that stays open", async () => {
    const closed = await run(many(1), { record: async () => false });
    const open = await run(many(1), { repair: async () => ok('{"state":"open","detail":""}') });

    expect([...closed.lines, ...open.lines]).toEqual([]);
  });
});
