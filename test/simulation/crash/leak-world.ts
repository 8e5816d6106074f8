import type { EndReason } from "../../../src/protocol/enums.ts";
import { endReasonSchema } from "../../../src/protocol/enums.ts";
import type { JsonObject } from "../../../src/protocol/primitives.ts";
import { end, endOf, notificationOf } from "../../task-life.ts";
import type { Executor } from "../executor.ts";
import { checkLog, must } from "../laws.ts";
import type { TaskNode } from "../task-node.ts";
import { World } from "../world.ts";
import { temporaryRows } from "./end-laws.ts";

/** How often an executor ends a task for any reason at all, or says something long before its turn. */
const ENDS = 0.04;
const IS_EARLY = 0.1;

/** How often another task waits for one. */
const IS_WAITED_FOR = 0.3;

/** Longer than anything is kept. Milliseconds. */
const LONGEST_RETENTION_MS = 800 * 86_400_000;

/** A world that keeps the objects of tasks that are over, to see what is left in them. */
export class LeakWorld extends World {
  /** Tasks that are over. */
  readonly over: TaskNode[] = [];
  /** How many have ended for which reason. */
  readonly reasons = new Map<EndReason, number>();
  /** Rows that had to be cleared away, of any task: were there none, this would prove nothing. */
  readonly cleared = new Set<string>();

  override async submit(request: JsonObject): Promise<TaskNode> {
    const node = await super.submit(request);
    if (this.draw.happens(IS_WAITED_FOR)) node.keeper.kin.outcome("another-task");
    return node;
  }

  override async work(executor: Executor, isZombie: boolean): Promise<void> {
    const job = this.draw.oneOf(executor.jobs);
    const node = this.tasks.get(job?.task_id ?? "");
    if (job === undefined || node === undefined) return super.work(executor, isZombie);
    const { agent_id } = executor;
    const { task_id, token } = job;
    if (this.draw.happens(ENDS)) {
      const reason = this.draw.oneOf(endReasonSchema.options) ?? "failure";
      const said = { ...end(reason), end: endOf(reason, { task_id, agent_id }), token };
      await node.keeper.apply(said);
    } else if (this.draw.happens(IS_EARLY)) {
      const sequence = job.sequence + 2;
      const early = notificationOf("task_progress", {}, { task_id, agent_id, sequence });
      await node.keeper.applyNotification(token, early);
    }
    for (const row of temporaryRows(node.object)) this.cleared.add(row.split(" ")[0] ?? "");
    return super.work(executor, isZombie);
  }

  protected override async bury(node: TaskNode): Promise<void> {
    const state = await node.state();
    if (!node.isAtRest(state) || state.verdict === null) return;
    checkLog(node.task_id, node.log());
    const { reason } = state.verdict;
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    this.tasks.delete(node.task_id);
    this.over.push(node);
    this.ended += 1;
  }

  /** Lets the time be over for which things are kept: every alarm that is left rings. */
  async outliveRetention(): Promise<void> {
    this.now += LONGEST_RETENTION_MS;
    for (const node of this.over) {
      let rings = 0;
      while (await node.wakeIfDue(this.now)) {
        rings += 1;
        must(rings < 10, `${node.task_id} comes to rest`);
      }
    }
  }

  /** Frees the memory. */
  close(): void {
    for (const { object } of this.over) object.close();
    this.pool.close();
  }
}
