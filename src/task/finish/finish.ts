import type { Clock } from "../../lib/ports.ts";
import { instant } from "../../lib/ports.ts";
import type { EndPhaseRecord, Report } from "../../protocol/task-view.ts";
import type { Command } from "../machine/commands.ts";
import type { TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import { announcementOf, pooledAttempt } from "../outbox.ts";
import { outcomeOf } from "../pool-outcome.ts";
import type { TaskPorts } from "../ports.ts";
import type { EndStage } from "./phases.ts";
import { END_PHASE_LIMIT_MS, runPhase } from "./phases.ts";
import { reportOf } from "./report.ts";

/** A task that wakes long after its phases were due still gives each of them this much. Milliseconds. */
const LEAST_PHASE_MS = 5_000;

function stagesOf(state: TaskState, ports: TaskPorts): EndStage[] {
  const { tenant, task_id } = state.origin;
  const { pool } = state.task;
  const expires = state.updated_at + announcementOf(state).slot_seconds * 1_000;
  return [
    {
      phase: "cleanup",
      check: "slot released",
      run: async () => {
        try {
          const attempt = pooledAttempt(state);
          await ports.release(tenant, pool, { task_id, attempt, outcome: outcomeOf(null, state) });
        } catch (cause) {
          const detail = String(cause);
          ports.log("warning", "slot_not_released", { tenant, task_id, pool, detail });
          throw cause;
        }
      },
      debt: {
        what: `the slot of attempt ${state.attempt}`,
        owner: `pool ${pool}`,
        expires_at: instant(expires),
      },
    },
  ];
}

/**
 * Carries out the end phases in order and gives the command that closes the task.
 *
 * It always comes to that end: a phase that fails or hangs is cut at its limit, leaves its debt in the
 * report, and the next one starts. Limits count from when the phases were due, so that a crash in
 * between does not grant them anew.
 */
export async function finishTask(
  state: TaskState,
  finish: { ports: TaskPorts; due: number; now: Clock; limitMs?: number },
): Promise<Extract<Command, { type: "finish" }>> {
  if (!hasVerdict(state)) throw new Error("a task without a verdict cannot be finished");
  const { ports, due, now, limitMs = END_PHASE_LIMIT_MS } = finish;
  const phases: EndPhaseRecord[] = [];
  const debt: Report["cleanup_debt"] = [];
  const deadline = (order: number): number =>
    Math.max(due + limitMs * order, now() + Math.min(limitMs, LEAST_PHASE_MS));
  const cleanup = await runPhase("cleanup", stagesOf(state, ports), deadline(1), now);
  phases.push(cleanup.record);
  debt.push(...cleanup.debt);
  for (const name of ["reporting", "notification"] as const) {
    phases.push(handedToLog(name, now));
  }
  const report = reportOf(state, state.verdict, { phases, debt, now: now() });
  return { type: "finish", phases, report: { ...report } };
}

/** Reporting and notification are one append to the log, which the outbox carries out of the house. */
function handedToLog(name: "reporting" | "notification", now: Clock): EndPhaseRecord {
  const at = instant(now());
  return {
    name,
    outcome: "done",
    started_at: at,
    ended_at: at,
    attempts: 1,
    checks: [
      {
        name: name === "reporting" ? "report written" : "final notification in the outbox",
        passed: true,
        detail: "",
      },
    ],
  };
}
