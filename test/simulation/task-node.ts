import type { Result } from "../../src/lib/result.ts";
import { kinCallSchema } from "../../src/protocol/kin.ts";
import type { KinCall } from "../../src/protocol/kin.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { answerKin } from "../../src/task/kin/answer-kin.ts";
import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import type { Submission, TaskPorts } from "../../src/task/ports.ts";
import { submitTo } from "../../src/task/submit-to.ts";
import { TaskKeeper } from "../../src/task/task-keeper.ts";
import { readLog } from "../../src/task/task-store.ts";
import { MemoryObject } from "./memory-object.ts";

/** An alarm this long after the end is not of the end any more, but of how long things are kept. Milliseconds. */
export const OF_RETENTION_MS = 3_600_000;

type Submitted = Result<{ view: string; isNew: boolean }, Refusal>;

/** How long these objects keep a task after its end. */
export const RETENTION_MS = 30 * 86_400_000;

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

  /** Creates the task, or recognises the repetition of the same request. */
  async submit(submission: Submission): Promise<Submitted> {
    return submitTo(this.keeper, submission);
  }

  /** What its kin ask of it; both ways as text, as between objects. */
  async kin(call: KinCall): Promise<Result<string, Refusal>> {
    return answerKin(this.keeper, kinCallSchema.parse(JSON.parse(JSON.stringify(call))));
  }

  /** The task as it is now, clocks included. */
  async state(): Promise<TaskState> {
    const state = await this.keeper.current();
    if (state === null) throw new Error(`task ${this.task_id} is not there`);
    return state;
  }

  /** Whether the task is over and has nothing left to do, but to forget itself when its retention is over. */
  isAtRest({ ended_at }: TaskState): boolean {
    const { alarmAt } = this.object;
    return ended_at !== null && (alarmAt === null || alarmAt >= ended_at + OF_RETENTION_MS);
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
