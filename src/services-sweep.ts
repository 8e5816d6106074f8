import { writeArchiveFile } from "./history/archive-store.ts";
import { forgetRemoved, type Round } from "./history/forgetting.ts";
import { forgetPage, readOldTasks, removeTasks } from "./history/removed-store.ts";
import { REMOVED_MARGIN_DAYS } from "./history/removed.ts";
import { removeOldTasks } from "./history/retention.ts";
import { foldRollups } from "./history/rollup-fold.ts";
import { foldRollup, readDueFolds } from "./history/rollup-store.ts";
import { readLog, readView, readWholeTasks } from "./history/task-log-store.ts";
import { consoleLog } from "./lib/log.ts";
import type { Clock } from "./lib/ports.ts";
import type { NoteRepair } from "./observe/repairs/tally.ts";
import { readSweepCursor, writeSweepCursor } from "./observe/sweeper-store.ts";
import { removalMessageSchema } from "./protocol/queue-messages.ts";
import { judgeAlerts, sweepAlerts } from "./services-alerts.ts";
import { sweepBackups } from "./services-backup.ts";
import { sweepDebts } from "./services-debts.ts";
import { doorsOf, now } from "./services-doors.ts";
import { dueIn, tenantsIn } from "./services-history.ts";
import { forgetTasks } from "./services-memory.ts";
import { sweepTasks } from "./services-observe.ts";
import { noted } from "./services-repairs.ts";
import { sweepDecisions } from "./services-routing.ts";
import { sweepValidations } from "./services-validations.ts";
import { sweepEndpoints } from "./services-webhooks.ts";

/* What wakes those that sleep too long, what removes what is too old, and when. */

/** Without a cron, requests start a sweep at most this often. Milliseconds. */
const SWEEP_EVERY_MS = 60_000;

const DAY_MS = 86_400_000;

/** Takes tasks out of D1 that history has kept for long enough; whether a further run may have something to do at once. */
export function sweepHistory(
  env: Env,
  at: Clock = now,
  note: NoteRepair = () => {},
): Promise<boolean> {
  const { config, bucket, history } = doorsOf(env);
  return removeOldTasks({
    now: at,
    log: consoleLog("sweep", now),
    retentionMs: config.taskRetention.historyDays * DAY_MS,
    readStart: async () => (await readSweepCursor(env.DB, "retention"))?.tenant ?? null,
    writeStart: (tenant) =>
      writeSweepCursor(env.DB, tenant === null ? null : { tenant, place: null }, "retention"),
    readPlace: async (tenant) =>
      (await readSweepCursor(env.DB, `retention/${tenant}`))?.place ?? null,
    writePlace: (tenant, place) =>
      writeSweepCursor(env.DB, place === null ? null : { tenant, place }, `retention/${tenant}`),
    tenants: async (from, limit) => (await tenantsIn(history, from, limit)).tenants,
    oldTasks: async (tenant, page) => readOldTasks(await history.of(tenant), tenant, page),
    tasks: async (tenant, task_ids) => readWholeTasks(await history.of(tenant), tenant, task_ids),
    view: async (tenant, task_id) => readView(await history.of(tenant), tenant, task_id),
    events: async function* (tenant, task_id) {
      yield* readLog(await history.of(tenant), tenant, task_id);
    },
    archive: bucket === null ? null : (tenant, file) => writeArchiveFile(bucket, tenant, file),
    remove: async (tenant, removals) => {
      // First what is remembered of them: should D1 fail then, they come again.
      await forgetTasks(
        env,
        tenant,
        removals.map(({ task_id }) => task_id),
      );
      await removeTasks(await history.of(tenant), tenant, removals);
      for (const { task_id } of removals) note("task_removed", tenant, task_id);
    },
  });
}

/**
 * Removals go on for so long after the sweep that began them: the next one comes after five minutes, and two at once would
 * archive the same tasks twice. Milliseconds.
 */
const REMOVALS_MS = 200_000;

/** Removes old tasks, a run at a time, each an invocation of its own with a budget of its own. */
async function removeOld(env: Env, until: number, note: NoteRepair): Promise<void> {
  const isMore = await sweepHistory(env, now, note);
  if (isMore && now() < until) await env.EVENTS.send({ form: "removal", until });
}

/** Whether a message has the removal of old tasks go on. */
export function isRemovalMessage({ body }: Pick<Message, "body">): boolean {
  return removalMessageSchema.safeParse(body).success;
}

