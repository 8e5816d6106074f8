/* What Cloudflare charges for what was measured. Pure: figures in, dollars out. */

/** What one step of a life wrote, called and sent (test/runtime/rows-written.test.ts measures and holds it). */
export interface Step {
  step: string;
  /** Rows written, e.g. "task: INSERT record". */
  rows: Readonly<Record<string, number>>;
  /** Calls of objects and alarms, e.g. "endpoint.alarm". */
  calls: Readonly<Record<string, number>>;
  /** Queue messages by binding. */
  messages: Readonly<Record<string, number>>;
  /** Lines of Batuta's own log. */
  lines: number;
}

/** What one task uses of everything that has a price. */
export interface Usage {
  rows: number;
  requests: number;
  cpuMs: number;
  objectCalls: number;
  objectSeconds: number;
  queueOperations: number;
  logEvents: number;
  /** Bytes of its object until it is emptied. */
  storedBytes: number;
}

/**
 * Dollars for one of each, list prices of Workers Paid (developers.cloudflare.com: workers, durable-objects, d1
 * and queues, each under platform/pricing; collected in facts/platform.md §4, 2026-11).
 */
export const PRICES = {
  row: 1 / 1e6,
  objectCall: 0.15 / 1e6,
  request: 0.3 / 1e6,
  cpuMs: 0.02 / 1e6,
  queueOperation: 0.4 / 1e6,
  logEvent: 0.6 / 1e6,
  /** 128 MB for a second at $12.50 per million GB-s. */
  objectSecond: (0.128 * 12.5) / 1e6,
  gigabyteMonth: 0.2,
} as const;

/** What a month of the plan has in it, and the plan itself, in dollars (the same pages); rows: objects' alone, D1 has as many again. */
const PLAN = {
  dollars: 5,
  rows: 50e6,
  objectCalls: 1e6,
  requests: 10e6,
  cpuMs: 30e6,
  queueOperations: 1e6,
  /** 400,000 GB-s at 128 MB. */
  objectSeconds: 400_000 / 0.128,
  gigabytes: 5,
} as const;

/** Days of a month on the bill. */
const DAYS = 30;

/** A message is written, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3;

/** Requests of a life: submit, claim, five notifications, end. */
const REQUESTS = 8;

/** Wall time for which an object is billed, seconds: for a call, and while it waits for a receiver. */
const CALL_SECONDS = 0.01;
const RECEIVER_SECONDS = 0.2;

/** Bytes of the database in a plain task's object at its end (storage.sql.databaseSize), until it is emptied. */
export const BYTES_KEPT = 20_480;

/** A DELETE is a row on the bill; of a delivered one no index holds an entry. */
const ROWS_OF_PURGE = 1;

const isOfEndpoint = (name: string) => name.startsWith("endpoint");

/** The sum of all counts. */
export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The counts of an endpoint's object alone. */
function ofEndpoint(counts: Readonly<Record<string, number>>): number {
  return total(Object.fromEntries(Object.entries(counts).filter(([name]) => isOfEndpoint(name))));
}

/** Deliveries that the steps hold. */
function deliveriesOf(steps: readonly Step[]): number {
  return steps.reduce((sum, { rows }) => sum + (rows["endpoint: INSERT delivery"] ?? 0), 0);
}

/** All steps of a life in one. */
export function whole(steps: readonly Step[]): Omit<Step, "step"> {
  const all: Record<"rows" | "calls" | "messages", Record<string, number>> = {
    rows: {},
    calls: {},
    messages: {},
  };
  let lines = 0;
  for (const step of steps) {
    lines += step.lines;
    for (const kind of ["rows", "calls", "messages"] as const) {
      for (const [name, count] of Object.entries(step[kind])) {
        all[kind][name] = (all[kind][name] ?? 0) + count;
      }
    }
  }
  return { ...all, lines };
}

/**
 * What one life of these steps uses.
 *
 * Log events: Batuta's own lines, and the platform's own one for every invocation, unless it is switched off; the line
 * that the history consumer writes for a message is not among the measured ones.
 *
 * @param cpuMs CPU time of a life, as `npm run bench` measures it
 */
export function usageOf(steps: readonly Step[], cpuMs: number): Usage {
  const { rows, calls, messages, lines } = whole(steps);
  const objectCalls = total(calls);
  return {
    rows: total(rows),
    requests: REQUESTS,
    cpuMs,
    objectCalls,
    objectSeconds: objectCalls * CALL_SECONDS + deliveriesOf(steps) * RECEIVER_SECONDS,
    queueOperations: total(messages) * OPERATIONS_PER_MESSAGE,
    logEvents: lines + REQUESTS + objectCalls + 2 * total(messages),
    storedBytes: BYTES_KEPT,
  };
}

