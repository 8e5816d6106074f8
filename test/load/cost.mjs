/**
 * What a million tasks and a million deliveries cost on Cloudflare: `node test/load/cost.mjs`.
 *
 * Rows, calls and messages are the measured ones of test/load/measured/, which test/runtime/rows-written.test.ts
 * holds; prices are Cloudflare's list prices beyond what the plan includes.
 */
import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * Dollars for one of each, list prices of Workers Paid (developers.cloudflare.com: workers, durable-objects, d1
 * and queues, each under platform/pricing; collected in facts/platform.md §4, 2026-11).
 */
const PRICES = {
  row: 1 / 1e6,
  objectCall: 0.15 / 1e6,
  request: 0.3 / 1e6,
  cpuMs: 0.02 / 1e6,
  queueOperation: 0.4 / 1e6,
  logEvent: 0.6 / 1e6,
  /** 128 MB for a second at $12.50 per million GB-s. */
  objectSecond: (0.128 * 12.5) / 1e6,
  gigabyteMonth: 0.2,
};

/** A message is written, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3;

/** Requests of a life: submit, claim, five notifications, end. */
const REQUESTS = 8;

/** CPU time of a life, milliseconds: what `npm run bench` shows, simulated platform included. */
const CPU_MS = 20;

/** Wall time for which an object is billed, seconds: for a call, and while it waits for a receiver. */
const CALL_SECONDS = 0.01;
const RECEIVER_SECONDS = 0.2;

/** Bytes of the database in a plain task's object at its end (storage.sql.databaseSize), until it is emptied. */
const BYTES_KEPT = 20_480;

/** Deliveries of a life. */
const DELIVERIES = 6;

/** A DELETE is a row on the bill; of a delivered one no index holds an entry. */
const ROWS_OF_PURGE = 1;

const WHY = {
  "task: CREATE record": "the object's one table: SQLite writes its schema row twice",
  "task: INSERT record": "a commit: the events of a step, or what the executor said at the end",
  "task: setAlarm": "the next wake-up, set only when it comes earlier than the one set",
  "pool: INSERT entry": "the wish for an executor, and its reservation",
  "pool: DELETE entry": "the slot is free",
  "endpoint: INSERT delivery": "a notification, kept before it is sent",
  "endpoint: UPDATE delivery": "the outcome of its attempt",
  "endpoint: setAlarm": "the alarm that sends; a burst shares one",
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

const sum = (values) => values.reduce((total, value) => total + value, 0);
const total = (counts) => sum(Object.values(counts));
const dollars = (perUnit) => `$${(perUnit * 1e6).toFixed(2)}`;

function read(name) {
  const file = path.join(import.meta.dirname, "measured", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8"));
}

/** All steps of a life in one. */
function whole(steps) {
  const all = { rows: {}, calls: {}, messages: {}, lines: 0 };
  for (const step of steps) {
    all.lines += step.lines;
    for (const kind of ["rows", "calls", "messages"]) {
      for (const [name, count] of Object.entries(step[kind])) {
        all[kind][name] = (all[kind][name] ?? 0) + count;
      }
    }
  }
  return all;
}

function ofEndpoint(counts) {
  return sum(Object.entries(counts).flatMap(([name, n]) => (name.startsWith("endpoint") ? n : [])));
}

/**
 * What Workers Logs takes when nothing is sampled: every line, and an event of its own for every invocation.
 * The line that the history consumer writes for a message is not among the measured ones.
 */
function logEvents({ calls, messages, lines }) {
  return lines + REQUESTS + total(calls) + 2 * total(messages);
}

/** Dollars of one task by what they are for. */
function taskBill({ rows, calls, messages }) {
  const seconds = total(calls) * CALL_SECONDS + DELIVERIES * RECEIVER_SECONDS;
  return {
    "rows written": total(rows) * PRICES.row,
    "queue messages": total(messages) * OPERATIONS_PER_MESSAGE * PRICES.queueOperation,
    "requests and CPU time": REQUESTS * PRICES.request + CPU_MS * PRICES.cpuMs,
    "calls of objects and alarms": total(calls) * PRICES.objectCall,
    "time of objects": seconds * PRICES.objectSecond,
  };
}

/** Dollars of one delivery beside its task: all that its endpoint's object writes and does for it. */
function deliveryBill({ rows, calls }) {
  const hops = ofEndpoint(calls) / DELIVERIES;
  return {
    "rows written": (ofEndpoint(rows) / DELIVERIES) * PRICES.row,
    "its row deleted after the retention": ROWS_OF_PURGE * PRICES.row,
    "calls and alarms": hops * PRICES.objectCall,
    "time of objects": (hops * CALL_SECONDS + RECEIVER_SECONDS) * PRICES.objectSecond,
  };
}

function show(title, bill) {
  console.log(`\n${title}: ${dollars(total(bill))}`);
  for (const [what, each] of Object.entries(bill))
    console.log(`  ${dollars(each).padStart(7)}  ${what}`);
}

for (const [name, meaning] of Object.entries(LIVES)) {
  const steps = read(name);
  const all = whole(steps);
  console.log(`\n# A ${name} life: ${meaning}\n`);
  for (const { step, rows } of steps) {
    const parts = Object.entries(rows).map(([what, count]) => `${count} ${what.replace(":", "")}`);
    console.log(`${String(total(rows)).padStart(4)}  ${step.padEnd(11)} ${parts.join(" · ")}`);
  }
  console.log(`${String(total(all.rows)).padStart(4)}  in all, of which`);
  for (const [what, count] of Object.entries(all.rows)) {
    console.log(`${String(count).padStart(8)}  ${what.padEnd(26)} ${WHY[what] ?? "?"}`);
  }
  console.log(
    `      ${total(all.messages)} queue messages, ${total(all.calls)} calls of objects and alarms`,
  );
  show("A million such tasks", taskBill(all));
  console.log(
    `  ${dollars(logEvents(all) * PRICES.logEvent).padStart(7)}  more for ${logEvents(all)} log events each, unless they are sampled`,
  );
  show("A million deliveries by themselves", deliveryBill(all));
}
const kept = (BYTES_KEPT / 1e9) * PRICES.gigabyteMonth;
console.log(`\nA million tasks kept for a month: ${dollars(kept)}`);
