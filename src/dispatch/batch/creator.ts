import { namedBy } from "./batch-check.ts";
import type { BatchPorts } from "./batch-ports.ts";
import type { BatchPlan, BatchRecord, ItemEnd } from "./batch-record.ts";
import { isPlanning, openTasks, standingOf } from "./batch.ts";
import { wavesOf } from "./graph.ts";

/** Tasks that are created at one time. */
const CREATED_AT_ONCE = 10;

/**
 * Creates the tasks of a batch, parents and those that others wait for first.
 *
 * A task that can't be created is an end of its item; a part of the system that can't be reached is not,
 * and the rest is left for the next time.
 */
export class Creator {
  readonly #ports: BatchPorts;
  readonly #end: (end: ItemEnd) => void;

  /** @param end notes what became of an item that could not become a task */
  constructor(ports: BatchPorts, end: (end: ItemEnd) => void) {
    this.#ports = ports;
    this.#end = end;
  }

  /** Whether all of them exist now. Tasks that exist already are found again, which changes nothing. */
  async createAll(current: () => BatchRecord): Promise<boolean> {
    const { plan } = current();
    if (isPlanning(current())) return this.#createPlanner(current());
    for (const wave of wavesOf(prerequisitesIn(plan)).flatMap(inPortions)) {
      const outcomes = await Promise.allSettled(
        wave.map((index) => this.#create(current(), index)),
      );
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed?.status === "rejected") {
        const { tenant, batch_id } = plan;
        const detail = String(failed.reason);
        this.#ports.log("warning", "batch_tasks_not_created", { tenant, batch_id, detail });
        return false;
      }
    }
    return true;
  }

  async #createPlanner(record: BatchRecord): Promise<boolean> {
    const { plan } = record;
    const planner = plan.request?.planner;
    if (!planner || openTasks(record).length === 0) return true;
    const done = await this.#ports.create({ plan, item: planner, isGated: false });
    if (!done.ok) this.#refused(record, planner.task_id, done.refusal);
    return true;
  }

  async #create(record: BatchRecord, index: number): Promise<void> {
    const { plan } = record;
    const item = plan.items[index];
    if (item === undefined || !openTasks(record).includes(item.task_id)) return;
    const isGated = !standingOf(record).released.has(index);
    const done = await this.#ports.create({ plan, item, isGated });
    if (!done.ok) this.#refused(record, item.task_id, done.refusal);
  }

  #refused(record: BatchRecord, task_id: string, refusal: { code: string; detail: string }): void {
    const at = Math.max(record.plan.created_at, record.ends.at(-1)?.at ?? 0);
    const problem = { code: refusal.code, detail: refusal.detail };
    this.#end({ task_id, status: null, end_reason: null, at, problem });
  }
}

/** For each item the items that must exist before it does: those that it depends on, and its parent. */
function prerequisitesIn({ items }: BatchPlan): number[][] {
  const places = new Map(items.map(({ task_id }, index) => [task_id, index]));
  return items.map(({ task }) =>
    [...namedBy(task), task.parent_task_id ?? ""].flatMap((task_id) => places.get(task_id) ?? []),
  );
}

function inPortions(wave: readonly number[]): number[][] {
  const count = Math.ceil(wave.length / CREATED_AT_ONCE);
  return Array.from({ length: count }, (_, turn) =>
    wave.slice(turn * CREATED_AT_ONCE, (turn + 1) * CREATED_AT_ONCE),
  );
}
