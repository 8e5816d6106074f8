import type { EndPhaseName, TaskType } from "../../protocol/enums.ts";
import type { CleanupDebt } from "../../protocol/task-view.ts";
import type { LoggedEvent, TaskState, Verdict } from "../machine/state.ts";
import type { TaskPorts } from "../ports.ts";

/** A task whose outcome is frozen. */
export type SettledState = TaskState & { verdict: Verdict };

/** What a stage works with. */
export interface StageContext {
  state: SettledState;
  ports: TaskPorts;
  /** The whole log of the task, in portions. */
  log: () => Iterable<readonly LoggedEvent[]>;
  /** Aborted when the stage's time is over. */
  signal: AbortSignal;
}

/** Whether a stage is done, or waits for something to happen to the task before it can be. */
export type StageAnswer = "done" | "waiting";

/** The stage that waits for the executor's own cleanup actions: what of them is open is a debt, whatever became of it. */
export const ACTIONS_STAGE = "cleanup_actions";

/** What a stage that came to nothing leaves undone; the core adds what is the same for all. */
export type DebtDraft = Pick<CleanupDebt, "kind" | "what" | "owner"> & { expires_at: number };

/**
 * One thing that the end of a task does. Stages are isolated: one that throws or hangs stops no other.
 *
 * Once a stage is recorded as done it never runs again; a crash before that runs it a second time, so it must be safe
 * to repeat.
 */
export interface EndStage {
  /** Unique, and the same for ever: what came of it is remembered under this name. */
  name: string;
  phase: EndPhaseName;
  /** What is checked by its success, in words for the report; unique in its phase. */
  check: string;
  /** Of which types it serves tasks; absent: of all. */
  task_types?: readonly TaskType[];
  /** Whether there is anything for it to do; absent: always. */
  concerns?: (state: TaskState) => boolean;
  /** Begins when the other stages of its phase are over, which leave it some time. */
  isLast?: true;
  /** Never leaves the task's object: what it does is nothing, or part of the commit that records its phase. */
  isLocal?: true;
  /** Tries before it is given up; 3 when absent. */
  attempts?: number;
  run: (context: StageContext) => Promise<StageAnswer>;
  /** Tried once in place of `run` when that came to nothing. */
  fallback?: (context: StageContext) => Promise<void>;
  /** What is left undone then. */
  debts?: (state: SettledState) => DebtDraft[];
  /** What its part of this end suggests for the next time, one sentence each. */
  advice?: (state: SettledState) => string[];
}

/** Thrown by a stage that no further try would help; the report shows its message. */
export class StageShortfall extends Error {
  override readonly name = "StageShortfall";
}

/** A stage that cannot even say whether it has something to do is run: it fails, or not, as stages do. */
function isConcerned({ concerns }: EndStage, state: TaskState): boolean {
  try {
    return concerns?.(state) ?? true;
  } catch {
    return true;
  }
}

/** The stages that ends are made of, in the order of their registration. */
export class StageRegistry {
  readonly #stages = new Map<string, EndStage>();

  /**
   * Adds a stage; the function that comes back takes it away.
   *
   * @throws RangeError when its name, or its check in the same phase, is taken
   */
  register(stage: EndStage): () => void {
    const isTaken = [...this.#stages.values()].some(
      ({ name, phase, check }) =>
        name === stage.name || (phase === stage.phase && check === stage.check),
    );
    if (isTaken) throw new RangeError(`an end stage like ${stage.name} is registered already`);
    this.#stages.set(stage.name, stage);
    return () => void this.#stages.delete(stage.name);
  }

  /** Those that have something to do in one phase of a task's end. */
  of(state: TaskState, phase: EndPhaseName): EndStage[] {
    return [...this.#stages.values()].filter(
      (stage) =>
        stage.phase === phase &&
        (stage.task_types?.includes(state.task.task_type) ?? true) &&
        isConcerned(stage, state),
    );
  }

  /** The stage of this name, or null when there is none any more. */
  find(name: string): EndStage | null {
    return this.#stages.get(name) ?? null;
  }

  /** The stage that a check in the record of a phase is of, or null when there is none any more. */
  checkedBy(phase: EndPhaseName, check: string): EndStage | null {
    const all = [...this.#stages.values()];
    return all.find((stage) => stage.phase === phase && stage.check === check) ?? null;
  }
}
