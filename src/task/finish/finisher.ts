import type { Clock } from "../../lib/ports.ts";
import { TIMED_OUT, withinLimit } from "../../lib/within-limit.ts";
import { END_NOTICES } from "../../protocol/end-notice.ts";
import { endPhaseLimitMs } from "../../protocol/end-phases.ts";
import { endPhaseNameSchema } from "../../protocol/enums.ts";
import type { EndPhaseName } from "../../protocol/enums.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import type { EndPhaseRecord } from "../../protocol/task-view.ts";
import { finishDueAt } from "../machine/clocks.ts";
import type { Command } from "../machine/commands.ts";
import type { TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import { dropNotes } from "../notes-keeper.ts";
import type { TaskPorts } from "../ports.ts";
import { readLog, removeAllHeld } from "../task-store.ts";
import { adviceOf, debtsOf } from "./debts.ts";
import { readProgress, removeProgress, writeProgress } from "./progress-store.ts";
import { plainReportOf, reportOf } from "./report.ts";
import type { PhasePass, PhaseProgress } from "./run-phase.ts";
import { passPhase, recordOf } from "./run-phase.ts";
import type { EndStage, SettledState } from "./stage.ts";
import { endStages } from "./stages.ts";

/** A phase that is due long before it can begin still gets this much. Milliseconds. */
const LEAST_PHASE_MS = 5_000;

/** End phases may begin this much later, so that the alarm of the last flush can serve. Milliseconds. */
const FINISH_PAUSE_MS = 200;

/** Stages that take longer than this are slow: whatever else is due does not wait for them. Milliseconds. */
const PATIENCE_MS = 1_000;

/** A run that a crash cuts off between two commits goes on after this. Milliseconds. */
const RESUME_MS = 5_000;

/** What a finisher works on. */
interface FinisherParts {
  sql: SqlStorage;
  ports: TaskPorts;
  now: Clock;
  state: () => TaskState | null;
  /** Carries out a command; `also` is written in the same transaction. */
  commit: (command: Command, also: () => void) => Promise<{ state: TaskState | null }>;
}

/**
 * Brings a task with a verdict to its end: runs the stages of each phase, records it, and closes the task.
 *
 * It always comes to that end: a stage that fails or hangs is given up at the limit of its phase and leaves its debt.
 * What came of a stage that reached outside is written before anything else is done, so that a crash repeats one stage
 * at most. Its fields hold only what waking again would find out.
 */
export class Finisher {
  readonly #parts: FinisherParts;
  /** A stage waits: for a change of this state, or until then. */
  #wait: { state: TaskState; until: number } | null = null;
  /** Phases that are over and need no commit of their own. */
  #over: EndPhaseRecord[] = [];
  #running: Promise<void> | null = null;

  constructor(parts: FinisherParts) {
    this.#parts = parts;
  }

  /**
   * When something is to be done, epoch milliseconds; null before the verdict and after the end. While it is done, when
   * a crash is to be made up for: whatever is committed meanwhile replaces the alarm that the platform would repeat.
   */
  due(state: TaskState): number | null {
    const start = finishDueAt(state);
    if (start === null) return null;
    if (this.#running !== null) return this.#parts.now() + RESUME_MS;
    if (this.#wait === null) return start + FINISH_PAUSE_MS;
    // Whatever a stage waits for may have come with the change.
    return this.#wait.state === state ? this.#wait.until : this.#parts.now();
  }

  /**
   * Does what can be done now; one run at a time, and whoever comes meanwhile does not wait for it.
   *
   * @param meanwhile is done when that takes long: what has happened must not wait for a stage that hangs
   */
  async run(meanwhile: () => Promise<void>): Promise<void> {
    if (this.#running !== null || this.#due() === null) return;
    const running = this.#run().finally(() => (this.#running = null));
    this.#running = running;
    while ((await withinLimit(PATIENCE_MS, () => running)) === TIMED_OUT) await meanwhile();
  }

  async #run(): Promise<void> {
    this.#over = [];
    for (const name of endPhaseNameSchema.options) {
      const state = this.#due();
      if (state === null) return;
      if (state.end_phases.some((phase) => phase.name === name)) continue;
      if (!(await this.#runPhase(state, name))) return;
    }
    const state = this.#due();
    if (state !== null) await this.#close(state);
  }

  /** The task, when its end is due. */
  #due(): SettledState | null {
    const state = this.#parts.state();
    const due = state === null ? null : finishDueAt(state);
    if (state === null || due === null || due > this.#parts.now()) return null;
    return hasVerdict(state) ? state : null;
  }

  /** Whether the phase is over. */
  async #runPhase(before: SettledState, name: EndPhaseName): Promise<boolean> {
    const { sql, now } = this.#parts;
    // Whatever reached outside is written before anything else does.
    const reachesOut = endStages.of(before, name).some(({ isLocal }) => isLocal !== true);
    if (reachesOut) await this.#record();
    const known = readProgress(sql);
    const progress = known?.phase === name ? known : this.#begun(before, name);
    const written = JSON.stringify(known);
    for (;;) {
      const seen = this.#parts.state();
      const stages = endStages.of(this.#latest(before), name);
      const until = await passPhase(this.#passOf(before, stages, progress));
      if (until !== null) return this.#suspend({ until, seen, progress, written });
      // An executor's last word may have come meanwhile, and with it more to do.
      if (endStages.of(this.#latest(before), name).length > stages.length) continue;
      this.#wait = null;
      this.#over.push(recordOf(progress, stages, now()));
      return true;
    }
  }

  /** Remembers how far the phase is, for when it goes on. */
  async #suspend(at: {
    until: number;
    /** The task as the stages saw it. */
    seen: TaskState | null;
    progress: PhaseProgress;
    written: string;
  }): Promise<false> {
    const { until, seen, progress, written } = at;
    const isUnchanged = this.#parts.state() === seen;
    const recorded = await this.#record();
    if (JSON.stringify(progress) !== written) writeProgress(this.#parts.sql, progress);
    // What happened while the stages were running may be what one of them waits for.
    const state = isUnchanged ? (recorded ?? seen) : seen;
    this.#wait = state === null ? null : { state, until };
    return false;
  }

  #begun(state: SettledState, phase: EndPhaseName): PhaseProgress {
    const { ports } = this.#parts;
    const started_at = this.#parts.now();
    const limitMs = endPhaseLimitMs(phase, state.task, ports.endPhases);
    const due = this.#endOfLast() ?? finishDueAt(state) ?? started_at;
    // From when it was due, so that a crash does not grant the limit anew.
    const deadline = Math.max(due + limitMs, started_at + Math.min(limitMs, LEAST_PHASE_MS));
    return { phase, started_at, deadline, settled: {}, tried: {} };
  }

  #passOf(state: SettledState, stages: EndStage[], progress: PhaseProgress): PhasePass {
    const { sql, ports, now } = this.#parts;
    return {
      progress,
      stages,
      now,
      context: () => ({ state: this.#latest(state), ports, log: () => readLog(sql) }),
      save: () => writeProgress(sql, progress),
      failed: (stage, cause) => this.#failed(stage, cause),
    };
  }

  #latest(before: SettledState): SettledState {
    const state = this.#parts.state();
    return state !== null && hasVerdict(state) ? state : before;
  }

  /** When the phase before was over, epoch milliseconds; null before the first is. */
  #endOfLast(): number | null {
    const last = this.#over.at(-1) ?? this.#parts.state()?.end_phases.at(-1);
    return last === undefined ? null : Date.parse(last.ended_at);
  }

  #failed({ name, phase }: EndStage, cause: unknown): void {
    const { tenant = "", task_id = "" } = this.#parts.state()?.origin ?? {};
    const detail = String(cause);
    this.#parts.ports.log("warning", "end_stage_failed", {
      tenant,
      task_id,
      stage: name,
      phase,
      detail,
    });
  }

  /** Writes the phases that are over; the task as that left it, or null when there were none. */
  async #record(): Promise<TaskState | null> {
    const phases = this.#over.splice(0);
    if (phases.length === 0) return null;
    const command: Command = { type: "finish", phases, report: null };
    return (await this.#parts.commit(command, this.#along(phases))).state;
  }

  /** What goes with the record of these phases: their progress, and what the task needs no more. */
  #along(phases: readonly EndPhaseRecord[]): () => void {
    const { sql, state } = this.#parts;
    return () => {
      if (readProgress(sql) !== null) removeProgress(sql);
      if (phases.every(({ name }) => name !== "cleanup")) return;
      removeAllHeld(sql);
      dropNotes(sql, state());
    };
  }

  /** The report, or the least that can be said where that cannot be composed: a task must end. */
  #compose(state: SettledState, facts: Parameters<typeof reportOf>[2]) {
    try {
      return reportOf(state, state.verdict, facts);
    } catch (cause) {
      const { tenant, task_id } = state.origin;
      const detail = String(cause);
      this.#parts.ports.log("error", "report_not_composed", { tenant, task_id, detail });
      return plainReportOf(state, state.verdict, facts);
    }
  }

  async #close(state: SettledState): Promise<void> {
    const { now, commit, ports } = this.#parts;
    const phases = this.#over.splice(0);
    const records = [...state.end_phases, ...phases];
    const failed = this.#failed.bind(this);
    const debt = debtsOf(state, records, { stages: endStages, failed });
    const advice = adviceOf(state, records, { stages: endStages, failed });
    const facts = { phases: records, debt, now: now(), advice };
    const report = this.#compose(state, facts);
    await commit(
      { type: "finish", phases, report: jsonObjectSchema.parse(report) },
      this.#along(phases),
    );
    const { tenant, task_id, trace_id } = state.origin;
    ports.log("info", "task_ended", {
      tenant,
      task_id,
      correlation_id: trace_id,
      reason: state.verdict.reason,
      severity: END_NOTICES[state.verdict.reason].severity,
      told_as: END_NOTICES[state.verdict.reason].told_as,
      completion_status: report.completion_status,
      finalization: report.finalization.outcome,
      task_type: state.task.task_type,
      attempts: state.attempt,
      duration_s: report.metrics.duration_s,
      cost_usd: report.metrics.cost_usd,
      tokens: report.metrics.tokens,
      debts: debt.length,
    });
  }
}