/** Dollars of one task by what they are for, beyond what the plan includes; logs and storage are apart. */
export function taskBill(usage: Usage): Record<string, number> {
  return {
    "rows written": usage.rows * PRICES.row,
    "queue messages": usage.queueOperations * PRICES.queueOperation,
    "requests and CPU time": usage.requests * PRICES.request + usage.cpuMs * PRICES.cpuMs,
    "calls of objects and alarms": usage.objectCalls * PRICES.objectCall,
    "time of objects": usage.objectSeconds * PRICES.objectSecond,
  };
}

/** Dollars of one delivery beside its task: all that its endpoint's object writes and does for it. */
export function deliveryBill(steps: readonly Step[]): Record<string, number> {
  const { rows, calls } = whole(steps);
  const deliveries = deliveriesOf(steps);
  const hops = ofEndpoint(calls) / deliveries;
  return {
    "rows written": (ofEndpoint(rows) / deliveries) * PRICES.row,
    "its row deleted after the retention": ROWS_OF_PURGE * PRICES.row,
    "calls and alarms": hops * PRICES.objectCall,
    "time of objects": (hops * CALL_SECONDS + RECEIVER_SECONDS) * PRICES.objectSecond,
  };
}

/** One line of a month's bill. */
export interface MonthLine {
  what: string;
  used: number;
  included: number;
  dollars: number;
}

/**
 * A month of an account that does nothing else: each line beyond what the plan includes, and the plan.
 *
 * @param keptDays days for which a task's object stays after its end, TASK_RETENTION_DAYS
 */
export function monthBill(usage: Usage, tasksPerDay: number, keptDays: number): MonthLine[] {
  const tasks = tasksPerDay * DAYS;
  const line = (what: string, used: number, included: number, price: number): MonthLine => ({
    what,
    used,
    included,
    dollars: Math.max(0, used - included) * price,
  });
  const gigabytes = (tasksPerDay * keptDays * usage.storedBytes) / 1e9;
  return [
    { what: "the plan", used: 1, included: 0, dollars: PLAN.dollars },
    line("rows written", usage.rows * tasks, PLAN.rows, PRICES.row),
    line("requests", usage.requests * tasks, PLAN.requests, PRICES.request),
    line("CPU-ms", usage.cpuMs * tasks, PLAN.cpuMs, PRICES.cpuMs),
    line(
      "calls of objects, alarms",
      usage.objectCalls * tasks,
      PLAN.objectCalls,
      PRICES.objectCall,
    ),
    line("object-seconds", usage.objectSeconds * tasks, PLAN.objectSeconds, PRICES.objectSecond),
    line(
      "queue operations",
      usage.queueOperations * tasks,
      PLAN.queueOperations,
      PRICES.queueOperation,
    ),
    line("GB of tasks' objects", gigabytes, PLAN.gigabytes, PRICES.gigabyteMonth),
  ];
}

/** A change that an operator or an integrator can make, and dollars that it spares for each task. */
export interface Lever {
  what: string;
  spares: number;
}

const without = (steps: readonly Step[], isLess: (step: string) => boolean): Step[] =>
  steps.map((step) => {
    if (!isLess(step.step)) return step;
    const keep = (counts: Readonly<Record<string, number>>) =>
      Object.fromEntries(Object.entries(counts).filter(([name]) => !isOfEndpoint(name)));
    return { ...step, rows: keep(step.rows), calls: keep(step.calls) };
  });

/** What changes in how a task is run spare, each for itself, from what was measured of lives. */
export function levers(lives: {
  paced: readonly Step[];
  burst: readonly Step[];
  slow: readonly Step[];
  cpuMs: number;
}): Lever[] {
  const { paced, burst, slow, cpuMs } = lives;
  const costOf = (steps: readonly Step[]) => total(taskBill(usageOf(steps, cpuMs)));
  const all = costOf(paced);
  const purge = (steps: readonly Step[]) => deliveriesOf(steps) * ROWS_OF_PURGE * PRICES.row;
  const spared = (steps: readonly Step[]) => all - costOf(steps) + purge(paced) - purge(steps);
  const isProgress = (step: string) => step.startsWith("progress");
  const oneProgress = paced.filter(({ step }) => step !== "progress 1");
  // Its request does not come either, nor the CPU time of one of eight.
  const request = PRICES.request + (cpuMs / REQUESTS) * PRICES.cpuMs;
  return [
    { what: "one progress notification less", spares: spared(oneProgress) + request },
    {
      what: "a webhook that takes no progress (`events`)",
      spares: spared(without(paced, isProgress)),
    },
    {
      what: "a webhook of ends alone (`agent_end_task`)",
      spares: spared(without(paced, (step) => step !== "end")),
    },
    {
      what: "no webhook: the orchestrator reads or streams",
      spares: spared(without(paced, () => true)),
    },
    { what: "steps that come together, within half a second", spares: spared(burst) },
    { what: "steps 25 s apart in place of 1.5 s (costs more)", spares: spared(slow) },
    {
      what: "the platform's own log events (`invocation_logs`), as it is shipped: off",
      spares: usageOf(paced, cpuMs).logEvents * PRICES.logEvent,
    },
  ];
}
