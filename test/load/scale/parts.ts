/* Which part of Batuta is how busy at how many tasks a day. Pure: measured figures and the platform's limits in, shares out. */
import { total, whole, type Step } from "../bill.ts";
import { OWN, PLATFORM } from "./bounds.ts";

/** What was measured. */
export interface Measured {
  steps: readonly Step[];
  /** Bytes of a task in history. */
  bytesPerTask: number;
  /** Bytes that stay of it when it was removed. */
  bytesPerRemoved: number;
  /** Milliseconds of D1 for a batch of 100 messages. */
  batchMs: number;
}

/** What is assumed of the installation, and what its operator has set. */
export interface Situation {
  tasksPerDay: number;
  /** The busiest second over the mean one. */
  peak: number;
  tenants: number;
  /** Share of all tasks that the largest tenant has. */
  largest: number;
  /** Seconds from the first to the last step of a task. */
  lifeSeconds: number;
  /** What a receiver takes to answer, milliseconds. */
  receiverMs: number;
  /** Requests a second of one isolate. */
  requestsOfIsolate: number;
  retentionDays: number;
  /** Days that removed tasks are remembered (REMOVED_RETENTION_DAYS): what never ends has no room. */
  removedDays: number;
  /** Installations that share the tenants, and tenants that the largest one is split into. */
  installations: number;
  splits: number;
  /** Of the largest tenant, or of one installation. */
  pools: number;
  endpointShards: number;
  databases: number;
  queues: number;
}

/** What an operator can have more or less of. */
type LeverName = "installations" | "splits" | "pools" | "endpointShards" | "databases" | "queues";

/** How busy one part is. */
export interface Part {
  name: string;
  /** What is asked of it, and what it can do, in `unit`. */
  asked: number;
  able: number;
  unit: string;
  /** asked ÷ able; 1 is all that it can do. */
  use: number;
  /** The lever that helps; null where none has to. */
  lever: LeverName | null;
  /** Whether it only comes later, and nothing is refused or lost. */
  isSoft: boolean;
  /** What happens above 1. */
  beyond: string;
}

const DAY_S = 86_400;
const MINUTE_S = 60;

const ofObject = (counts: Readonly<Record<string, number>>, object: string): number =>
  total(Object.fromEntries(Object.entries(counts).filter(([name]) => name.startsWith(object))));

/** What one task asks of each kind of part. */
export interface PerTask {
  taskCalls: number;
  poolCalls: number;
  endpointCalls: number;
  deliveries: number;
  messages: number;
  requests: number;
}

/** From the measured steps of a life. */
export function perTask(steps: readonly Step[]): PerTask {
  const { rows, calls, messages } = whole(steps);
  return {
    taskCalls: ofObject(calls, "task."),
    poolCalls: ofObject(calls, "pool."),
    endpointCalls: ofObject(calls, "endpoint."),
    deliveries: rows["endpoint: INSERT delivery"] ?? 0,
    messages: total(messages),
    requests: steps.length - 1,
  };
}

const part = (
  [name, unit, beyond]: [name: string, unit: string, beyond: string],
  asked: number,
  able: number,
  lever: LeverName | null,
): Part => ({ name, unit, asked, able, use: asked / able, lever, isSoft: false, beyond });

const soft = (of: Part): Part => ({ ...of, isSoft: true });

/** Tasks a day of one installation, and of the largest tenant in it. */
function loads(at: Situation): { tasks: number; hot: number } {
  const tasks = at.tasksPerDay / at.installations;
  return { tasks, hot: Math.min(tasks, (at.tasksPerDay * at.largest) / at.splits) };
}

/** Objects on the path of a task. */
function objectParts(each: PerTask, at: Situation): Part[] {
  const hot = (loads(at).hot / DAY_S) * at.peak;
  const isolates = Math.max(1, (hot * each.requests) / at.requestsOfIsolate);
  const calls = PLATFORM.callsOfObject;
  const inFlight = (hot * each.deliveries * at.receiverMs) / 1_000;
  return [
    part(
      ["object of one task", "calls/s", "steps of that task wait"],
      each.taskCalls / at.lifeSeconds,
      calls,
      null,
    ),
    part(
      [
        "pool of the largest tenant",
        "calls/s",
        "claims and submissions answer 429 and are repeated",
      ],
      hot * each.poolCalls,
      calls * at.pools,
      "pools",
    ),
    part(
      [
        "endpoint of the largest tenant, requests in flight",
        "requests",
        "deliveries wait, in order",
      ],
      inFlight,
      OWN.slotsOfEndpoint * at.endpointShards,
      "endpointShards",
    ),
    part(
      ["endpoint of the largest tenant, calls", "calls/s", "deliveries wait, in order"],
      hot * each.endpointCalls,
      calls * at.endpointShards,
      "endpointShards",
    ),
    part(
      ["figures of the largest tenant (MeterObject)", "calls/s", "figures come later"],
      isolates / OWN.tellingSeconds,
      calls,
      "splits",
    ),
    part(
      ["limits of the largest tenant (LimitsObject)", "calls/s", "isolates go on without a lease"],
      (isolates * OWN.leaseClasses) / OWN.tellingSeconds,
      calls,
      "splits",
    ),
  ];
}

