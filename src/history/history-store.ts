import { MAX_PREFIX_LENGTH, type HistoryRecords } from "./projection.ts";
import { COUNT_FACTS } from "./rollup-store.ts";

/* The writing side of history. Rows travel as one JSON parameter, because D1 binds 100 at most (facts/platform.md §3). */

/** Characters of one JSON parameter: even at 3 bytes each below the 2 MB that D1 takes as one value. */
const MAX_PARAMETER_LENGTH = 600_000;

const OF_RECORD = `
  task.tenant = new.value ->> 'tenant' AND task.task_id = new.value ->> 'task_id'`;

const FIRST = "(new.value ->> '$.run.first_seq')";
const LAST = "(new.value ->> '$.run.last_seq')";
const EVENTS = "(new.value -> '$.run.events')";

/** Whether the record's run continues what `task.events` holds, and there is room for it. */
const CONTINUES = `(${FIRST} <= task.events_to + 1 AND ${LAST} > task.events_to
  AND length(task.events) + length(${EVENTS}) <= ${MAX_PREFIX_LENGTH})`;

/**
 * Brings known tasks up to date, one row each, where the record is newer.
 *
 * Two statements: setting `status` writes the index on it, also where the status stays the same.
 */
function updateTasks(statusChanges: boolean): string {
  return `
UPDATE task SET
  ${statusChanges ? "status = new.value ->> 'status'," : ""}
  seq = new.value ->> 'seq', phase = new.value ->> 'phase', task_type = new.value ->> 'task_type',
  priority = new.value ->> 'priority', agent_id = new.value ->> 'agent_id', tags = new.value -> 'tags',
  view = new.value -> 'view', bulk = new.value -> 'bulk',
  causes = coalesce(new.value -> 'causes', task.causes),
  body_hash = coalesce(new.value ->> 'body_hash', task.body_hash),
  events_to = CASE WHEN ${CONTINUES} THEN ${LAST} ELSE task.events_to END,
  events = CASE
    WHEN NOT coalesce(${CONTINUES}, 0) THEN task.events
    WHEN ${FIRST} = 1 THEN ${EVENTS}
    ELSE substr(task.events, 1, length(task.events) - 1) || ',' || substr(${EVENTS}, 2)
  END
FROM json_each(?1) AS new
WHERE ${OF_RECORD}
  AND new.value ->> 'seq' > task.seq
  AND new.value ->> 'status' ${statusChanges ? "<>" : "="} task.status`;
}

/** What was removed when its retention was over does not come back, however late its news are. */
const IS_KEPT = `NOT EXISTS (SELECT 1 FROM removed_task AS gone
  WHERE gone.tenant = new.value ->> 'tenant' AND gone.task_id = new.value ->> 'task_id')`;

const STARTS = `(${FIRST} = 1 AND length(${EVENTS}) <= ${MAX_PREFIX_LENGTH})`;

const INSERT_TASKS = `
INSERT INTO task (tenant, task_id, created_at, seq, status, phase, task_type, priority, agent_id, tags,
  events_to, view, bulk, causes, events, body_hash)
SELECT new.value ->> 'tenant', new.value ->> 'task_id', new.value ->> 'created_at', new.value ->> 'seq',
  new.value ->> 'status', new.value ->> 'phase', new.value ->> 'task_type', new.value ->> 'priority',
  new.value ->> 'agent_id', new.value -> 'tags',
  CASE WHEN ${STARTS} THEN ${LAST} ELSE 0 END, new.value -> 'view', new.value -> 'bulk',
  new.value -> 'causes', CASE WHEN ${STARTS} THEN ${EVENTS} ELSE '[]' END, new.value ->> 'body_hash'
FROM json_each(?1) AS new
WHERE ${IS_KEPT}
ON CONFLICT DO NOTHING`;

/**
 * What goes with an event and not with the view. The end may come after a view that is as new, because the log is long, and
 * the beginning after any: the row has all of it but the causes, or but what the request is known again by.
 */
