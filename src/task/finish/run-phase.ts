import type { Clock } from "../../lib/ports.ts";
import { instant } from "../../lib/ports.ts";
import { TIMED_OUT, withinLimit } from "../../lib/within-limit.ts";
import type { EndPhaseName } from "../../protocol/enums.ts";
import type { EndPhaseRecord } from "../../protocol/task-view.ts";
import { StageShortfall } from "./stage.ts";
import type { EndStage, StageAnswer, StageContext } from "./stage.ts";

/** Tries of a stage that does not say how often. */
const DEFAULT_ATTEMPTS = 3;

/** The pause after the first failure of a stage, and by how much each further one is longer. Milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const PAUSE_FACTOR = 4;

/** What the stages that come last are left of a phase's time: at most this, and never more than half. Milliseconds. */
const RESERVE_MS = 5_000;

/** How long a fallback may take, beyond the limit of its phase. Milliseconds. */
const FALLBACK_MS = 2_000;

/** What a stage gets for its first try, where the phase is over already. Milliseconds. */
const LEAST_TRY_MS = 2_000;

/** What came of one stage. */
interface StageResult {
  outcome: "done" | "fallback" | "timed_out";
  attempts: number;
  detail: string;
}

/** How far a phase is. Instants are epoch milliseconds. */
export interface PhaseProgress {
  phase: EndPhaseName;
  started_at: number;
  /** By when it must be over. */
  deadline: number;
  /** Stages that are over, by name. */
  settled: Record<string, StageResult>;
  /** Tries of stages that are not. */
  tried: Record<string, { attempts: number; next_at: number }>;
}

/** What one pass over the stages of a phase needs. */
export interface PhasePass {
  progress: PhaseProgress;
  stages: readonly EndStage[];
  now: Clock;
  context: () => Omit<StageContext, "signal">;
  /** Called when a stage that reached outside is over while others are not: what came of it must be written. */
  save: () => void;
  failed: (stage: EndStage, cause: unknown) => void;
}

function isOpen({ progress }: PhasePass, stage: EndStage): boolean {
  return progress.settled[stage.name] === undefined;
}

/** By when a stage must be over: those before the last leave these some time. */
function deadlineOf({ stages, progress }: PhasePass, stage: EndStage): number {
  const { deadline, started_at } = progress;
  const isFollowed = stage.isLast !== true && stages.some(({ isLast }) => isLast === true);
  return isFollowed ? deadline - Math.min(RESERVE_MS, (deadline - started_at) / 2) : deadline;
}

async function giveUp(pass: PhasePass, stage: EndStage, result: StageResult): Promise<void> {
  const { fallback } = stage;
  let detail = result.detail;
  if (fallback !== undefined) {
    try {
      const fallen = await withinLimit(FALLBACK_MS, (signal) =>
        fallback({ ...pass.context(), signal }),
      );
      if (fallen !== TIMED_OUT) detail = `${detail}; its fallback was taken`;
    } catch (cause) {
      pass.failed(stage, cause);
    }
  }
  settle(pass, stage, { ...result, detail });
}

function settle(pass: PhasePass, stage: EndStage, result: StageResult): void {
  const { progress, stages, save } = pass;
  progress.settled[stage.name] = result;
  delete progress.tried[stage.name];
  if (stage.isLocal !== true && stages.some((other) => isOpen(pass, other))) save();
}

async function failedOnce(
  pass: PhasePass,
  stage: EndStage,
  { attempts, cause }: { attempts: number; cause: unknown },
): Promise<void> {
  const next_at = pass.now() + FIRST_PAUSE_MS * PAUSE_FACTOR ** (attempts - 1);
  const isFinal = cause instanceof StageShortfall;
  const isLast = isFinal || attempts >= (stage.attempts ?? DEFAULT_ATTEMPTS);
  if (isLast || next_at >= deadlineOf(pass, stage)) {
    const detail = isFinal ? cause.message : "failed each time";
    await giveUp(pass, stage, { outcome: "fallback", attempts, detail });
  } else {
    pass.progress.tried[stage.name] = { attempts, next_at };
  }
}

