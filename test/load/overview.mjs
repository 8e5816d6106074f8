/**
 * How long the overview takes with a long history (100,000 tasks, or 1,000,000 with --long) and with 10,000: the same tenant
 * in both, with the same traffic a day. The long one is known for as long as its tasks last, with technical figures of 90
 * days and a thousand executors; the short one for a day, with ten.
 *
 * Rows are generated inside the database, as history would have written them; the answers come through the whole Worker.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { Client, median, quantile } from "./client.mjs";
import { atRest } from "./phases.mjs";
import { ADMIN_KEY, Workshop } from "./servers.mjs";

/** Tasks of the long history, the usual one and that of --long, and of the short one. */
const MANY = 100_000;
const LONG = 1_000_000;
const FEW = 10_000;

/** Tasks of a day, the same in both, and how many of the newest have not ended. */
const A_DAY = 10_000;
const OPEN = 500;

/** Task types among which they are shared out. */
const TYPES = ["research", "general", "testing", "documentation"];

/** Executors of either, and hours of technical figures before the minutes of the last three. */
const YOUNG = { executors: 10, hours: 21 };
const OLD = { executors: 1_000, hours: 90 * 24 - 3 };

/** Answers that are timed of each, in turns, and those before, which find cold code. */
const ANSWERS = 60;
const WARM_UP = 10;

/** Rows of one statement. */
const AT_ONCE = 5_000;

/** What is promised. */
export const TARGETS = { p50Ms: 50, ratio: 2 };

const DAY_MS = 86_400_000;

/** The numbers from ?1 on and below ?2. D1 binds numbers as fractions. */
const NUMBERS = `WITH RECURSIVE n(i) AS (
  SELECT CAST(?1 AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)`;

/** The view of a common task, in its members that indexes and figures read, and half as long as a common one. */
const VIEW = JSON.stringify({
  status: "completed",
  phase: "ended",
  seq: 6,
  end_reason: "success",
  attempt: 1,
  usage: { cost_usd: 0.01, tokens: 500, duration_s: 40 },
  description: "a".repeat(300),
});

const TASKS = `${NUMBERS}
INSERT INTO task (tenant, task_id, created_at, seq, status, phase, task_type, priority, agent_id, tags, events_to, view, events)
SELECT 'default', printf('task-%08d', i),
  strftime('%Y-%m-%dT%H:%M:%fZ', (?3 - i * ${DAY_MS / A_DAY}) / 1000.0, 'unixepoch'), 6,
  iif(i < ${OPEN}, iif(i % 2, 'pending', 'running'), 'completed'), iif(i < ${OPEN}, 'queued', 'ended'),
  json_extract('${JSON.stringify(TYPES)}', '$[' || (i % ${TYPES.length}) || ']'), 'normal',
  'agent-' || (i % ?5), '[]', 6, ?4, '[]'
FROM n`;

/** Minutes of the last three hours, and hours before of each executor and of all together, as folding leaves them. */
const ROLLUPS = `
INSERT INTO task_rollup (tenant, step, bucket, task_type, agent_id, created, completed, duration_ms, duration_3,
  cost_nano_usd, tokens)
SELECT tenant, step, at - at % abs(step), task_type, iif(whose = 'all', '', whose), count(*) * (whose IN ('', 'all')),
  count(*) * (whose <> ''), sum(40000) * (whose <> ''), count(*) * (whose <> ''), count(*) * 10000000 * (whose <> ''),
  count(*) * 500 * (whose <> '')
FROM (
  SELECT tenant, task_type, unixepoch(created_at) AS at, parts.value AS whose,
    iif(unixepoch(created_at) > ?1 / 1000 - 10800, 60, iif(parts.value = 'all', -3600, 3600)) AS step
  FROM task, json_each(json_array('', task.agent_id, 'all')) AS parts
  WHERE tenant = 'default' AND task_id >= printf('task-%08d', ?2) AND task_id < printf('task-%08d', ?3))
WHERE step <> 60 OR whose <> 'all'
GROUP BY tenant, step, 3, task_type, whose
ON CONFLICT DO UPDATE SET created = created + excluded.created, completed = completed + excluded.completed,
  duration_ms = duration_ms + excluded.duration_ms, duration_3 = duration_3 + excluded.duration_3,
  cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd, tokens = tokens + excluded.tokens`;

/** Technical figures: a minute's of a busy tenant. */
const METER = `
INSERT INTO meter_minute (tenant, step, bucket, tally)
SELECT 'default', 60, CAST(?1 AS INTEGER) / 60000 * 60 - value * 60, ?2 FROM json_each(?3)
UNION ALL SELECT 'default', 3600, CAST(?1 AS INTEGER) / 3600000 * 3600 - (3 + value) * 3600, ?2 FROM json_each(?4)`;