/** Days for which there are rows of removed tasks. */
function daysOfRemovedRows(removedDays: number): number {
  return removedDays === 0 ? 0 : removedDays + OWN.marginOfRemovedDays;
}

/** Bytes of history of so many tasks a day: of those that it keeps, and of those that it removed and remembers. */
export function bytesOfHistory(
  tasksPerDay: number,
  { bytesPerTask, bytesPerRemoved }: Measured,
  { retentionDays, removedDays }: Pick<Situation, "retentionDays" | "removedDays">,
): number {
  const removed = daysOfRemovedRows(removedDays) * bytesPerRemoved;
  return tasksPerDay * (retentionDays * bytesPerTask + removed);
}

/** Queues and databases. */
function storeParts(each: PerTask, at: Situation, measured: Measured): Part[] {
  const { tasks, hot } = loads(at);
  const messages = (tasks / DAY_S) * at.peak * each.messages;
  const msOfMessage = measured.batchMs / PLATFORM.messagesOfBatch;
  const bytes = bytesOfHistory(tasks, measured, at);
  const batches = messages / at.queues / PLATFORM.messagesOfBatch;
  return [
    part(
      ["queue of news", "messages/s", "tasks send again, history lags"],
      messages,
      PLATFORM.messagesOfQueue * at.queues,
      "queues",
    ),
    part(
      ["consumers of one queue of news", "at once", "history lags"],
      (batches * measured.batchMs) / 1_000,
      PLATFORM.consumersOfQueue,
      "queues",
    ),
    part(
      ["history, time of the databases", "ms/s", "history lags"],
      messages * msOfMessage,
      1_000 * at.databases,
      "databases",
    ),
    part(
      ["history, room of the databases", "GB", "history of new tasks can't be written"],
      bytes / 1e9,
      (PLATFORM.bytesOfDatabase / 1e9) * at.databases,
      "databases",
    ),
    part(
      ["history of the largest tenant, time", "ms/s", "its history lags"],
      (messages * msOfMessage * hot) / tasks,
      1_000,
      "splits",
    ),
    part(
      ["history of the largest tenant, room", "GB", "its history can't be written"],
      (bytes * hot) / tasks / 1e9,
      PLATFORM.bytesOfDatabase / 1e9,
      "splits",
    ),
    part(
      ["DB, registries and figures", "statements/s", "requests with unknown keys wait"],
      ((at.tenants / at.installations) * OWN.statementsOfTenantMinute) / MINUTE_S,
      PLATFORM.queriesOfDatabase,
      "installations",
    ),
  ];
}

/** What goes round. */
function roundParts(at: Situation): Part[] {
  const { removedOfRun, rememberedOfRun, sweepsOfDay, foldsOfRun, foldsOfTenantDay } = OWN;
  const removalsOfSweep = Math.floor(OWN.removalSeconds / OWN.removalSecondsOfRun);
  const tenants = at.tenants / at.installations;
  return [
    part(
      ["removal of what is too old", "tasks/day", "history keeps tasks for longer"],
      loads(at).tasks,
      removedOfRun * removalsOfSweep * sweepsOfDay,
      "installations",
    ),
    soft(
      part(
        ["forgetting of removed tasks", "rows/day", "so much later: a day for each 100 %"],
        loads(at).tasks * daysOfRemovedRows(at.removedDays),
        rememberedOfRun * sweepsOfDay,
        null,
      ),
    ),
    part(
      ["folding of figures", "folds/day", "minutes stay minutes for longer"],
      tenants * foldsOfTenantDay,
      foldsOfRun * sweepsOfDay,
      "installations",
    ),
    soft(
      part(
        ["judging of alerts", "tenants/min", "alerts come so much later: a minute for each 100 %"],
        tenants,
        OWN.judgedOfMinute,
        null,
      ),
    ),
    part(
      ["statements of one sweep", "statements", "a sweep breaks off, and says so"],
      OWN.statementsOfSweep + at.databases * OWN.statementsOfSweepByDatabase,
      PLATFORM.statementsOfRun,
      "installations",
    ),
  ];
}

/** How busy all parts are, the busiest first. */
export function partsAt(measured: Measured, at: Situation): Part[] {
  const each = perTask(measured.steps);
  return [...objectParts(each, at), ...storeParts(each, at, measured), ...roundParts(at)].toSorted(
    (a, b) => b.use - a.use,
  );
}
