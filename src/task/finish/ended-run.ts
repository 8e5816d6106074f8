import * as z from "zod";

import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import { dataBoundsOf } from "../../protocol/data-bounds.ts";
import type { EndedRun, RunAttempt } from "../../protocol/ended-run.ts";
import type { LoggedEvent } from "../machine/state.ts";
import { usageOf } from "../machine/state.ts";
import type { SettledState } from "./stage.ts";

/* What of a task's log is worth remembering after its end. */

/** Attempts, findings and texts that are told at most: a task may have had a thousand attempts. */
const MOST_ATTEMPTS = 20;
const MOST_TEXTS = 10;
const LONGEST_TEXT = 2_000;

const texts = z.array(z.string()).catch([]);

const startedSchema = z.object({
  model_selected: z.string().optional().catch(undefined),
});
const metadataSchema = z.object({
  model_used: z.string().optional().catch(undefined),
  cached_from: z.unknown().optional(),
});
const roundSchema = z.object({
  intermediate_results: z.object({
    quality_round: z.number(),
    model_id: z.string().nullable().catch(null),
    findings: z.array(z.object({ detail: z.string() })).catch([]),
    memory_ids: texts.optional(),
  }),
});
const failedSchema = z.object({
  error_type: z.string(),
  error_message: z.string(),
  root_cause: z.object({ detail: z.string() }),
  recovery_suggestions: texts.optional(),
});
const completedSchema = z.object({ lessons_learned: texts.optional() });
const rootCauseSchema = z.object({ detail: z.string() });

function cut(text: string): string {
  return text.slice(0, LONGEST_TEXT).toWellFormed();
}

function few(all: readonly string[] = []): string[] {
  return all.slice(0, MOST_TEXTS).map(cut);
}

function withModel(attempt: RunAttempt, model_id: string | undefined): RunAttempt {
  if (model_id === undefined || model_id === attempt.model_ids.at(-1)) return attempt;
  return { ...attempt, model_ids: [...attempt.model_ids, model_id].slice(-MOST_TEXTS) };
}

function begun(executor: string, data: unknown): RunAttempt {
  const { data: said } = startedSchema.safeParse(data);
  const attempt: RunAttempt = {
    executor,
    model_ids: [],
    memory_ids: [],
    failure: null,
    rounds: [],
    is_completed: false,
  };
  return withModel(attempt, said?.model_selected);
}

/** With what a round was told of memory. Others may write what they like there: they are told nothing. */
function withMemories({ executor, memory_ids }: RunAttempt, told: readonly string[] = []) {
  if (executor !== BUILTIN_AGENT_ID) return memory_ids;
  return few([...new Set([...memory_ids, ...told])]);
}

/** An attempt after one of its notifications; what that says of other things is not looked at. */
function heard(attempt: RunAttempt, type: LoggedEvent["type"], data: unknown): RunAttempt {
  if (type === "task_progress") {
    const { data: said } = roundSchema.safeParse(data);
    if (said === undefined) return attempt;
    const { model_id, findings, memory_ids } = said.intermediate_results;
    const round = { model_id, findings: few(findings.map(({ detail }) => detail)) };
    return {
      ...attempt,
      memory_ids: withMemories(attempt, memory_ids),
      rounds: [...attempt.rounds, round].slice(-MOST_TEXTS),
    };
  }
  if (type === "task_failed") {
    const { data: said } = failedSchema.safeParse(data);
    if (said === undefined) return attempt;
    const failure = {
      type: cut(said.error_type),
      message: cut(said.error_message),
      cause: cut(said.root_cause.detail),
      suggestions: few(said.recovery_suggestions),
    };
    return { ...attempt, failure };
  }
  return type === "task_completed" ? { ...attempt, is_completed: true } : attempt;
}

interface Told {
  attempts: RunAttempt[];
  lessons_learned: string[];
}

function after({ attempts, lessons_learned }: Told, event: LoggedEvent): Told {
  const { actor, type, data } = event;
  if (actor.kind !== "executor") return { attempts, lessons_learned };
  if (type === "task_started") {
    const next = [...attempts, begun(actor.id, data["data"])];
    return { attempts: next.slice(-MOST_ATTEMPTS), lessons_learned };
  }
  const last = attempts.at(-1);
  if (last === undefined) return { attempts, lessons_learned };
  const { data: metadata } = metadataSchema.safeParse(data["metadata"]);
  // What was given again was done by nobody: there is nothing to learn from it.
  const isGivenAgain =
    type === "task_completed" &&
    actor.id === BUILTIN_AGENT_ID &&
    metadata?.cached_from !== undefined;
  if (isGivenAgain) return { attempts: attempts.slice(0, -1), lessons_learned };
  const attempt = withModel(heard(last, type, data["data"]), metadata?.model_used);
  const learned =
    type === "task_completed" ? completedSchema.safeParse(data["data"]).data : undefined;
  return {
    attempts: [...attempts.slice(0, -1), attempt],
    lessons_learned: learned === undefined ? lessons_learned : few(learned.lessons_learned),
  };
}

function errorOf({ verdict }: SettledState): EndedRun["error"] {
  if (verdict.error === null) return null;
  const { type, message, root_cause } = verdict.error;
  const cause = rootCauseSchema.safeParse(root_cause).data?.detail ?? "";
  return { type: cut(type), message: cut(message), cause: cut(cause) };
}

/**
 * An ended task as long-term memory is told of it: what each attempt went by and came to, in the words of its log.
 * Equal logs give equal runs. It never throws: what a notification does not say is missing.
 *
 * @param log the whole log in portions
 */
export function endedRunOf(state: SettledState, log: Iterable<readonly LoggedEvent[]>): EndedRun {
  let told: Told = { attempts: [], lessons_learned: [] };
  for (const events of log) told = events.reduce(after, told);
  const { task, verdict, escalation, memo } = state;
  const quality = verdict.quality ?? memo?.end?.quality_assessment ?? null;
  return {
    ...told,
    task_id: state.origin.task_id,
    task_type: task.task_type,
    description: cut(task.description),
    tags: task.tags ?? [],
    bounds: dataBoundsOf(task),
    reason: verdict.reason,
    ended_at: verdict.at,
    quality: quality?.overall_score ?? null,
    cost_usd: usageOf(state).cost_usd,
    error: errorOf(state),
    // An approval is asked for whatever the task is: nothing is learned from it.
    escalation:
      escalation === null || escalation.kind === "approval"
        ? null
        : {
            question: cut(escalation.question),
            answer: escalation.answer === null ? null : cut(escalation.answer),
          },
  };
}
