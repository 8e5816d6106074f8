import type { Result } from "../../../lib/result.ts";
import type { AgentEndTask } from "../../../protocol/agent-end-task.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import type { Attempt } from "../attempt.ts";
import type { Course } from "../course.ts";
import { storeResult } from "../reuse.ts";
import type { Ending } from "../rounds.ts";
import { complete, fail } from "./tell.ts";
import type { Completion, Failing } from "./tell.ts";

type Done = Result<Ending, Refusal>;
type Told = Promise<Result<unknown, Refusal>>;

/** Ends the attempt before its work is done, with the best there is. */
function cutShort(
  { session }: Attempt,
  { best }: Course,
  end: Pick<AgentEndTask, "reason" | "error_information">,
): Told {
  return session.end({
    ...end,
    ...(best !== null && { result_data: { output: best.made.output } }),
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

function outOfTime(attempt: Attempt, course: Course): Told {
  const error_message = "There is no time left for another step before the attempt's timeout";
  return cutShort(attempt, course, {
    reason: "timeout",
    error_information: { error_code: "out_of_time", error_message },
  });
}

function stopped(attempt: Attempt, course: Course, done: Done): Told {
  switch (attempt.session.stop) {
    case "cancelled":
      return cutShort(attempt, course, { reason: "cancelled" });
    case "out_of_time":
      return outOfTime(attempt, course);
    case "slice_over":
      return fail(attempt, HANDED_ON);
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
    // The verdict stands: what is learned from it may be lost, and must not repeat the message.
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

/** Tells the selection what came of its choices, after the verdict, which it can't change. Memory hears of the end. */
export async function tellTeachers(attempt: Attempt, course: Course): Promise<void> {
  const { ports, tenant } = attempt;
  for (const outcome of course.outcomes) {
    await quietly(attempt, "outcome_not_learned", () => ports.router.learn(tenant, outcome));
  }
}