/** Goes on removing old tasks. Never fails: what a run could not do, the next sweep does. */
export async function goOnRemoving(env: Env, { body }: Pick<Message, "body">): Promise<void> {
  try {
    const { until } = removalMessageSchema.parse(body);
    await noted(env, "sweep", async (note) => {
      await removeOld(env, until, note);
      return [];
    });
  } catch (error) {
    const log = consoleLog("sweep", now);
    log("error", "removal_broke", { error: String(error) });
  }
}

/** How far the forgetting of removed tasks has come in a database; null before it ever began. */
async function readRound(db: D1Database, binding: string): Promise<Round | null> {
  const cursor = await readSweepCursor(db, `removed/${binding}`);
  if (cursor === null || cursor.place === null) return null;
  const { tenant, place } = cursor;
  return { tenant, task_id: place.id, began_at: place.at };
}

/** Forgets tasks that were removed long ago, in every database of history; nothing where they are remembered for ever. */
export async function sweepRemoved(env: Env, at: Clock = now): Promise<void> {
  const { config, history } = doorsOf(env);
  const { removedDays } = config.taskRetention;
  if (removedDays === null) return;
  const databases = new Map(history.databases.map(({ binding, db }) => [binding, db]));
  await forgetRemoved({
    now: at,
    log: consoleLog("sweep", now),
    retentionMs: (removedDays + REMOVED_MARGIN_DAYS) * DAY_MS,
    databases: [...databases.keys()],
    readRound: (binding) => readRound(env.DB, binding),
    writeRound: (binding, { tenant, task_id: id, began_at }) =>
      writeSweepCursor(env.DB, { tenant, place: { at: began_at, id } }, `removed/${binding}`),
    forget: (binding, page) => forgetPage(databases.get(binding) ?? env.DB, page),
  });
}

/** Folds figures of tasks that are old into longer steps. */
export function sweepRollups(env: Env, at: Clock = now): Promise<void> {
  const { history } = doorsOf(env);
  return foldRollups({
    now: at,
    log: consoleLog("sweep", now),
    due: (fold, limit) => dueIn(history, limit, (db) => readDueFolds(db, fold, limit)),
    fold: async (tenant, fold) => foldRollup(await history.of(tenant), tenant, fold),
  });
}

/**
 * Wakes endpoints and tasks whose own alarm should have woken them, repairs what ended ones left undone, folds figures
 * that are old, removes and forgets what was kept for long enough, and goes on with the backup.
 *
 * @throws when one of them failed, after the others have done their work
 */
export async function sweepAll(env: Env): Promise<void> {
  const failures: unknown[] = [];
  await noted(env, "sweep", async (note) => {
    const sweeps = {
      endpoints: sweepEndpoints(env, note),
      tasks: sweepTasks(env, note),
      debts: sweepDebts(env, note),
      history: removeOld(env, now() + REMOVALS_MS, note),
      removed: sweepRemoved(env),
      rollups: sweepRollups(env),
      validations: sweepValidations(env),
      decisions: sweepDecisions(env),
      alerts: sweepAlerts(env),
      backups: sweepBackups(env),
    };
    // The platform ends an invocation that fails, whatever is still going on in it.
    const done = await Promise.allSettled(Object.values(sweeps));
    failures.push(...done.flatMap((one) => (one.status === "rejected" ? [one.reason] : [])));
    return Object.keys(sweeps).filter((_, index) => done[index]?.status === "rejected");
  });
  if (failures.length > 0) throw failures[0];
}

/** The cron that judges alerts; the other one (wrangler.toml) sweeps. */
const EVERY_MINUTE = "* * * * *";

/** Does what a cron is for. @throws as that does */
export function sweepByCron(env: Env, cron: string): Promise<void> {
  return cron === EVERY_MINUTE ? judgeAlerts(env) : sweepAll(env);
}

const sweptAt = new WeakMap<Env, number>();

/**
 * On a developer's machine a request starts the sweep, because `wrangler dev` fires no cron, and forgets the
 * alarms that came due while it was down (workers-sdk#7781). Nothing elsewhere.
 */
export async function sweepWithoutCron(env: Env): Promise<void> {
  if (!doorsOf(env).config.allowLocalEndpoints) return;
  const at = now();
  if (at - (sweptAt.get(env) ?? 0) < SWEEP_EVERY_MS) return;
  sweptAt.set(env, at);
  await Promise.all([sweepAll(env), judgeAlerts(env)]);
}
