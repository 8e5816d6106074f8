import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import {
  deleteKey,
  findKey,
  listKeys,
  noteKeyUse,
  readKey,
  rotateKey,
} from "../../src/access/key-store.ts";
import { AuditStore } from "../../src/audit/audit-store.ts";
import { listDeadLetters } from "../../src/history/dead-letter-store.ts";
import { listDebts, readDebt, settleDebt } from "../../src/history/debt-store.ts";
import { listEscalations } from "../../src/history/escalation-store.ts";
import { writeHistory } from "../../src/history/history-store.ts";
import { listLessons } from "../../src/history/lesson-store.ts";
import { listTasks } from "../../src/history/list-store.ts";
import { project } from "../../src/history/projection.ts";
import {
  forgetPage,
  readFormer,
  readOldTasks,
  readRemoved,
  removeTasks,
} from "../../src/history/removed-store.ts";
import { outcomeOfView } from "../../src/history/removed.ts";
import {
  readEvents,
  readRecordedTo,
  readReport,
  readView,
  readWholeTasks,
} from "../../src/history/task-log-store.ts";
import {
  countActive,
  forgetNewer,
  readAllRows,
  readFinalizing,
  readNamedRows,
  readOpenRows,
} from "../../src/observe/active-store.ts";
import { readBacklog } from "../../src/observe/backlog-store.ts";
import { readDueDebts, readOpenDebts, recordDebt } from "../../src/observe/debt-repair-store.ts";
import { readOpenQuestions, readQuestions, readRuns } from "../../src/observe/run-store.ts";
import { readSweepCursor, readTenants, writeSweepCursor } from "../../src/observe/sweeper-store.ts";
import { readTypeHistory } from "../../src/observe/type-history-store.ts";
import { debtsQuerySchema } from "../../src/protocol/cleanup-debt.ts";
import { cursorOf } from "../../src/protocol/keyset.ts";
import { lessonsQuerySchema } from "../../src/protocol/lesson.ts";
import { statusRequestSchema } from "../../src/protocol/queries.ts";
import { at, escalationOf, eventOf, eventsOf, REPORT_DATA, viewOf } from "../task-news.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";

const cursor = cursorOf({ at: at(1), id: "x" });
const news = {
  tenant: "acme",
  view: viewOf({ seq: 2 }),
  events: eventsOf(1, 2),
  escalation: escalationOf(),
  isRebuild: true,
};
const owing = {
  ...news,
  events: [
    eventOf(2, {
      type: "agent_end_task",
      data: { ...REPORT_DATA, cleanup_debt: [{ what: "w", owner: "o", expires_at: null }] },
    }),
  ],
};
const debts = (query: Record<string, string>) => (db: D1Database) =>
  listDebts(db, "acme", debtsQuerySchema.parse(query));
const debt = { tenant: "acme", debt_id: "debt_1_task-1" };
const ending = {
  ...news,
  view: viewOf({ task_id: "task-2", seq: 2 }),
  escalation: null,
  events: [
    eventOf(1),
    eventOf(2, {
      type: "agent_end_task",
      data: { post_mortem: [{ class: "tool", action: "Ended: no attempt followed" }] },
    }),
  ],
};
const span = { since: at(0), until: at(9) };
const apiKey = { tenant: "acme", key_id: "k" };
const place = { at: at(1), id: "x" };
const lessons = (query: Record<string, string>) => (db: D1Database) =>
  listLessons(db, "acme", lessonsQuerySchema.parse(query));
const list = (query: Record<string, string>) => (db: D1Database) =>
  listTasks(db, "acme", statusRequestSchema.parse(query));

const audit = (filter: Record<string, string>) => async (db: D1Database) => {
  const store = new AuditStore(db);
  await store.list("acme", filter, { limit: 5, cursor });
  for await (const _page of store.all("acme", filter));
};

const removal = {
  task_id: "none",
  ended_at: at(1),
  removed_at: at(2),
  outcome: outcomeOfView(viewOf()),
  place: null,
  created_at: at(0),
  seq: 1,
  escalation_ids: ["esc_1_none"],
  debt_ids: ["debt_1_none"],
};

