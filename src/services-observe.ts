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
import type { NoteRepair } from "./observe/repairs/tally.ts";
import { figuresOverTime, type OverTimeParts } from "./observe/rollup/over-time.ts";
import { readRollup } from "./observe/rollup/rollup-store.ts";
import { stateOf, type StateParts } from "./observe/state.ts";
import { readSweepCursor, writeSweepCursor } from "./observe/sweeper-store.ts";
import { sweepTasks as sweep } from "./observe/sweeper.ts";
import type { RepairRequest } from "./protocol/state-view.ts";
import type { TaskView } from "./protocol/task-view.ts";
import type { FollowUpPort, ObservePort } from "./rest/observe-ports.ts";
import type { TaskPort } from "./rest/ports.ts";
import { doorsOf, now } from "./services-doors.ts";
import { tenantsIn } from "./services-history.ts";
import { forecaster } from "./services-overview.ts";
import { noted, repairsOf } from "./services-repairs.ts";

/* What looks at all tasks is built of, and what wakes those that sleep too long. */

const DAY_MS = 86_400_000;

function repairParts(env: Env): RepairParts {
  const { task, history } = doorsOf(env);
  return {
    db: (tenant) => history.of(tenant),
    read: (tenant, query) => history.get(tenant, query),
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

/** Mends the index, and notes it where there was something to mend. */
async function repairAndTell(env: Env, tenant: string, request: RepairRequest) {
  const done = await repairState(repairParts(env), tenant, request);
  const repaired = done.ok ? done.value.repaired : [];
  if (repaired.length > 0) {
    await noted(env, "request", async (note) => {
      for (const task_id of repaired) note("row_rebuilt", tenant, task_id);
      return [];
    });
  }
  return done;
}

/** What observers ask of all tasks. */
export function observePort(env: Env, agents: StateParts["agents"]): ObservePort {
  const { guard, history, config } = doorsOf(env);
  const keptMs = config.taskRetention.historyDays * DAY_MS;
  const read: StateParts["read"] = (tenant, query) => history.get(tenant, query);
  const stateParts = { read, now, agents };
  const forecast = forecaster(env, agents);
  const log = consoleLog("observe", now);
  const observatory = createObservatory({
    endpoints: (query) => guard.get(() => query(env.DB)),
    history: read,
    now,
    keptMs,
    forecast: async (tenant) => {
      try {
        return await forecast(tenant, null);
      } catch (error) {
        // Findings about what was are told without those about what will be.
        log("warning", "forecast_failed", { tenant, error: String(error) });
        return null;
      }
    },
  });
  const overTime: OverTimeParts = {
    now,
    tasks: (tenant, query) => read(tenant, (db) => readRollup(db, tenant, query)),
    technical: (tenant, query) => guard.get(() => readMeterSeries(env.DB, tenant, query)),
  };
  return {
    metrics: async (tenant, query) =>
      ok(
        query.step === undefined
          ? await observatory.metrics(tenant, query)
          : await figuresOverTime(overTime, tenant, query),
      ),
    insights: async (tenant, window) => ok(await observatory.insights(tenant, window)),
    state: async (tenant) => ok(await stateOf(stateParts, tenant)),
    repairs: async (tenant) => ok(await repairsOf(env, stateParts, tenant)),
    repair: (tenant, request) => repairAndTell(env, tenant, request),
    lessons: (tenant, query) => history.read(tenant, (db) => listLessons(db, tenant, query)),
  };
}

/** What follows from tasks. */
export function followUpPort(
  env: Env,
  tasks: Pick<Tasks, "view" | "events" | "submit">,
  command: TaskPort["command"],
): FollowUpPort {
  const { history } = doorsOf(env);
  return {
    ...createFollowUps(tasks),
    commandAll: createBulkCommands({
      find: (tenant, query) =>
        history.read(tenant, (db) => listTasks(db, tenant, { ...query, isActive: true })),
      command,
    }),
  };
}

/** Wakes tasks whose own alarm should have woken them. */
export function sweepTasks(env: Env, note: NoteRepair = () => {}): Promise<void> {
  const { task, history } = doorsOf(env);
  return sweep({
    now,
    log: consoleLog("sweep", now),
    readCursor: () => readSweepCursor(env.DB),
    writeCursor: (cursor) => writeSweepCursor(env.DB, cursor),
    tenants: async (from, limit) => (await tenantsIn(history, from, limit)).tenants,
    openRows: async (tenant, place, limit) =>
      readOpenRows(await history.of(tenant), tenant, place, limit),
    finalizing: async (tenant) => readFinalizing(await history.of(tenant), tenant),
    nudge: (tenant, task_id) => task(tenant, task_id).nudge(),
    note,
  });
}
