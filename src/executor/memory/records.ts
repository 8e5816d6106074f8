import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import type { EndedRun, RunAttempt } from "../../protocol/ended-run.ts";
import type { TaskType } from "../../protocol/enums.ts";
import type { MemoryStatement } from "../../protocol/memory.ts";
import { cleaned, kept, type MemoryDraft } from "./draft.ts";

/** What no model did has this for its model: the executor's own skills. */
const BUILTIN_MODEL = "builtin";

/** Lessons of one task: one for each model that failed it, the first ones. */
const MOST_LESSONS = 3;

/** Characters of one part of a text, so that the parts behind it have room. */
const LONGEST_DESCRIPTION = 400;
const LONGEST_PART = 300;

const MOST_FINDINGS = 3;

function verdictOf({ reason }: EndedRun): MemoryDraft["verdict"] {
  switch (reason) {
    case "success":
      return "success";
    case "escalated":
      return "escalated";
    case "cancelled":
      return null;
    case "failure":
    case "timeout":
    case "resource_exhausted":
      return "failure";
  }
}

/** The model that an attempt ended with. */
function modelOf({ model_ids }: RunAttempt): string {
  return model_ids.at(-1) ?? BUILTIN_MODEL;
}

function quoted(run: EndedRun): string {
  return `${run.task_type} task "${kept(run.description, LONGEST_DESCRIPTION)}"`;
}

type Common = Pick<
  MemoryDraft,
  "task_type" | "topic" | "task_id" | "bounds" | "cost_usd" | "quality" | "created_at"
>;

function commonOf(run: EndedRun): Common {
  return {
    task_type: run.task_type,
    topic: null,
    task_id: run.task_id,
    bounds: run.bounds,
    cost_usd: run.cost_usd,
    quality: run.quality,
    created_at: run.ended_at,
  };
}

function outcomeOf(run: EndedRun): MemoryDraft {
  const last = run.attempts.at(-1);
  const model = last === undefined ? null : modelOf(last);
  const attempts = run.attempts.length === 1 ? "1 attempt" : `${run.attempts.length} attempts`;
  const facts = [
    `${quoted(run)} ended with ${run.reason} after ${attempts}`,
    ...(model === null ? [] : [`by ${last?.executor} with ${model}`]),
    ...(run.quality === null ? [] : [`quality ${run.quality.toFixed(2)}`]),
    ...(run.cost_usd === 0 ? [] : [`cost ${run.cost_usd.toFixed(4)} USD`]),
    ...(run.error === null ? [] : [`because ${kept(run.error.message, LONGEST_PART)}`]),
  ];
  const learned = run.lessons_learned.map((text) => kept(text, LONGEST_PART)).slice(0, 3);
  return cleaned({
    ...commonOf(run),
    kind: "outcome",
    text: [`${facts.join(", ")}.`, ...learned.map((text) => `Learned: ${text}`)].join(" "),
    subject: run.description,
    tags: [run.task_type, run.reason, ...run.tags],
    model_id: model,
    is_blamed: false,
    executor: last?.executor ?? null,
    verdict: verdictOf(run),
  });
}

/** What somebody or something failed at: a model of an attempt, and why. */
interface Fault {
  attempt: RunAttempt;
  model: string;
  why: string;
  /** Whether it was the model's own work that would not do. */
  isOwn: boolean;
}

/** Failures of the built-in executor that say of the work of its models or skills that it would not do. */
const OF_QUALITY: readonly string[] = [
  "quality_not_reached",
  "result_rejected",
  "model_output_unusable",
];

/** Whether an attempt of the built-in executor failed because what was made was not good enough. */
function isOfQuality({ executor, failure }: RunAttempt): boolean {
  return executor === BUILTIN_AGENT_ID && failure !== null && OF_QUALITY.includes(failure.type);
}

/** What the quality gate objected to before somebody mended it: of the round that was given it is no fault. */
function mendedOf(attempt: RunAttempt): Fault[] {
  const before = attempt.is_completed ? attempt.rounds.slice(0, -1) : attempt.rounds;
  return before.flatMap(({ model_id, findings }) => {
    const found = findings.slice(0, MOST_FINDINGS).map((text) => kept(text, LONGEST_PART));
    if (found.length === 0) return [];
    const why = `its result was not good enough: ${found.join("; ")}`;
    const isOwn = attempt.executor === BUILTIN_AGENT_ID;
    return [{ attempt, model: model_id ?? BUILTIN_MODEL, why, isOwn }];
  });
}

/** Faults of one attempt: what had to be mended, and its failure. */
function faultsOf(attempt: RunAttempt): Fault[] {
  const { failure } = attempt;
  const mended = mendedOf(attempt);
  if (failure === null) return mended;
  const cause = failure.cause === "" ? "" : ` (${kept(failure.cause, LONGEST_PART)})`;
  const why = `${failure.type}: ${kept(failure.message, LONGEST_PART)}${cause}`;
  return [...mended, { attempt, model: modelOf(attempt), why, isOwn: isOfQuality(attempt) }];
}

/** The attempt that brought the task to a success after all. */
function winnerOf(run: EndedRun): RunAttempt | undefined {
  return run.reason === "success" ? run.attempts.find((one) => one.is_completed) : undefined;
}

/** Whether the model did it in the end: then it is not one to be avoided. */
function hasMended(run: EndedRun, { attempt, model }: Fault): boolean {
  const winner = winnerOf(run);
  return winner?.executor === attempt.executor && modelOf(winner) === model;
}

