import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { listDebts, readDebt, settleDebt } from "../../src/history/debt-store.ts";
import { writeHistory } from "../../src/history/history-store.ts";
import { project } from "../../src/history/projection.ts";
import { readDueDebts, readOpenDebts, recordDebt } from "../../src/observe/debt-repair-store.ts";
import type { DebtOutcome } from "../../src/observe/debt-repair.ts";
import { debtsQuerySchema } from "../../src/protocol/cleanup-debt.ts";
import { at, eventOf, REPORT_DATA, viewOf } from "../task-news.ts";
import { recordingDb } from "./recording-db.ts";

const BY = { kind: "orchestrator", id: "boss" } as const;

interface Owed {
  kind?: "slot" | "action" | "stage";
  owner?: string;
  expires_at?: string | null;
}

/** News of the end of a task at `seq`, which is also its second, and of what that left undone. */
function endOf(tenant: string, task_id: string, seq: number, owed: readonly Owed[] = [{}]) {
  const cleanup_debt = owed.map((debt, index) => ({
    debt_id: `debt_${index + 1}_${task_id}`,
    kind: "slot",
    stage: "slot",
    what: "the slot of attempt 1",
    owner: "pool default",
    expires_at: null,
    ...debt,
  }));
  return {
    tenant,
    view: viewOf({ task_id, seq, status: "completed", phase: "ended" }),
    events: [eventOf(seq, { type: "agent_end_task", data: { ...REPORT_DATA, cleanup_debt } })],
    escalation: null,
    isRebuild: false,
  };
}

const write = (...news: Parameters<typeof project>[0]) => writeHistory(env.DB, project(news));

async function list(tenant: string, query: Record<string, string> = {}) {
  const page = await listDebts(env.DB, tenant, debtsQuerySchema.parse(query));
  if (!page.ok) throw new Error(page.refusal.detail);
  return { ids: page.value.items.map(({ debt_id }) => debt_id), next: page.value.next_cursor };
}

const outcome = (changes: Partial<DebtOutcome> = {}): DebtOutcome => ({
  state: "open",
  at: at(100),
  detail: "failed again",
  due_at: at(160),
  ...changes,
});

describe("the debts of tasks in D1", () => {
  it("cost four rows each, and none where all was cleaned up", async () => {
    const costOf = async (owed: Owed[]) => {
      const recording = recordingDb(env.DB);
      await writeHistory(recording.db, project([endOf("cost", `t${owed.length}`, 9, owed)]));
      return [recording.rowsWritten(), recording.sent.some(({ sql }) => /cleanup_debt/.test(sql))];
    };

    // Two are those of the task, one is its minute in the roll-up, and one of its events, which do not begin at 1.
    expect(await costOf([])).toEqual([4, false]);
    expect(await costOf([{}])).toEqual([8, true]);
    expect(await costOf([{}, {}])).toEqual([12, true]);
  });

  it("begin open and due at once, with their owner and their expiry", async () => {
    await write(
      endOf("begin", "t", 5, [{ kind: "action", owner: "agent ann", expires_at: at(99) }]),
    );

    expect(await readDebt(env.DB, "begin", "debt_1_t")).toEqual({
      debt_id: "debt_1_t",
      task_id: "t",
      kind: "action",
      stage: "slot",
      what: "the slot of attempt 1",
      owner: "agent ann",
      state: "open",
      created_at: at(5),
      expires_at: at(99),
      tries: 0,
      last_tried_at: null,
      last_detail: null,
      settled_at: null,
      settled_by: null,
    });
    expect(await readDueDebts(env.DB, at(4), 5)).not.toContainEqual(
      expect.objectContaining({ tenant: "begin" }),
    );
    expect(await readDueDebts(env.DB, at(5), 500)).toContainEqual({
      tenant: "begin",
      debt_id: "debt_1_t",
      task_id: "t",
      kind: "action",
      owner: "agent ann",
      expires_at: at(99),
      tries: 0,
    });
  });

  it("are never opened again by news that are repeated or by a rebuild", async () => {
    const news = endOf("again", "t", 5, [{}, {}]);
    await write(news);
    await settleDebt(
      env.DB,
      { tenant: "again", debt_id: "debt_1_t" },
      { at: at(50), by: BY, note: "by hand" },
    );
    await recordDebt(
      env.DB,
      { tenant: "again", debt_id: "debt_2_t" },
      outcome({ state: "expired" }),
    );
    const before = await Promise.all([1, 2].map((n) => readDebt(env.DB, "again", `debt_${n}_t`)));

    await write(news);
    await write({ ...news, isRebuild: true });

    const after = await Promise.all([1, 2].map((n) => readDebt(env.DB, "again", `debt_${n}_t`)));
    expect(after).toEqual(before);
    expect(after.map((debt) => debt?.state)).toEqual(["settled", "expired"]);
  });

  it("are settled once, whoever comes at the same time", async () => {
    await write(endOf("race", "t", 5));
    const debt = { tenant: "race", debt_id: "debt_1_t" };
    const settled = { at: at(50), by: BY, note: null };

    const both = await Promise.all([1, 2].map(() => settleDebt(env.DB, debt, settled)));
    const swept = await recordDebt(env.DB, debt, outcome());
    const foreign = await settleDebt(env.DB, { ...debt, tenant: "race-2" }, settled);

    expect(both.filter((one) => one !== null)).toHaveLength(1);
    expect([swept, foreign]).toEqual([false, null]);
    expect(await readDebt(env.DB, "race", "debt_1_t")).toMatchObject({
      state: "settled",
      settled_at: at(50),
      settled_by: BY,
      tries: 0,
    });
  });

  it("keep what the last try said under a settlement without a note", async () => {
    await write(endOf("said", "t", 5));
    const debt = { tenant: "said", debt_id: "debt_1_t" };
    await recordDebt(env.DB, debt, outcome());

    const settled = await settleDebt(env.DB, debt, { at: at(200), by: BY, note: null });

    expect(settled).toMatchObject({
      tries: 1,
      last_tried_at: at(100),
      last_detail: "failed again",
      settled_at: at(200),
    });
  });
});