async function tryStage(pass: PhasePass, stage: EndStage): Promise<void> {
  const { progress, now } = pass;
  const trial = progress.tried[stage.name];
  const before = trial?.attempts ?? 0;
  const due = deadlineOf(pass, stage) - now();
  // However late it is, nothing is given up that was not tried once.
  const left = trial === undefined ? Math.max(due, LEAST_TRY_MS) : due;
  if (left <= 0) {
    const detail = "not done within its limit";
    await giveUp(pass, stage, { outcome: "timed_out", attempts: before, detail });
    return;
  }
  if (trial !== undefined && trial.next_at > now()) return;
  let answer: StageAnswer | typeof TIMED_OUT;
  try {
    answer = await withinLimit(left, (signal) => stage.run({ ...pass.context(), signal }));
  } catch (cause) {
    pass.failed(stage, cause);
    await failedOnce(pass, stage, { attempts: before + 1, cause });
    return;
  }
  if (answer === TIMED_OUT) {
    const detail = "cut at its limit";
    await giveUp(pass, stage, { outcome: "timed_out", attempts: before + 1, detail });
  } else if (answer === "waiting") {
    progress.tried[stage.name] = { attempts: before, next_at: 0 };
  } else {
    settle(pass, stage, { outcome: "done", attempts: before + 1, detail: "" });
  }
}

/** When a stage that is not over is to be looked at again, if nothing happens before. */
function againAt(pass: PhasePass, stage: EndStage): number {
  const next = pass.progress.tried[stage.name]?.next_at ?? 0;
  const deadline = deadlineOf(pass, stage);
  return next === 0 ? deadline : Math.min(next, deadline);
}

/**
 * Runs what can be run of a phase now: the stages side by side, then those that come last.
 *
 * Never throws, and takes no longer than the phase's limit, and for what came to nothing then the time of its
 * fallback: 2 s for the stages side by side, and 2 s for those that come last.
 *
 * @returns when to go on at the latest, epoch milliseconds; null when every stage is over
 */
export async function passPhase(pass: PhasePass): Promise<number | null> {
  const turns = [
    pass.stages.filter(({ isLast }) => isLast !== true),
    pass.stages.filter(({ isLast }) => isLast === true),
  ];
  for (const turn of turns) {
    await Promise.all(
      turn.filter((stage) => isOpen(pass, stage)).map((stage) => tryStage(pass, stage)),
    );
    const open = turn.filter((stage) => isOpen(pass, stage));
    if (open.length > 0) return Math.min(...open.map((stage) => againAt(pass, stage)));
  }
  await askAgain(pass);
  return null;
}

/** What a local stage waited for in vain may have come while the last ones were running: an accepted word counts. */
async function askAgain(pass: PhasePass): Promise<void> {
  const { stages, progress, context } = pass;
  for (const stage of stages.filter(({ isLocal }) => isLocal === true)) {
    const { settled } = progress;
    const known = settled[stage.name];
    if (known?.outcome !== "timed_out") continue;
    try {
      const answer = await withinLimit(FALLBACK_MS, (signal) =>
        stage.run({ ...context(), signal }),
      );
      if (answer === "done") settled[stage.name] = { ...known, outcome: "done", detail: "" };
    } catch (cause) {
      pass.failed(stage, cause);
    }
  }
}

const WORST_FIRST = ["timed_out", "fallback", "done"] as const;

/** The record of a phase whose stages are over. */
export function recordOf(
  progress: PhaseProgress,
  stages: readonly EndStage[],
  ended_at: number,
): EndPhaseRecord {
  const results = stages.map(({ name }) => progress.settled[name]);
  const outcome = WORST_FIRST.find((kind) => results.some((result) => result?.outcome === kind));
  return {
    name: progress.phase,
    outcome: outcome ?? "skipped",
    started_at: instant(progress.started_at),
    ended_at: instant(Math.max(ended_at, progress.started_at)),
    attempts: Math.max(0, ...results.map((result) => result?.attempts ?? 0)),
    checks: stages.map(({ check }, index) => ({
      name: check,
      passed: results[index]?.outcome === "done",
      detail: results[index]?.detail ?? "",
    })),
  };
}