const ADD_LATE = `
UPDATE task SET causes = coalesce(task.causes, new.value -> 'causes'),
  body_hash = coalesce(task.body_hash, new.value ->> 'body_hash')
FROM json_each(?1) AS new
WHERE ${OF_RECORD} AND (
  (task.causes IS NULL AND new.value -> 'causes' IS NOT NULL)
  OR (task.body_hash IS NULL AND new.value ->> 'body_hash' IS NOT NULL))`;

/** Runs that a new run contains go: no run may lie inside another, or finding the one for a seq needs a scan. */
const DELETE_CONTAINED_RUNS = `
DELETE FROM task_log WHERE (tenant, task_id, first_seq) IN (
  SELECT old.tenant, old.task_id, old.first_seq FROM json_each(?1) AS new
  CROSS JOIN task_log AS old ON old.tenant = new.value ->> 'tenant' AND old.task_id = new.value ->> 'task_id'
    AND old.first_seq > new.value ->> 'first_seq' AND old.first_seq <= new.value ->> 'last_seq'
  WHERE old.last_seq <= new.value ->> 'last_seq')`;

/** Adds runs that neither the task's row nor the nearest older run covers. */
const INSERT_RUNS = `
INSERT INTO task_log (tenant, task_id, first_seq, last_seq, events)
SELECT new.value ->> 'tenant', new.value ->> 'task_id', new.value ->> 'first_seq', new.value ->> 'last_seq',
  new.value -> 'events'
FROM json_each(?1) AS new
WHERE ${IS_KEPT}
  AND NOT EXISTS (
    SELECT 1 FROM task WHERE ${OF_RECORD} AND task.events_to >= new.value ->> 'last_seq')
  AND coalesce((
    SELECT old.last_seq FROM task_log AS old
    WHERE old.tenant = new.value ->> 'tenant' AND old.task_id = new.value ->> 'task_id'
      AND old.first_seq <= new.value ->> 'first_seq'
    ORDER BY old.first_seq DESC LIMIT 1), 0) < new.value ->> 'last_seq'
ON CONFLICT DO UPDATE SET last_seq = excluded.last_seq, events = excluded.events`;

/** For a rebuild: rows go that are not newer than what replaces them. */
const FORGET = [
  `DELETE FROM task_log WHERE (tenant, task_id, first_seq) IN (
    SELECT old.tenant, old.task_id, old.first_seq FROM json_each(?1) AS new
    CROSS JOIN task_log AS old ON old.tenant = new.value ->> 'tenant' AND old.task_id = new.value ->> 'task_id'
    WHERE old.last_seq <= new.value ->> 'seq')`,
  `DELETE FROM task WHERE (tenant, task_id) IN (
    SELECT old.tenant, old.task_id FROM json_each(?1) AS new
    CROSS JOIN task AS old ON old.tenant = new.value ->> 'tenant' AND old.task_id = new.value ->> 'task_id'
    WHERE old.seq <= new.value ->> 'seq')`,
];

/** News repeat the last escalation of their task; an unchanged one writes nothing, because none returns to what it was. */
const UPSERT_ESCALATIONS = `
INSERT INTO escalation (tenant, created_at, escalation_id, seq, state, body)
SELECT new.value ->> 'tenant', new.value ->> 'created_at', new.value ->> 'escalation_id', new.value ->> 'seq',
  new.value ->> 'state', new.value ->> 'body'
FROM json_each(?1) AS new
WHERE NOT EXISTS (SELECT 1 FROM removed_task AS gone
  WHERE gone.tenant = new.value ->> 'tenant' AND gone.task_id = new.value ->> 'body' ->> 'task_id')
ON CONFLICT DO UPDATE SET seq = excluded.seq, state = excluded.state, body = excluded.body
WHERE excluded.seq > escalation.seq AND excluded.body <> escalation.body`;