describe("the debts that are due", () => {
  it("are those of all tenants, the longest due first, without what is closed or waits", async () => {
    // Before all that other tests have written.
    const early = (tenant: string, task_id: string, day: number) => {
      const news = endOf(tenant, task_id, 1);
      const events = news.events.map((event) => ({ ...event, at: `2025-01-0${day}T00:00:00Z` }));
      return { ...news, events };
    };
    await write(
      early("due-b", "second", 2),
      early("due-a", "third", 3),
      early("due-a", "first", 1),
    );
    await write(early("due-b", "waits", 1), early("due-a", "closed", 1));
    await recordDebt(env.DB, { tenant: "due-b", debt_id: "debt_1_waits" }, outcome());
    const closed = { tenant: "due-a", debt_id: "debt_1_closed" };
    await recordDebt(env.DB, closed, outcome({ state: "settled" }));

    const due = await readDueDebts(env.DB, at(0), 10);
    const two = await readDueDebts(env.DB, at(0), 2);

    expect(due.map(({ tenant, task_id }) => `${tenant}/${task_id}`)).toEqual([
      "due-a/first",
      "due-b/second",
      "due-a/third",
    ]);
    expect(two).toEqual(due.slice(0, 2));
    expect(await readDebt(env.DB, "due-a", "debt_1_closed")).toMatchObject({
      state: "settled",
      settled_by: { kind: "system", id: "batuta" },
      settled_at: at(100),
      tries: 1,
    });
  });

  it("are counted by tenant while they are open, oldest first", async () => {
    await write(endOf("count", "b", 7), endOf("count", "a", 6), endOf("count", "c", 8));
    await recordDebt(
      env.DB,
      { tenant: "count", debt_id: "debt_1_c" },
      outcome({ state: "expired" }),
    );

    const open = await readOpenDebts(env.DB, "count", 10);

    expect(open.map(({ created_at }) => created_at)).toEqual([at(6), at(7)]);
  });
});

describe("the list of debts", () => {
  it("has the newest first, in pages, of one tenant", async () => {
    await write(...[1, 2, 3, 4, 5].map((seq) => endOf("pages", `t${seq}`, seq)));
    await write(endOf("pages-2", "foreign", 3));

    const first = await list("pages", { limit: "2" });
    const second = await list("pages", { limit: "2", cursor: first.next ?? "" });
    const third = await list("pages", { limit: "2", cursor: second.next ?? "" });

    expect(first.ids).toEqual(["debt_1_t5", "debt_1_t4"]);
    expect(second.ids).toEqual(["debt_1_t3", "debt_1_t2"]);
    expect(third).toEqual({ ids: ["debt_1_t1"], next: null });
  });

  it("goes by state, kind, owner and task", async () => {
    await write(
      endOf("filters", "a", 1, [{}, { kind: "action", owner: "agent ann" }]),
      endOf("filters", "b", 2),
    );
    const debt = { tenant: "filters", debt_id: "debt_1_a" };
    await settleDebt(env.DB, debt, { at: at(9), by: BY, note: null });

    expect((await list("filters", { state: "open" })).ids).toEqual(["debt_1_b", "debt_2_a"]);
    expect((await list("filters", { state: "settled" })).ids).toEqual(["debt_1_a"]);
    expect((await list("filters", { state: "expired" })).ids).toEqual([]);
    expect((await list("filters", { kind: "slot" })).ids).toEqual(["debt_1_b", "debt_1_a"]);
    expect((await list("filters", { owner: "agent ann" })).ids).toEqual(["debt_2_a"]);
    expect((await list("filters", { task_id: "b", state: "open" })).ids).toEqual(["debt_1_b"]);
  });

  it("looks at a bounded number of rows a call, and goes on behind them", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
       INSERT INTO cleanup_debt (tenant, debt_id, task_id, kind, what, owner, state, created_at, due_at)
       SELECT 'crowd', 'debt_' || i, 't', iif(i = 1, 'action', 'slot'), 'w', 'o', 'settled',
         strftime('%Y-%m-%dT%H:%M:%S.000Z', 1700000000 + i, 'unixepoch'), 'x' FROM n`,
    ).run();

    const first = await list("crowd", { kind: "action" });
    const second = await list("crowd", { kind: "action", cursor: first.next ?? "" });

    expect(first.ids).toEqual([]);
    expect(second).toEqual({ ids: ["debt_1"], next: null });
  });

  it("refuses a cursor of another list", async () => {
    const page = await listDebts(env.DB, "any", debtsQuerySchema.parse({ cursor: "nonsense" }));

    expect(page).toMatchObject({ ok: false, refusal: { code: "validation_failed" } });
  });
});
