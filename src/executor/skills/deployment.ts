import { ok, refuse } from "../../lib/result.ts";
import { callHook, verify, type CallReport, type Means, type Stage } from "./deployment/call.ts";
import {
  deployedResult,
  failedDeployment,
  plannedResult,
  refusedPlan,
  type Left,
} from "./deployment/outcome.ts";
import {
  parametersSchema,
  variablesOf,
  type Check,
  type Deployment,
  type Hook,
} from "./deployment/parameters.ts";
import { judgePlan, planOf } from "./deployment/plan.ts";
import { readParameters } from "./http/read-parameters.ts";
import { Redaction } from "./http/redaction.ts";
import { readerLanguage, type Language } from "./language.ts";
import { progressAt } from "./progress.ts";
import type {
  JsonValue,
  Skill,
  SkillFailure,
  SkillOutcome,
  SkillProgress,
  SkillTask,
  SkillTools,
} from "./skill.ts";
import { stoppedFailure } from "./stopped.ts";

/**
 * Calls the deploy hooks of a configuration, verifies what they did and rolls back what does not verify.
 *
 * Configuration: `deploy` (`{method, url, headers, body, expect, attempts, save}`), `verify` (checks `{url, headers,
 * expect, attempts, interval_ms}`), `rollback` (as `deploy`, with `verify`), `canary` (as `deploy`, with `verify`;
 * first), `dry_run`, `timeout_ms` (30,000), `language`. Input: what `{{name}}` stands for, such as `version`. Every
 * call is a step of the journal and every hook carries an Idempotency-Key, so that a resumed attempt deploys no
 * second time. Stopping a run leaves the target as it is: its failure says after which call.
 */
export const deployment: Skill = {
  task_type: "deployment",
  prior_quality: 0.85,
  estimate: () => 30,
  lack: ({ configuration }) =>
    configuration["deploy"] === undefined
      ? "Deployment without a model needs a deploy hook (configuration.deploy with its url), and checks and a roll-back hook where there are such."
      : null,
  run: deploy,
};

type Call = { stage: Stage; name: string } & (
  | { kind: "hook"; hook: Hook }
  | { kind: "check"; check: Check }
);

/** A deployment on its way. */
interface Course {
  settings: Deployment;
  means: Means;
  variables: { given: Readonly<Record<string, JsonValue>>; saved: Record<string, JsonValue> };
  steps: CallReport[];
  /** The call that is being made. */
  calling: Call | null;
  /** Per cent told last, below which none is told. */
  told: number;
}

async function* deploy(
  task: SkillTask,
  tools: SkillTools,
): AsyncGenerator<SkillProgress, SkillOutcome> {
  const read = readParameters(parametersSchema, task);
  if (!read.ok) return read;
  const { input_data, configuration: settings } = read.value;
  const language = readerLanguage(settings["language"], task.description);
  const redaction = new Redaction();
  const given = variablesOf(input_data);
  redaction.learnVariables(given);
  const variables = { given, saved: {} };
  const means = { tools, redaction, timeout_ms: settings.timeout_ms };
  const course: Course = { settings, means, variables, steps: [], calling: null, told: 0 };
  const { version: named } = given;
  const version = typeof named === "string" ? redaction.text(named).slice(0, 200) : null;
  const at = { settings, version, language };
  try {
    yield progressAt([WORDS[language].planning, ""], 0);
    const plan = planOf(settings, variables, redaction);
    const refused = await judgePlan(plan, tools);
    if (refused !== null)
      return refuse(refusedPlan(refused.call.told, redaction.text(refused.rule)));
    if (settings.dry_run)
      return ok(
        plannedResult(
          plan.map(({ told }) => told),
          at,
        ),
      );
    const left = yield* carryOut(course, language);
    return left === null
      ? ok(deployedResult(course.steps, at))
      : refuse(failedDeployment(course.steps, left));
  } catch (cause) {
    if (!tools.signal.aborted) throw cause;
    return refuse(stoppedAt(course));
  }
}

const WORDS = {
  en: { planning: "Planning", hook: "Calling", check: "Verifying" },
  es: { planning: "Planificando", hook: "Llamando", check: "Comprobando" },
} as const;