/** Everything that history and the keys ask D1, and the indexes it must be found by. */
const QUERIES: [what: string, ask: (db: D1Database) => Promise<unknown>, by: RegExp][] = [
  ["write a batch", (db) => writeHistory(db, project([news])), /PRIMARY KEY/],
  ["write an end with causes", (db) => writeHistory(db, project([ending])), /PRIMARY KEY/],
  ["read a view", (db) => readView(db, "acme", "task-1"), /PRIMARY KEY/],
  ["read whole tasks", (db) => readWholeTasks(db, "acme", ["task-1", "task-2"]), /PRIMARY KEY/],
  ["read events", (db) => readEvents(db, "acme", "task-1", { after: 7, limit: 5 }), /PRIMARY KEY/],
  ["read a report", (db) => readReport(db, "acme", "task-1"), /PRIMARY KEY/],
  [
    "check a history",
    (db) => readRecordedTo(db, { tenant: "acme", task_id: "task-1", created_at: at(0) }),
    /PRIMARY KEY/,
  ],
  ["read a removed task", (db) => readRemoved(db, "acme", "task-1"), /PRIMARY KEY/],
  ["read a former task", (db) => readFormer(db, "acme", "task-1"), /PRIMARY KEY/],
  [
    "read old tasks",
    (db) => readOldTasks(db, "acme", { before: at(9), place: null, limit: 5 }),
    /task_by_creation .*created_at</,
  ],
  [
    "read old tasks further on",
    (db) => readOldTasks(db, "acme", { before: at(9), place, limit: 5 }),
    /task_by_creation .*task_id\)>.*created_at</,
  ],
  [
    "forget removed tasks",
    (db) => forgetPage(db, { behind: { tenant: "", task_id: "" }, before: at(9), limit: 5 }),
    /removed_task USING PRIMARY KEY \(\(tenant,task_id\)>/,
  ],
  [
    "forget removed tasks of a page that is not the last",
    (db) => forgetPage(db, { behind: { tenant: "", task_id: "" }, before: "", limit: 1 }),
    /removed_task USING PRIMARY KEY \(\(tenant,task_id\)>/,
  ],
  ["remove tasks", (db) => removeTasks(db, "acme", [removal]), /PRIMARY KEY/],
  ["list tasks", list({}), /task_by_creation/],
  ["list tasks further on", list({ cursor }), /task_by_creation .*created_at/],
  ["list completed tasks", list({ status: "completed", cursor }), /task_by_creation/],
  ["list running tasks", list({ status: "running" }), /task_by_status .*status=/],
  [
    "list failed tasks further on",
    list({ status: "failed", cursor }),
    /task_by_status .*created_at/,
  ],
  [
    "list tasks by everything",
    list({ phase: "ended", agent_id: "x", tag: "y" }),
    /task_by_creation/,
  ],
  ["list tasks since", list({ created_after: at(0), cursor }), /task_by_creation .*created_at/],
  [
    "list escalations",
    (db) => listEscalations(db, "acme", { limit: 5, cursor }),
    /escalation_by_creation/,
  ],
  [
    "list open escalations",
    (db) => listEscalations(db, "acme", { state: "open", limit: 5, cursor }),
    /escalation_by_state/,
  ],
  [
    "list dead letters",
    (db) => listDeadLetters(db, { isBootstrap: true }, { limit: 5, cursor }),
    /dead_letter_by_arrival/,
  ],
  [
    "list tasks for those who act on many",
    (db) =>
      listTasks(db, "acme", { limit: 5, created_before: at(9), batch_id: "b", isActive: true }),
    /task_by_creation .*created_at/,
  ],
  ["read runs", (db) => readRuns(db, "acme", span), /task_by_creation .*created_at>/],
  ["read questions", (db) => readQuestions(db, "acme", span), /escalation_by_creation/],
  ["read open questions", (db) => readOpenQuestions(db, "acme", 5), /escalation_by_state/],
  ["read the history of types", (db) => readTypeHistory(db, "acme", at(0)), /task_by_creation/],
  ["count active tasks", (db) => countActive(db, "acme"), /task_by_status .*status=/],
  ["count tasks that wait", (db) => readBacklog(db, "acme"), /task_by_status .*status=/],
  ["find tasks at their end", (db) => readFinalizing(db, "acme"), /task_by_creation/],
  ["read open rows", (db) => readOpenRows(db, "acme", null, 5), /task_by_status .*status=/],
  ["read open rows further on", (db) => readOpenRows(db, "acme", place, 5), /task_by_status/],
  ["read all rows", (db) => readAllRows(db, "acme", place, 5), /task_by_creation .*created_at/],
  ["read named rows", (db) => readNamedRows(db, "acme", ["a", "b"]), /PRIMARY KEY/],
  ["forget a row", (db) => forgetNewer(db, { tenant: "acme", task_id: "a" }, 1), /PRIMARY KEY/],
  ["read tenants", (db) => readTenants(db, "a", 5), /SEARCH task USING .*tenant>/],
  ["read where the sweep is", (db) => readSweepCursor(db), /PRIMARY KEY/],
  ["forget where the sweep is", (db) => writeSweepCursor(db, null), /PRIMARY KEY/],
  ["search lessons", lessons({ q: "two words", task_type: "testing" }), /PRIMARY KEY/],
  ["list lessons further on", lessons({ cursor }), /PRIMARY KEY/],
  ["write a debt", (db) => writeHistory(db, project([owing])), /PRIMARY KEY/],
  ["read a debt", (db) => readDebt(db, "acme", "debt_1_task-1"), /PRIMARY KEY/],
  ["list debts", debts({}), /cleanup_debt_by_creation/],
  [
    "list settled debts further on",
    debts({ state: "settled", cursor }),
    /cleanup_debt_by_creation .*created_at/,
  ],
  [
    "list open debts further on",
    debts({ state: "open", cursor }),
    /cleanup_debt_open .*created_at/,
  ],
  [
    "settle a debt",
    (db) => settleDebt(db, debt, { at: at(1), by: { kind: "system", id: "x" }, note: null }),
    /PRIMARY KEY/,
  ],
  [
    "record a try",
    (db) => recordDebt(db, debt, { state: "open", at: at(1), detail: "", due_at: at(2) }),
    /PRIMARY KEY/,
  ],
  [
    "find due debts of all tenants",
    (db) => readDueDebts(db, at(1), 5),
    /SEARCH cleanup_debt USING INDEX cleanup_debt_by_due/,
  ],
  ["count open debts", (db) => readOpenDebts(db, "acme", 5), /cleanup_debt_open/],
  ["find a key", (db) => findKey(db, "hash"), /PRIMARY KEY/],
  ["find a key by the secret that it had", (db) => findKey(db, "hash"), /api_key_by_former/],
  ["read a key", (db) => readKey(db, apiKey), /api_key_by_tenant/],
  [
    "rotate a key",
    (db) => rotateKey(db, apiKey, { key_hash: "h", rotated_at: at(1), former_until: at(2) }),
    /api_key_by_tenant/,
  ],
  [
    "note the use of a key",
    (db) => noteKeyUse(db, apiKey, { at: at(1), before: at(0) }),
    /api_key_by_tenant/,
  ],
  ["list keys", (db) => listKeys(db, "acme", { after: "k", limit: 5 }), /api_key_by_tenant/],
  ["list the audit", audit({}), /audit_by_time \(tenant=\? AND \(at,audit_id\)</],
  [
    "list the audit of a time",
    audit({ since: at(0), until: at(9) }),
    /audit_by_time \(tenant=\? AND .*at/,
  ],
  ["list the audit of a thing", audit({ subject: "x", since: at(0) }), /PRIMARY KEY .*subject=/],
  ["list the audit of an actor", audit({ actor: "x", until: at(9) }), /audit_by_actor .*actor=/],
  ["list the audit of an action", audit({ action: "x" }), /audit_by_action .*action=/],
  [
    "list the audit of everything",
    audit({ subject: "x", actor: "y", action: "z", since: at(0) }),
    /PRIMARY KEY .*subject=|audit_by_a/,
  ],
  ["remove a key", (db) => deleteKey(db, apiKey), /api_key_by_tenant/],
];

describe("the plan of a query", () => {
  it.each(QUERIES)("uses an index and scans no table to %s", async (_what, ask, by) => {
    const recording = recordingDb(env.DB);
    await ask(recording.db);

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.length).toBeGreaterThan(0);
    expect(plans.flatMap(fullScans)).toEqual([]);
    expect(plans.flat().some((line) => by.test(line))).toBe(true);
  });

  it("sorts no list of the audit, so that a page costs its own rows alone", async () => {
    const recording = recordingDb(env.DB);
    for (const filter of [{}, { actor: "x" }, { action: "x" }, { subject: "x", action: "y" }]) {
      await audit(filter)(recording.db);
    }

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.length).toBeGreaterThanOrEqual(8);
    expect(plans.flat().join("\n")).not.toContain("TEMP B-TREE");
  });

  it("would show a scan", async () => {
    const sql = "SELECT * FROM task AS old WHERE phase = ?";

    expect(fullScans(await planOf(env.DB, { sql, params: ["ended"] }))).toHaveLength(1);
  });
});
