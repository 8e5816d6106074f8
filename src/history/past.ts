import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Page } from "../protocol/keyset.ts";
import type { Outcome } from "../protocol/kin.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Report, TaskEvent, TaskView } from "../protocol/task-view.ts";
import type { ArchivePlace } from "./archive-file.ts";
import {
  NotArchivedError,
  readArchivedEvents,
  readArchivedLog,
  readArchivedView,
} from "./archive-store.ts";
import { readFormer, readRemoved } from "./removed-store.ts";
import { outcomeOfView, type FormerTask, type RemovedTask } from "./removed.ts";
import { readEvents, readLog, readReport, readView, reportFrom } from "./task-log-store.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the past is read from. */
export interface PastParts {
  /** Null where none is bound. */
  bucket: R2Bucket | null;
  /** Makes a read of the tenant's database, unless that is down. */
  get: <Value>(tenant: string, query: (db: D1Database) => Promise<Value>) => Promise<Value>;
  /** Days that history keeps a task after its end. */
  historyDays: number;
  /** Days for which everybody may know that a task was removed; null: for ever. */
  removedDays: number | null;
  now: Clock;
  log: Log;
}

const DAY_MS = 86_400_000;

/** When to try again what the archive could not give, seconds. */
const RETRY_AFTER_S = 5;

/** Who held a task, and why the last of them got it. */
interface TaskTrace {
  holders: string[];
  /** Data of the last task_routed. */
  decision: JsonObject | null;
}

/** A removed task that cannot be shown; `why` not, where it was archived. */
function goneRefusal(
  task_id: string,
  removed: RemovedTask,
  { historyDays, why }: { historyDays: number; why: string },
): Refusal {
  const { ended_at, removed_at, place } = removed;
  const where = place === null ? "" : ` It was written to ${place.key}, ${why}.`;
  return {
    code: "task_gone",
    detail: `Task ${task_id} ended at ${ended_at} and was removed at ${removed_at}: history keeps tasks for ${historyDays} days after their end.${where}`,
    extra: { ended_at, removed_at, retention_days: historyDays },
  };
}

async function traceOf(log: AsyncIterable<readonly TaskEvent[]>): Promise<TaskTrace> {
  const holders = new Set<string>();
  let decision: JsonObject | null = null;
  for await (const events of log) {
    for (const { type, data } of events) {
      const agent_id = data["agent_id"];
      if (type === "task_assigned" && typeof agent_id === "string") holders.add(agent_id);
      if (type === "task_routed") decision = data;
    }
  }
  return { holders: [...holders], decision };
}

/** Reads a task in the archive. */
type ArchiveRead<Value> = (bucket: R2Bucket, place: ArchivePlace) => Promise<Value>;

/**
 * Tasks as history knows them, in D1 or in the archive. What nobody ever told history of is null, and so is what was removed
 * longer ago than is told, but for `outcome` and `former`, which know it as long as its row is there. What was removed by
 * policy is refused with task_gone, and with unavailable what the archive cannot give at the moment.
 */
export class Past {
  readonly #parts: PastParts;

  constructor(parts: PastParts) {
    this.#parts = parts;
  }

  async view(tenant: string, task_id: string): Answer<TaskView | null> {
    const view = await this.#kept(tenant, task_id);
    return view === null ? this.#removed({ tenant, task_id }, readArchivedView) : ok(view);
  }

  async events(
    tenant: string,
    task_id: string,
    page: { after: number; limit: number },
  ): Answer<Page<TaskEvent> | null> {
    const { get } = this.#parts;
    const kept = await get(tenant, (db) => readEvents(db, tenant, task_id, page));
    if (kept.items.length > 0 || (await this.#kept(tenant, task_id)) !== null) return ok(kept);
    return this.#removed({ tenant, task_id }, (bucket, place) =>
      readArchivedEvents(bucket, place, page),
    );
  }

  async report(tenant: string, task_id: string): Answer<Report | null> {
    const { get } = this.#parts;
    const kept = await get(tenant, (db) => readReport(db, tenant, task_id));
    if (kept !== null) return ok(kept);
    return this.#removed({ tenant, task_id }, (bucket, place) =>
      reportFrom(readArchivedLog(bucket, place)),
    );
  }

