/** What a Batuta stores of one tenant: in its objects, in D1, on the disk. */
import { round } from "../table.mjs";

/** Tables of D1 that hold tasks; the others hold figures and what operators did, which have their own ends. */
const TASK_TABLES = [
  "task",
  "task_log",
  "escalation",
  "dead_letter",
  "cleanup_debt",
  "validation_record",
];

/**
 * All that is stored, when nothing is under way: `objects` as `ClockedBatuta.forward` wants them, and counts.
 *
 * @param {{ acknowledged: Map<string, unknown>, tenant: string, webhook_id: string }} of `acknowledged` has the ids of the tasks
 */
export async function contents(batuta, { acknowledged, tenant, webhook_id }) {
  const tasks = [...acknowledged.keys()].map((task_id) => `${tenant}/${task_id}`);
  const objects = [
    ["TASK", tasks],
    ["POOL", [`${tenant}/default`]],
    ["ENDPOINT", [`${tenant}/${webhook_id}`]],
    ["METER", [`tenant/${tenant}`]],
    ["LIMITS", [`tenant/${tenant}`]],
    ["MEMORY", [tenant]],
  ];
  const census = {};
  for (const [binding, names] of objects) {
    // oxlint-disable-next-line no-await-in-loop
    census[binding.toLowerCase()] = await batuta.census(binding, names);
  }
  return { objects, census, tables: await batuta.tables(), stateBytes: batuta.stateBytes() };
}

/** That as figures. */
export function figuresOf({ census: { task, endpoint, pool }, tables, stateBytes }) {
  return {
    taskObjects: { rows: task.rows, alarms: task.alarms, bytes: task.bytes },
    endpointRows: endpoint.rows,
    poolRows: pool.rows,
    tables,
    stateMiB: round(stateBytes / 2 ** 20, 1),
  };
}

/** What is still there of tasks that should be forgotten, in words. */
export function leaks({ census: { task, endpoint }, tables }) {
  const found = [];
  if (task.rows > 0) found.push(`${task.rows} rows in the objects of tasks`);
  if (task.alarms > 0) found.push(`${task.alarms} alarms of tasks`);
  // Its own state is a row.
  if (endpoint.rows > 1) found.push(`${endpoint.rows} rows in the endpoint's object`);
  for (const table of TASK_TABLES) {
    if (tables[table] > 0) found.push(`${tables[table]} rows in the table ${table}`);
  }
  return found;
}
