import { instant } from "../../lib/ports.ts";
import type { Clock } from "../../lib/ports.ts";
import type { EndPhaseName } from "../../protocol/enums.ts";
import type { EndPhaseRecord, Report } from "../../protocol/task-view.ts";

/** How long each end phase may take, milliseconds (protocol.md §7, Verdict: 30 s each). */
export const END_PHASE_LIMIT_MS = 30_000;

/** How often a phase tries its work before it takes the fallback. */
const PHASE_ATTEMPTS = 3;

/** A thing that a phase does. It must be safe to do twice, and logs what breaks in it. */
export interface EndStage {
  phase: EndPhaseName;
  /** What is checked by its success, in words for the report. */
  check: string;
  run: () => Promise<void>;
  /** What stays undone when it fails for good: the debt that someone else must repair. */
  debt: Report["cleanup_debt"][number] | null;
}

/** What came of one phase. */
export interface PhaseOutcome {
  record: EndPhaseRecord;
  debt: Report["cleanup_debt"];
}

const TIMED_OUT = Symbol("timed out");

async function withinLimit(work: Promise<void>, limitMs: number): Promise<typeof TIMED_OUT | null> {
  const limit = Promise.withResolvers<typeof TIMED_OUT>();
  // It only ends the waiting: what must happen later is the alarm's business.
  const timer = setTimeout(() => limit.resolve(TIMED_OUT), limitMs);
  try {
    return await Promise.race([work.then(() => null), limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

interface StageResult {
  outcome: "done" | "fallback" | "timed_out";
  attempts: number;
  detail: string;
}

async function runStage(stage: EndStage, deadline: number, now: Clock): Promise<StageResult> {
  for (let attempt = 1; attempt <= PHASE_ATTEMPTS; attempt += 1) {
    const left = deadline - now();
    if (left <= 0)
      return { outcome: "timed_out", attempts: attempt - 1, detail: "its time was over" };
    try {
      const ended = await withinLimit(stage.run(), left);
      if (ended === TIMED_OUT) {
        return { outcome: "timed_out", attempts: attempt, detail: "cut at its limit" };
      }
      return { outcome: "done", attempts: attempt, detail: "" };
    } catch {
      // The stage has logged what broke; the report is public and says only that it did.
      continue;
    }
  }
  return { outcome: "fallback", attempts: PHASE_ATTEMPTS, detail: "failed each time" };
}

const WORST_FIRST = ["timed_out", "fallback", "done"] as const;

/**
 * Runs the stages of one end phase within its limit. Never throws and never hangs: a stage that fails or
 * does not come to an end leaves its debt, and the next phase starts.
 *
 * @param deadline epoch milliseconds
 */
export async function runPhase(
  name: EndPhaseName,
  stages: readonly EndStage[],
  deadline: number,
  now: Clock,
): Promise<PhaseOutcome> {
  const started = now();
  const own = stages.filter((stage) => stage.phase === name);
  const results: StageResult[] = [];
  for (const stage of own) results.push(await runStage(stage, deadline, now));
  const outcome =
    own.length === 0
      ? "skipped"
      : (WORST_FIRST.find((kind) => results.some((result) => result.outcome === kind)) ?? "done");
  return {
    record: {
      name,
      outcome,
      started_at: instant(started),
      ended_at: instant(now()),
      attempts: Math.max(0, ...results.map(({ attempts }) => attempts)),
      checks: own.map((stage, index) => ({
        name: stage.check,
        passed: results[index]?.outcome === "done",
        detail: results[index]?.detail ?? "",
      })),
    },
    debt: own.flatMap((stage, index) =>
      results[index]?.outcome === "done" || stage.debt === null ? [] : [stage.debt],
    ),
  };
}