/** What helped after a fault, as far as the log tells. */
function helpOf(run: EndedRun, { attempt, model }: Fault): string {
  const winner = winnerOf(run);
  if (winner !== undefined) {
    const other = modelOf(winner);
    const how = other === model ? "a further try" : other;
    const who = winner.executor === attempt.executor ? "" : ` of ${winner.executor}`;
    return `What helped: ${how}${who}.`;
  }
  const advice = (attempt.failure?.suggestions ?? []).slice(0, MOST_FINDINGS);
  if (advice.length === 0) return "Nothing helped.";
  return `Nothing helped; it suggested: ${advice.map((text) => kept(text, LONGEST_PART)).join("; ")}.`;
}

function lessonOf(
  run: EndedRun,
  lesson: Pick<MemoryDraft, "text" | "model_id" | "is_blamed" | "executor" | "verdict"> & {
    why: string;
  },
): MemoryDraft {
  const { why, ...said } = lesson;
  return cleaned({
    ...commonOf(run),
    ...said,
    kind: "lesson",
    subject: `${run.description} ${why}`,
    tags: [run.task_type, said.verdict ?? run.reason, ...run.tags],
  });
}

function failuresOf(run: EndedRun): MemoryDraft[] {
  // Of a model's faults the one is told that was its own, if there is one.
  const faults = run.attempts
    .flatMap(faultsOf)
    .toSorted((one, other) => Number(other.isOwn) - Number(one.isOwn));
  const first = faults.filter(
    ({ model }, index) => faults.findIndex((other) => other.model === model) === index,
  );
  return first.slice(0, MOST_LESSONS).map((fault) => {
    const { attempt, model, why, isOwn } = fault;
    const isMended = hasMended(run, fault);
    const text = `In the ${quoted(run)} ${attempt.executor} failed with ${model}: ${why}. ${helpOf(run, fault)}`;
    return lessonOf(run, {
      text,
      why,
      model_id: model,
      is_blamed: isOwn && !isMended,
      executor: attempt.executor,
      verdict: isMended ? "success" : "failure",
    });
  });
}

/** That the end itself came to nothing, where no attempt said why: a limit, a lost lease. */
function unexplained(run: EndedRun): MemoryDraft[] {
  if (verdictOf(run) !== "failure" || run.attempts.some(({ failure }) => failure !== null))
    return [];
  const last = run.attempts.at(-1);
  const why = run.error === null ? run.reason : `${run.error.type}: ${run.error.message}`;
  return [
    lessonOf(run, {
      text: `The ${quoted(run)} ended with ${run.reason}: ${kept(why, LONGEST_PART)}. Nothing helped.`,
      why,
      model_id: last === undefined ? null : modelOf(last),
      is_blamed: false,
      executor: last?.executor ?? null,
      verdict: "failure",
    }),
  ];
}

/** Whoever deploys or configures is told hosts and what opens them. */
const SECRETIVE: readonly TaskType[] = ["deployment", "configuration"];

/** A question whose answer may be a secret, which has no form that gives it away. */
const ASKS_FOR_SECRET =
  /passw|passphrase|secret|token|credential|\b(?:key|pin|login)s?\b|contraseña|clave|credencial/i;

/** What was answered, where it may outlive the task. */
function answerOf(
  { task_type }: EndedRun,
  { question, answer }: NonNullable<EndedRun["escalation"]>,
): string {
  if (answer === null) return "nobody answered";
  return SECRETIVE.includes(task_type) || ASKS_FOR_SECRET.test(question)
    ? "it was answered"
    : `the answer was: ${kept(answer, LONGEST_PART)}`;
}

function escalationOf(run: EndedRun): MemoryDraft[] {
  const { escalation } = run;
  if (escalation === null) return [];
  const question = kept(escalation.question, LONGEST_PART);
  const answer = answerOf(run, escalation);
  return [
    lessonOf(run, {
      text: `The ${quoted(run)} had to ask: ${question}; ${answer}. It ended with ${run.reason}.`,
      why: question,
      model_id: null,
      is_blamed: false,
      executor: run.attempts.at(-1)?.executor ?? null,
      verdict: "escalated",
    }),
  ];
}

/**
 * What an ended task leaves in long-term memory: always its outcome; a lesson for each model that failed at it, whether
 * the task went wrong for it or was mended, one where nobody said why it came to nothing, and one for its last
 * question. At most six. They are about what the executor's own attempts and their successors did.
 */
export function draftsOf(run: EndedRun): MemoryDraft[] {
  return [outcomeOf(run), ...failuresOf(run), ...unexplained(run), ...escalationOf(run)];
}

/**
 * How much what the built-in executor was told is worth, in [0, 1]: the quality of what it made, 0 where that would not
 * do. Null where nobody knows: an outage, a limit, a cancellation or bad input say nothing of it.
 */
export function worthOf({ reason, quality, attempts }: EndedRun): number | null {
  const last = attempts.findLast(({ executor }) => executor === BUILTIN_AGENT_ID);
  if (last === undefined) return null;
  if (last.is_completed) return reason === "success" ? (quality ?? 1) : null;
  return isOfQuality(last) ? 0 : null;
}

/** What somebody states. */
export function statedDraft(statement: MemoryStatement, now: number): MemoryDraft {
  const { kind, topic, text, tags, task_type } = statement;
  return cleaned({
    kind,
    text,
    subject: `${topic?.replaceAll(/[_.:/-]/g, " ") ?? ""} ${text}`,
    task_type: task_type ?? null,
    tags,
    topic: topic ?? null,
    task_id: null,
    bounds: null,
    model_id: null,
    is_blamed: false,
    executor: null,
    verdict: null,
    cost_usd: null,
    quality: null,
    created_at: now,
  });
}
