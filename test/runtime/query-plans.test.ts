import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { deleteKey, findKey, listKeys } from "../../src/access/key-store.ts";
import { listDeadLetters } from "../../src/history/dead-letter-store.ts";
import { listEscalations } from "../../src/history/escalation-store.ts";
import { writeHistory } from "../../src/history/history-store.ts";
import { listTasks } from "../../src/history/list-store.ts";
import { project } from "../../src/history/projection.ts";
import { isComplete, readEvents, readReport, readView } from "../../src/history/task-log-store.ts";
import { cursorOf } from "../../src/protocol/keyset.ts";
import { statusRequestSchema } from "../../src/protocol/queries.ts";
import { at, escalationOf, eventsOf, viewOf } from "../task-news.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";

const cursor = cursorOf({ at: at(1), id: "x" });
const news = {
  tenant: "acme",
  view: viewOf({ seq: 2 }),
  events: eventsOf(1, 2),
  escalation: escalationOf(),
  isRebuild: true,
};
const list = (query: Record<string, string>) => (db: D1Database) =>
  listTasks(db, "acme", statusRequestSchema.parse(query));

/** Everything that history and the keys ask D1, and the indexes it must be found by. */
const QUERIES: [what: string, ask: (db: D1Database) => Promise<unknown>, by: RegExp][] = [
  ["write a batch", (db) => writeHistory(db, project([news])), /PRIMARY KEY/],
  ["read a view", (db) => readView(db, "acme", "task-1"), /PRIMARY KEY/],
  ["read events", (db) => readEvents(db, "acme", "task-1", { after: 7, limit: 5 }), /PRIMARY KEY/],
  ["read a report", (db) => readReport(db, "acme", "task-1"), /PRIMARY KEY/],
  ["check a history", (db) => isComplete(db, "acme", "task-1", 3), /PRIMARY KEY/],
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
  ["find a key", (db) => findKey(db, "hash"), /PRIMARY KEY/],
  ["list keys", (db) => listKeys(db, "acme", { after: "k", limit: 5 }), /api_key_by_tenant/],
  ["remove a key", (db) => deleteKey(db, "acme", "k"), /api_key_by_tenant/],
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

  it("would show a scan", async () => {
    const sql = "SELECT * FROM task AS old WHERE phase = ?";

    expect(fullScans(await planOf(env.DB, { sql, params: ["ended"] }))).toHaveLength(1);
  });
});