/** A lesson never changes, and news repeat it under the same key. */
const INSERT_LESSONS = `
INSERT INTO lesson (tenant, created_at, lesson_id, task_id, task_type, agent_id, text, words)
SELECT new.value ->> 'tenant', new.value ->> 'created_at', new.value ->> 'lesson_id', new.value ->> 'task_id',
  new.value ->> 'task_type', new.value ->> 'agent_id', new.value ->> 'text', new.value ->> 'words'
FROM json_each(?1) AS new
WHERE true
ON CONFLICT DO NOTHING`;

/** Due at once: the end itself has tried for seconds. A known debt stays as it is, so that news that come again reopen none. */
const INSERT_DEBTS = `
INSERT INTO cleanup_debt (tenant, debt_id, task_id, kind, stage, what, owner, state, created_at, expires_at, due_at)
SELECT new.value ->> 'tenant', new.value ->> 'debt_id', new.value ->> 'task_id', new.value ->> 'kind',
  new.value ->> 'stage', new.value ->> 'what', new.value ->> 'owner', 'open', new.value ->> 'created_at',
  new.value ->> 'expires_at', new.value ->> 'created_at'
FROM json_each(?1) AS new
WHERE ${IS_KEPT}
ON CONFLICT DO NOTHING`;

const WRITE_TASKS = [updateTasks(false), updateTasks(true), INSERT_TASKS];
const WRITE_RUNS = [DELETE_CONTAINED_RUNS, INSERT_RUNS];

/** Records as JSON arrays that D1 takes as one value each. */
function parametersOf(records: readonly object[]): string[] {
  const parameters: string[][] = [];
  let length = Infinity;
  for (const record of records) {
    const text = JSON.stringify(record);
    if (length + text.length > MAX_PARAMETER_LENGTH) {
      parameters.push([]);
      length = 0;
    }
    parameters.at(-1)?.push(text);
    length += text.length;
  }
  return parameters.map((texts) => `[${texts.join(",")}]`);
}

/**
 * Writes records in one round trip and one transaction: all of them or none.
 *
 * A record that is not newer than its row writes nothing. Rows written: 3 for a new task (the row and two
 * index entries, one of them only unless it is completed), then 1 for each record of it; 1 more when its
 * status changes, but not to completed; 1 more when its events came out of order or no longer fit the row;
 * 1 for each lesson; 4 for each debt of a task that could not be cleaned up; and in the roll-up 1 for each minute, task type
 * and executor in which tasks were created, have ended or asked, however many did.
 *
 * @returns rows written, as D1 bills them
 * @throws when D1 fails; then nothing was written
 */
export async function writeHistory(db: D1Database, records: HistoryRecords): Promise<number> {
  const rebuilt = records.tasks
    .filter((task) => task.is_rebuild === 1)
    .map(({ tenant, task_id, seq }) => ({ tenant, task_id, seq }));
  const late = records.tasks
    .filter(({ causes, body_hash }) => causes !== undefined || body_hash !== undefined)
    .map(({ tenant, task_id, causes, body_hash }) => ({ tenant, task_id, causes, body_hash }));
  const bound = (sql: readonly string[], of: readonly object[]) =>
    parametersOf(of).flatMap((parameter) => sql.map((text) => db.prepare(text).bind(parameter)));
  const statements = [
    // First of all: what counts is what is not there yet.
    ...bound([COUNT_FACTS], records.facts),
    ...bound(FORGET, rebuilt),
    ...bound(WRITE_TASKS, records.tasks),
    ...bound([ADD_LATE], late),
    ...bound(WRITE_RUNS, records.runs),
    ...bound([UPSERT_ESCALATIONS], records.escalations),
    ...bound([INSERT_LESSONS], records.lessons),
    ...bound([INSERT_DEBTS], records.debts),
  ];
  if (statements.length === 0) return 0;
  const results = await db.batch(statements);
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
}
