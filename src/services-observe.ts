import { createBulkCommands } from "./dispatch/bulk-commands.ts";
import { createFollowUps } from "./dispatch/next-steps.ts";
import type { Tasks } from "./dispatch/tasks.ts";
import { listLessons } from "./history/lesson-store.ts";
import { listTasks } from "./history/list-store.ts";
import { consoleLog } from "./lib/log.ts";
import { ok } from "./lib/result.ts";
import { readFinalizing, readOpenRows } from "./observe/active-store.ts";
import { readMeterSeries } from "./observe/meter/show/series-store.ts";
import { createObservatory } from "./observe/observatory.ts";
import { repairState, type RepairParts } from "./observe/repair.ts";
import { figuresOverTime, type OverTimeParts } from "./observe/rollup/over-time.ts";
import { readRollup } from "./observe/rollup/rollup-store.ts";
import { stateOf, type StateParts } from "./observe/state.ts";
import { readSweepCursor, readTenants, writeSweepCursor } from "./observe/sweeper-store.ts";
import { sweepTasks as sweep } from "./observe/sweeper.ts";
import type { TaskView } from "./protocol/task-view.ts";
import type { FollowUpPort, ObservePort } from "./rest/observe-ports.ts";
import type { TaskPort } from "./rest/ports.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What looks at all tasks is built of, and what wakes those that sleep too long. */

const DAY_MS = 86_400_000;

function repairParts(env: Env): RepairParts {
  const { task, guard } = doorsOf(env);
  return {
    db: env.DB,
    read: (query) => guard.get(query),
    truth: async (tenant, task_id) => {
      const found = await task(tenant, task_id).view();
      if (!found.ok) return null;
      const { seq, status, phase }: TaskView = JSON.parse(found.value.view);
      return { seq, status, phase };
    },
    rebuild: async (tenant, task_id) => {
      await task(tenant, task_id).rebuild();
    },
  };
}

/** What observers ask of all tasks. */
export function observePort(env: Env, agents: StateParts["agents"]): ObservePort {
  const { guard, config } = doorsOf(env);
  const keptMs = config.taskRetention.historyDays * DAY_MS;
  const read: StateParts["read"] = (query) => guard.get(query);
  const stateParts = { db: env.DB, read, now, agents };
  const observatory = createObservatory({ db: env.DB, now, keptMs });
  const overTime: OverTimeParts = {
    now,
    tasks: (tenant, query) => readRollup(env.DB, tenant, query),
    technical: (tenant, query) => readMeterSeries(env.DB, tenant, query),
  };
  return {
    metrics: (tenant, query) =>
      guard.read(async () =>
        ok(
          query.step === undefined
            ? await observatory.metrics(tenant, query)
            : await figuresOverTime(overTime, tenant, query),
        ),
      ),
    insights: (tenant, window) =>
      guard.read(async () => ok(await observatory.insights(tenant, window))),
    state: async (tenant) => ok(await stateOf(stateParts, tenant)),
    repair: (tenant, request) => repairState(repairParts(env), tenant, request),
    lessons: (tenant, query) => guard.read(() => listLessons(env.DB, tenant, query)),
  };
}

/** What follows from tasks. */
export function followUpPort(
  env: Env,
  tasks: Pick<Tasks, "view" | "events" | "submit">,
  command: TaskPort["command"],
): FollowUpPort {
  const { guard } = doorsOf(env);
  return {
    ...createFollowUps(tasks),
    commandAll: createBulkCommands({
      find: (tenant, query) =>
        guard.read(() => listTasks(env.DB, tenant, { ...query, isActive: true })),
      command,
    }),
  };
}

/** Wakes tasks whose own alarm should have woken them. */
export function sweepTasks(env: Env): Promise<void> {
  const { task } = doorsOf(env);
  return sweep({
    now,
    log: consoleLog("sweep", now),
    readCursor: () => readSweepCursor(env.DB),
    writeCursor: (cursor) => writeSweepCursor(env.DB, cursor),
    tenants: (from, limit) => readTenants(env.DB, from, limit),
    openRows: (tenant, place, limit) => readOpenRows(env.DB, tenant, place, limit),
    finalizing: (tenant) => readFinalizing(env.DB, tenant),
    nudge: (tenant, task_id) => task(tenant, task_id).nudge(),
  });
}