const TALLY = JSON.stringify({
  "batuta_deliveries_total delivered": [30],
  "batuta_deliveries_total exhausted": [1],
  "batuta_delivery_attempts_total success": [30],
  batuta_delivery_latency_seconds: [9_000, 10, 10, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  "batuta_http_requests_total - - 2xx": [900],
  "batuta_http_requests_total - - 4xx": [30],
  "batuta_http_requests_total - - 5xx": [1],
  "batuta_http_request_duration_seconds - -": [9_000, 100, 400, 300, 100, 30, 1, 0, 0, 0, 0, 0, 0],
  "batuta_rows_written_total history": [600],
});

/** Webhooks, questions and debts. */
const OTHERS = [
  `INSERT INTO webhook (tenant, webhook_id, registration, secrets, state, version, created_at, level)
   SELECT 'default', 'wh_' || value, '{}', '[]', 'active', 1, '2026-01-01T00:00:00.000Z', 0 FROM json_each(?1)`,
  `INSERT INTO escalation (tenant, escalation_id, created_at, seq, state, body)
   SELECT 'default', 'esc_' || value, '2026-01-01T00:00:00.000Z', 1, iif(value % 2, 'open', 'resolved'), '{}'
   FROM json_each(?1)`,
];

const numbers = (count) => JSON.stringify(Array.from({ length: count }, (_, index) => index));

/** Fills a Batuta with so many tasks. */
async function fill(batuta, tasks, { executors, hours }) {
  const database = await batuta.database();
  const now = Date.now();
  for (let from = 0; from < tasks; from += AT_ONCE) {
    const to = Math.min(tasks, from + AT_ONCE);
    await database.prepare(TASKS).bind(from, to, now, VIEW, executors).run();
    // In portions: D1 ends a statement after 30 s.
    await database.prepare(ROLLUPS).bind(now, from, to).run();
  }
  await database.prepare(METER).bind(now, TALLY, numbers(180), numbers(hours)).run();
  for (const text of OTHERS) await database.prepare(text).bind(numbers(200)).run();
  const { count } = await database.prepare("SELECT count(*) AS count FROM task").first();
  if (count !== tasks) throw new Error(`${count} tasks in place of ${tasks}`);
  return database.prepare("SELECT count(*) AS count FROM task_rollup").first("count");
}

/** Milliseconds of the objectives, which overviews read once a minute: weeks of figures. */
async function lookAtObjectives(client) {
  const begin = performance.now();
  const { items } = await client.call("GET", "/v1/objectives");
  const ms = performance.now() - begin;
  if (items.some(({ total }) => total === 0))
    throw new Error(`no figures: ${JSON.stringify(items)}`);
  return ms;
}

async function look(client) {
  const begin = performance.now();
  const overview = await client.call("GET", "/v1/overview");
  const ms = performance.now() - begin;
  const { incomplete, tasks } = overview;
  if (incomplete.length > 0) throw new Error(`incomplete: ${incomplete.join(", ")}`);
  if (tasks.active !== OPEN || tasks.created < 0.9 * A_DAY) {
    throw new Error(`not what was filled in: ${JSON.stringify(tasks)}`);
  }
  return ms;
}

/**
 * Milliseconds of an overview with 10,000 and with many more tasks, answers of both in turns, and the ratio of the medians.
 *
 * @param {{ many?: number }} sizes tasks of the long history
 */
export async function overviewLatency(workshop, { many = MANY } = {}) {
  const servers = [];
  for (const [tasks, age] of [
    [FEW, YOUNG],
    [many, OLD],
  ]) {
    const batuta = await workshop.startBatuta();
    const rollups = await fill(batuta, tasks, age);
    await atRest(batuta);
    servers.push({
      tasks,
      rollups,
      batuta,
      client: new Client(batuta.url, ADMIN_KEY),
      times: [],
      objectives: [],
      cpu: [],
    });
  }
  for (let turn = -WARM_UP; turn < ANSWERS; turn += 1) {
    for (const { client, batuta, times, cpu, objectives } of servers) {
      if (turn % 6 === 0) objectives.push(await lookAtObjectives(client));
      const before = batuta.cpuMs();
      const ms = await look(client);
      if (turn >= 0) times.push(ms);
      if (turn >= 0 && before !== null) cpu.push(batuta.cpuMs() - before);
    }
  }
  for (const { client, batuta } of servers) {
    client.close();
    await batuta.stop();
  }
  const [few, large] = servers.map(({ tasks, rollups, times, objectives, cpu }) => ({
    tasks,
    rollups,
    objectivesMs: median(objectives),
    p50Ms: median(times),
    p95Ms: quantile(times, 0.95),
    // A mean: the clock has hundredths of a second.
    cpuMs: cpu.length === 0 ? null : cpu.reduce((sum, ms) => sum + ms, 0) / cpu.length,
  }));
  return { few, many: large, ratio: large.p50Ms / few.p50Ms };
}

/** Lines of the bench's table. */
export function overviewLines({ few, many, ratio }) {
  const of = ({ tasks, p50Ms, p95Ms, cpuMs }) => [
    `GET /v1/overview with ${tasks} tasks in history, p50 / p95, CPU`,
    `${p50Ms.toFixed(1)} / ${p95Ms.toFixed(1)}, ${cpuMs?.toFixed(1) ?? "-"} ms`,
    `<= ${TARGETS.p50Ms} ms`,
  ];
  return [
    of(few),
    of(many),
    [
      `GET /v1/objectives with ${few.tasks} and ${many.tasks}, p50`,
      `${few.objectivesMs.toFixed(1)}, ${many.objectivesMs.toFixed(1)} ms`,
      "-",
    ],
    [`with ${many.tasks} : with ${few.tasks}`, ratio.toFixed(2), `<= ${TARGETS.ratio}`],
  ];
}

async function main() {
  const folder = mkdtempSync(path.join(tmpdir(), "batuta-overview-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  const workshop = new Workshop(folder);
  try {
    const many = process.argv.includes("--long") ? LONG : Number(process.argv[2] ?? MANY);
    const figures = await overviewLatency(workshop, { many });
    for (const line of overviewLines(figures)) console.log(line.join("  "));
    console.log(JSON.stringify(figures));
  } finally {
    await workshop.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
