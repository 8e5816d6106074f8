import type { Result } from "../../../lib/result.ts";
import type { AgentEndTask } from "../../../protocol/agent-end-task.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import type { Attempt } from "../attempt.ts";
import type { Course } from "../course.ts";
import { storeResult } from "../reuse.ts";
import type { Ending } from "../rounds.ts";
import { isKeepable } from "./bounds.ts";
import { complete, escalate, fail } from "./tell.ts";
import type { Completion, Failing } from "./tell.ts";

type Done = Result<Ending, Refusal>;
type Told = Promise<Result<unknown, Refusal>>;

/** Ends the attempt before its work is done, with the best there is. */
function cutShort(
  { session }: Attempt,
  { best }: Course,
  end: Pick<AgentEndTask, "reason" | "error_information">,
): Told {
  const output = best?.made.output;
  return session.end({
    ...end,
    ...(output !== undefined && isKeepable(output) && { result_data: { output } }),
  });
}

/** The consumer has to stop before the task's own time is over: the next attempt goes on from the journal. */
const HANDED_ON: Failing = {
  error_type: "time_slice_over",
  error_message: "The attempt reached the longest run of the built-in executor, and is handed on",
  root_cause: {
    class: "time_slice",
    detail: "One run of the built-in executor takes at most 14 minutes",
    evidence: "What is done so far is in the task's checkpoint",
  },
  recovery_suggestions: ["Register an executor for tasks of this length"],
  retry_recommended: true,
};

/** A dependency could not be reached, or the executor itself has a bug. */
const BROKEN: Failing = {
  error_type: "executor_fault",
  error_message: "The built-in executor could not go on: something that it works with broke down",
  root_cause: {
    class: "executor_fault",
    detail: "The fault is the executor's, not the task's",
    evidence: "The log of the executor has the cause (execution_broken)",
  },
  recovery_suggestions: ["Try the task again; if it fails so every time, look into the log"],
  retry_recommended: true,
};

function outOfTime(attempt: Attempt, course: Course): Told {
  const isBudget = attempt.session.isTimeBudgeted;
  const limit = isBudget ? "the end of contract.budget.max_duration_s" : "the attempt's timeout";
  return cutShort(attempt, course, {
    reason: isBudget ? "resource_exhausted" : "timeout",
    error_information: {
      error_code: isBudget ? "budget_exhausted" : "out_of_time",
      error_message: `There is no time left for another step before ${limit}`,
    },
  });
}

/** Asks whether to go on: neither a run of the executor nor an attempt may rest for longer. No retry is spent on it. */
function stillPaused(attempt: Attempt): Told {
  return escalate(attempt, {
    cause: "paused",
    reason: "The task has been paused for as long as an attempt of the built-in executor may take",
    question: "Resume the task where it stands, change it, or cancel it?",
    evidence: ["What is done so far is in the task's checkpoint"],
    unblock: ["Resume the task once it may go on: it begins at the step at which it was paused"],
  });
}

function stopped(attempt: Attempt, course: Course, done: Done): Told {
  const { stop, isResting } = attempt.session;
  switch (stop) {
    case "cancelled":
      return cutShort(attempt, course, { reason: "cancelled" });
    case "out_of_time":
      return isResting ? stillPaused(attempt) : outOfTime(attempt, course);
    case "slice_over":
      return isResting ? stillPaused(attempt) : fail(attempt, HANDED_ON);
    case "lease_lost":
    case null:
      return Promise.resolve(done);
  }
}

/** A failure that is to be tried again chooses anew: what failed now is known to the selection then. */
async function failed(attempt: Attempt, failing: Failing): Told {
  if (failing.retry_recommended) {
    attempt.journal.forget("choice:");
    attempt.journal.forget("told:");
    const kept = await attempt.session.save();
    if (!kept.ok) return kept;
  }
  return fail(attempt, failing);
}

/** Stores a result that may be given again. The task is over: what goes wrong here is logged. */
async function store(attempt: Attempt, { completed }: Completion): Promise<void> {
  if (completed === null) return;
  await quietly(attempt, "result_not_stored", () => storeResult(attempt, completed));
}

async function quietly(
  { ports, task }: Attempt,
  event: string,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (cause) {
    // What is told stands: beside it this may be lost, and must not repeat the message.
    ports.log("error", event, { task_id: task.task_id ?? "", detail: String(cause) });
  }
}

/** Tells the task how its work came out. Refused when the lease is gone. */
export async function finish(attempt: Attempt, done: Done, course: Course): Told {
  if (!done.ok) return stopped(attempt, course, done);
  switch (done.value.kind) {
    case "good": {
      const { session } = attempt;
      const { reviewed } = done.value;
      if (course.rounds.length > 0)
        session.facts = { ...session.facts, rounds: course.rounds.length };
      const completion = await complete(attempt, reviewed);
      await store(attempt, completion);
      return completion.said;
    }
    case "failed":
      return failed(attempt, done.value.failing);
    case "short": {
      const message = `What is left of the budget (${done.value.by}) does not pay the next call of a model`;
      const error_information = { error_code: "budget_exhausted", error_message: message };
      return cutShort(attempt, course, { reason: "resource_exhausted", error_information });
    }
    case "late":
      return outOfTime(attempt, course);
    case "stopped":
      return stopped(attempt, course, done);
  }
}

/**
 * Ends an attempt under which something broke, to be tried again: left to its heartbeat the task would wait for the
 * same, and nobody would hear why. What broke is in the log, not in the message.
 */
export async function giveUp(attempt: Attempt): Told {
  const { session, task } = attempt;
  if (!session.hasStarted) {
    const told = await session.notify("task_started", {
      task_type: task.task_type,
      estimated_duration: 1,
      complexity: "low",
    });
    if (!told.ok) return told;
  }
  await quietly(attempt, "journal_not_saved", async () => void (await session.save()));
  return fail(attempt, BROKEN);
}

/** Tells the selection what came of its choices, after the verdict, which it can't change. Memory hears of the end. */
export async function tellTeachers(attempt: Attempt, course: Course): Promise<void> {
  const { ports, tenant } = attempt;
  for (const outcome of course.outcomes) {
    await quietly(attempt, "outcome_not_learned", () => ports.router.learn(tenant, outcome));
  }
}
