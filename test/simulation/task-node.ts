import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import type { TaskPorts } from "../../src/task/ports.ts";
import { TaskKeeper } from "../../src/task/task-keeper.ts";
import { readLog } from "../../src/task/task-store.ts";
import { MemoryObject } from "./memory-object.ts";

/** One task's object: the real keeper on a database in memory, to be evicted at any time. */
export class TaskNode {
  readonly object = new MemoryObject();
  readonly #build: () => TaskKeeper;
  keeper: TaskKeeper;

  readonly task_id: string;

  constructor(task_id: string, ports: TaskPorts, now: () => number) {
    this.task_id = task_id;
    this.#build = () => new TaskKeeper(this.object.state, ports, now);
    this.keeper = this.#build();
  }

  /** Forgets what is in memory, as an object does that was idle or crashed. */
  evict(): void {
    this.keeper = this.#build();
  }

  /** The task as it is now, clocks included. */
  async state(): Promise<TaskState> {
    const state = await this.keeper.current();
    if (state === null) throw new Error(`task ${this.task_id} is not there`);
    return state;
  }

  /** The whole log as stored. */
  log(): LoggedEvent[] {
    return [...readLog(this.object.sql)].flat();
  }

  /** Fires the alarm when it is due. Whether it was. */
  async wakeIfDue(now: number): Promise<boolean> {
    if (this.object.alarmAt === null || this.object.alarmAt > now) return false;
    this.object.alarmAt = null;
    await this.keeper.wake({ hasAlarmFired: true });
    return true;
  }
}
