/**
 * `npm run bill`: what a million tasks and a million deliveries cost on Cloudflare, a month of so many tasks a day, and what
 * spares how much.
 *
 *   npm run bill -- --tasks-per-day 1000000 --retention-days 7 --json
 *
 * Rows, calls and messages are the measured ones of test/load/measured/, which test/runtime/rows-written.test.ts
 * holds; CPU time is that of the last kept bench (`npm run bench -- --keep`). Prices: bill.ts.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import {
  BYTES_KEPT,
  deliveryBill,
  levers,
  monthBill,
  PRICES,
  taskBill,
  total,
  usageOf,
  whole,
} from "./bill.ts";

const WHY = {
  "task: CREATE record": "the object's one table: SQLite writes its schema row twice",
  "task: INSERT record": "a commit: the events of a step, or what the executor said at the end",
  "task: setAlarm": "the next wake-up, set only when it comes earlier than the one set",
  "pool: INSERT entry": "the wish for an executor, and its reservation",
  "pool: DELETE entry": "the slot is free",
  "endpoint: INSERT delivery": "a notification, kept before it is sent",
  "endpoint: UPDATE delivery": "the outcome of its attempt",
  "endpoint: setAlarm":
    "the alarm behind what is sent at once; what comes within eight seconds shares one",
  "D1: INSERT task": "the row in history, its entry by creation, and by status unless completed",
  "D1: INSERT task_rollup":
    "the minute in which it was created, and the one in which it ended; tasks of one type share it",
  "D1: UPDATE task": "one for each message; one more where the status changes",
};

const LIVES = {
  burst: "all of it within half a second",
  paced: "a second and a half between two steps",
  slow: "25 seconds between two steps, objects evicted in between",
};

const dollars = (perUnit) => `${perUnit < 0 ? "-" : ""}$${Math.abs(perUnit * 1e6).toFixed(2)}`;

function read(name) {
  const file = path.join(import.meta.dirname, "measured", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8"));
}

/** A whole number that may be given. */
function numberOf(text, name) {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) {
    console.error(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
    process.exit(2);
  }
  return value;
}

function options() {
  try {
    return parseArgs({
      options: {
        "tasks-per-day": { type: "string", default: "1000000" },
        "retention-days": { type: "string", default: "7" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error.message}. Known: --tasks-per-day N, --retention-days N, --json`);
    return process.exit(2);
  }
}

function show(title, bill) {
  console.log(`\n${title}: ${dollars(total(bill))}`);
  for (const [what, each] of Object.entries(bill))
    console.log(`  ${dollars(each).padStart(7)}  ${what}`);
}

function showLife(name, steps, cpuMs) {
  const all = whole(steps);
  const usage = usageOf(steps, cpuMs);
  console.log(`\n# A ${name} life: ${LIVES[name]}\n`);
  for (const { step, rows } of steps) {
    const parts = Object.entries(rows).map(([what, count]) => `${count} ${what.replace(":", "")}`);
    console.log(`${String(total(rows)).padStart(4)}  ${step.padEnd(11)} ${parts.join(" · ")}`);
  }
  console.log(`${String(usage.rows).padStart(4)}  in all, of which`);
  for (const [what, count] of Object.entries(all.rows)) {
    console.log(`${String(count).padStart(8)}  ${what.padEnd(26)} ${WHY[what] ?? "?"}`);
  }
  const { objectCalls, logEvents } = usage;
  console.log(
    `      ${total(all.messages)} queue messages, ${objectCalls} calls of objects and alarms`,
  );
  show("A million such tasks", taskBill(usage));
  console.log(
    `  ${dollars(logEvents * PRICES.logEvent).padStart(7)}  more for ${logEvents} log events each, unless they are sampled`,
  );
  show("A million deliveries by themselves", deliveryBill(steps));
}

function showMonth(lines, tasksPerDay) {
  const sum = lines.reduce((all, { dollars: each }) => all + each, 0);
  console.log(`\n# A month of ${tasksPerDay.toLocaleString("en")} paced tasks a day\n`);
  for (const { what, used, included, dollars: each } of lines) {
    const amount = used < 10 ? used.toFixed(2) : Math.round(used).toLocaleString("en");
    const free = included === 0 ? "" : `, ${included.toLocaleString("en")} included`;
    console.log(`  ${`$${each.toFixed(2)}`.padStart(11)}  ${what}: ${amount}${free}`);
  }
  console.log(`  ${`$${sum.toFixed(2)}`.padStart(11)}  in all`);
}

const asked = options();
const tasksPerDay = numberOf(asked["tasks-per-day"], "tasks-per-day");
const keptDays = numberOf(asked["retention-days"], "retention-days");
const lives = Object.fromEntries(Object.keys(LIVES).map((name) => [name, read(name)]));
const cpuMs = read("bench").rows.find(({ unit }) => unit === "life").cpuMs;
const month = monthBill(usageOf(lives.paced, cpuMs), tasksPerDay, keptDays);
const spared = levers({ ...lives, cpuMs });
if (asked.json) {
  const ofLife = (name) => {
    const usage = usageOf(lives[name], cpuMs);
    return {
      usage,
      dollarsPerMillionTasks: total(taskBill(usage)) * 1e6,
      dollarsPerMillionDeliveries: total(deliveryBill(lives[name])) * 1e6,
    };
  };
  const all = Object.fromEntries(Object.keys(LIVES).map((name) => [name, ofLife(name)]));
  console.log(JSON.stringify({ lives: all, month, levers: spared }));
} else {
  for (const [name, steps] of Object.entries(lives)) showLife(name, steps, cpuMs);
  showMonth(month, tasksPerDay);
  console.log("\n# What spares how much, of a million paced tasks\n");
  for (const { what, spares } of spared) console.log(`  ${dollars(spares).padStart(8)}  ${what}`);
  const kept = (BYTES_KEPT / 1e9) * PRICES.gigabyteMonth;
  console.log(`\nA million tasks kept for a month: ${dollars(kept)}`);
}