function stoppedAt({ steps, calling }: Course): SkillFailure {
  if (calling?.kind === "hook") {
    return stoppedFailure(
      `The hook of ${calling.stage} may have been called and gave no clear answer; nothing was rolled back because of the stop.`,
    );
  }
  const last = steps.at(-1);
  return stoppedFailure(
    last === undefined
      ? "No hook is known to have been called."
      : `The last call known was the ${last.kind} "${last.name}" of ${last.stage}, which was ${last.state}; nothing was rolled back because of the stop.`,
  );
}

/** Null when all went well, else how the target was left. */
async function* carryOut(
  course: Course,
  language: Language,
): AsyncGenerator<SkillProgress, Left | null> {
  const { canary, deploy: hook, verify: checks } = course.settings;
  const calls: Call[] = [
    ...(canary === undefined ? [] : callsOf("canary", canary, canary.verify)),
    ...callsOf("deploy", hook, checks),
  ];
  const isDone = yield* make(calls, course, language);
  if (isDone) return null;
  const touched = course.steps.some(({ state }) => state === "accepted" || state === "unclear");
  if (!touched) return "nothing_deployed";
  const { rollback } = course.settings;
  if (rollback === undefined) return "no_rollback";
  const after = rollback.verify ?? checks.map(byStatusAlone);
  if (!(yield* make(callsOf("rollback", rollback, after), course, language)))
    return "rollback_failed";
  return after.length === 0 ? "rolled_back_unverified" : "rolled_back";
}

function callsOf(stage: Stage, hook: Hook, checks: readonly Check[]): Call[] {
  return [
    { stage, name: stage, kind: "hook", hook },
    ...checks.map((check, index): Call => ({
      stage,
      name: `${stage}-verify-${index}`,
      kind: "check",
      check,
    })),
  ];
}

/** A check of the new version as one of the old: what it says of its content need not hold of what was there before. */
function byStatusAlone(check: Check): Check {
  const { status } = check.expect;
  return { ...check, expect: status === undefined ? {} : { status } };
}

/** Makes calls in turn until one does not come to what it should; whether all did. */
async function* make(
  calls: readonly Call[],
  course: Course,
  language: Language,
): AsyncGenerator<SkillProgress, boolean> {
  const { tools } = course.means;
  const words = WORDS[language];
  for (const [index, call] of calls.entries()) {
    const done = course.steps.length;
    const names = [
      ...course.steps.map(({ name }) => name),
      ...calls.slice(index).map(({ name }) => name),
    ];
    const label = `${words[call.kind]} ${call.stage}${call.kind === "hook" ? "" : `: ${call.check.name ?? call.name}`}`;
    const progress = progressAt(names, done, { calls: course.steps.map(briefly) });
    course.told = Math.max(course.told, progress.progress_percentage);
    const current_step = course.means.redaction.text(label);
    yield { ...progress, progress_percentage: course.told, current_step };
    course.calling = call;
    const wasBegun = call.kind === "hook" && !(await isFirst(tools, call.name));
    const made = await tools.step(call.name, () => makeOne(call, wasBegun, course));
    course.calling = null;
    course.steps.push(made.report);
    Object.assign(course.variables.saved, made.saved);
    course.means.redaction.learnVariables(made.saved);
    if (made.report.state !== "accepted" && made.report.state !== "passed") return false;
  }
  return true;
}

/** Whether no earlier attempt began a step: noted in the journal before anything is sent. */
async function isFirst(tools: SkillTools, name: string): Promise<boolean> {
  let isNoted = false;
  await tools.step(`${name}-begun`, async () => {
    isNoted = true;
    return isNoted;
  });
  return isNoted;
}

async function makeOne(call: Call, wasBegun: boolean, { means, variables }: Course) {
  if (call.kind === "hook") return callHook({ ...call, wasBegun }, variables, means);
  return { report: await verify(call.stage, call.check, variables, means), saved: {} };
}

function briefly({ stage, name, state, status }: CallReport) {
  return { stage, name, state, status };
}