  /** Of a task that was removed for good, its last holder is all that is known. */
  async trace(tenant: string, task_id: string): Promise<TaskTrace | null> {
    const { get } = this.#parts;
    if ((await this.#kept(tenant, task_id)) !== null) {
      return get(tenant, (db) => traceOf(readLog(db, tenant, task_id)));
    }
    const found = await this.#removed({ tenant, task_id }, (bucket, place) =>
      traceOf(readArchivedLog(bucket, place)),
    );
    if (found.ok) return found.value;
    const agent_id = (await this.#told(tenant, task_id))?.agent_id ?? null;
    return { holders: agent_id === null ? [] : [agent_id], decision: null };
  }

  /**
   * What those that depend on the task may ask: the outcome as long as its row is there, for ever unless an operator says
   * otherwise and then for the longest life of a waiter after the last one could name it; the result as long as that is kept.
   *
   * @throws when the archive cannot give it at the moment: a dependent gets its results once, so it asks again
   */
  async outcome(tenant: string, task_id: string): Promise<Outcome | null> {
    const { get } = this.#parts;
    const kept = await this.#kept(tenant, task_id);
    const gone = kept === null ? await get(tenant, (db) => readRemoved(db, tenant, task_id)) : null;
    const view =
      gone === null ? ok(kept) : await this.#archived({ tenant, task_id, gone }, readArchivedView);
    if (!view.ok && view.refusal.code !== "task_gone") throw new Error(view.refusal.detail);
    if (!view.ok || view.value === null) return gone?.outcome ?? null;
    const { result, quality_assessment: quality } = view.value;
    return { ...outcomeOfView(view.value), result, quality };
  }

  /** What a repeated submission is told apart by, as long as the id is taken. Null where no task of this id has ended. */
  former(tenant: string, task_id: string): Promise<FormerTask | null> {
    return this.#parts.get(tenant, (db) => readFormer(db, tenant, task_id));
  }

  /** Whether a task of this id has ended that somebody may still name: to read it, or to wait for it. */
  async isKnown(tenant: string, task_id: string): Promise<boolean> {
    const former = await this.former(tenant, task_id);
    return former !== null && this.#isTold(former.removed_at);
  }

  #isTold(removed_at: string | null): boolean {
    const { removedDays, now } = this.#parts;
    return (
      removed_at === null ||
      removedDays === null ||
      removed_at >= instant(now() - removedDays * DAY_MS)
    );
  }

  #kept(tenant: string, task_id: string): Promise<TaskView | null> {
    return this.#parts.get(tenant, (db) => readView(db, tenant, task_id));
  }

  /** What is left of a removed task, as long as that is told. */
  async #told(tenant: string, task_id: string): Promise<RemovedTask | null> {
    const gone = await this.#parts.get(tenant, (db) => readRemoved(db, tenant, task_id));
    return gone !== null && this.#isTold(gone.removed_at) ? gone : null;
  }

  /** What the archive says of a task that D1 no longer has. */
  async #removed<Value>(
    { tenant, task_id }: { tenant: string; task_id: string },
    readIt: ArchiveRead<Value>,
  ): Answer<Value | null> {
    const gone = await this.#told(tenant, task_id);
    return gone === null ? ok(null) : this.#archived({ tenant, task_id, gone }, readIt);
  }

  async #archived<Value>(
    { tenant, task_id, gone }: { tenant: string; task_id: string; gone: RemovedTask },
    readIt: ArchiveRead<Value>,
  ): Answer<Value | null> {
    const { bucket, historyDays, log } = this.#parts;
    if (gone.place === null || bucket === null) {
      const why = "but no archive is bound here";
      return refuse(goneRefusal(task_id, gone, { historyDays, why }));
    }
    try {
      return ok(await readIt(bucket, gone.place));
    } catch (cause) {
      if (cause instanceof NotArchivedError) {
        const why = "which the archive no longer has";
        return refuse(goneRefusal(task_id, gone, { historyDays, why }));
      }
      log("error", "archive_read_failed", { tenant, task_id, error: String(cause) });
      const detail = `The archive, where task ${task_id} is, cannot be read at the moment.`;
      return refuse({ code: "unavailable", detail, extra: { retry_after: RETRY_AFTER_S } });
    }
  }
}
