import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { TaskType } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { MOST_STEPS } from "../../protocol/request.ts";
import type { PlanRecord, PlanStep, Request } from "../../protocol/request.ts";
import { taskExecutionSchema } from "../../protocol/task-execution.ts";
import { referencesIn, stepsInGoal } from "./goal-steps.ts";
import { inferTaskType } from "./task-type.ts";
import { templateSteps } from "./templates.ts";

/** A step with everything settled but the id of its task. */
export interface Step extends Omit<PlanStep, "task_type" | "depends_on"> {
  task_type: TaskType;
  /** By index from 0, ascending. */
  depends_on: number[];
  /** What was inferred, and from what. */
  because: string[];
}

/** The steps to a goal, and where they come from. */
export interface FoundSteps {
  source: PlanRecord["source"];
  steps: Step[];
  /** The number by which whoever gave the steps names each: from 1, as its list says, or from 0 where steps are data. */
  numbers: readonly number[];
}

/** What is known of steps beside what each says itself. */
interface Listed {
  /** By which texts name steps, from 1 where nothing else is said. */
  numbers?: readonly number[];
  /** Said of all of them. */
  preamble?: string;
  isParallel?: boolean;
}

/** What a description is: judged by the contract itself, which counts code points. */
const descriptionSchema = taskExecutionSchema.shape.description;

/** The type that a step says, or that its words speak of; those said of all steps count where its own say nothing. */
function typed(
  { task_type, description }: PlanStep,
  preamble: string,
): { task_type: TaskType; because: string[] } {
  if (task_type !== undefined) return { task_type, because: [] };
  const own = inferTaskType(description);
  const inferred = own.words.length > 0 ? own : inferTaskType(preamble);
  const words = inferred.words.map((word) => `"${word}"`).join(", ");
  const why = words === "" ? "no word speaks of another type" : `it says ${words}`;
  return { task_type: inferred.task_type, because: [`task_type ${inferred.task_type}: ${why}`] };
}

function described(text: string, number: number, count: number): string {
  return descriptionSchema.safeParse(text).success ? text : `Step ${number} of ${count}: ${text}`;
}

/** For whom a step waits: as it says; otherwise for the one before and for those whose results it names. */
function linked(
  { description, depends_on }: PlanStep,
  index: number,
  { numbers, isParallel }: { numbers: readonly number[]; isParallel: boolean },
): { depends_on: number[]; because: string[] } {
  if (depends_on !== undefined) {
    return { depends_on: [...new Set(depends_on)].toSorted((a, b) => a - b), because: [] };
  }
  const named = referencesIn(description)
    .map((number) => numbers.indexOf(number))
    .filter((step) => step >= 0 && step !== index);
  const before = !isParallel && index > 0 ? [index - 1] : [];
  const nameOf = (step: number): string => `step ${numbers[step] ?? step + 1}`;
  return {
    depends_on: [...new Set([...before, ...named])].toSorted((a, b) => a - b),
    because: [
      ...named.map((step) => `waits for ${nameOf(step)}, whose result it names`),
      ...before.filter((step) => !named.includes(step)).map((step) => `follows ${nameOf(step)}`),
    ],
  };
}

/** Steps with everything inferred that they do not say. */
export function settled(steps: readonly PlanStep[], listed: Listed = {}): Step[] {
  const count = steps.length;
  const { preamble = "", isParallel = false } = listed;
  const numbers = listed.numbers ?? steps.map((_, index) => index + 1);
  return steps.map((step, index): Step => {
    const { task_type, because } = typed(step, preamble);
    const links = linked(step, index, { numbers, isParallel });
    const text = preamble === "" ? step.description : `${preamble} ${step.description}`;
    return {
      ...step,
      description: described(text, numbers[index] ?? index + 1, count),
      task_type,
      depends_on: links.depends_on,
      because: [...because, ...links.because],
    };
  });
}

function tooMany(count: number): Refusal {
  const detail = `The goal speaks of ${count} steps, and a plan has at most ${MOST_STEPS}.`;
  const expected = `at most ${MOST_STEPS} steps`;
  return {
    code: "plan_rejected",
    detail: `${detail} Send several requests.`,
    errors: [{ pointer: "/goal", code: "too_many_steps", detail, expected }],
  };
}

/** Steps that came as data, which name each other by index. */
export function givenSteps(source: PlanRecord["source"], steps: readonly PlanStep[]): FoundSteps {
  return { source, steps: settled(steps), numbers: [...steps.keys()] };
}

/**
 * The steps to a request's goal, by rules: as given, from the named template, or as the goal itself counts
 * them; one step when it speaks of one thing. A step follows the one before unless it or the list says
 * otherwise. Refused before anything else is looked at: plan_rejected, for a goal of too many steps.
 */
export function stepsOf(
  request: Pick<Request, "goal" | "steps" | "template">,
): Result<FoundSteps, Refusal> {
  const { goal, steps, template } = request;
  if (steps !== undefined) return ok(givenSteps("steps", steps));
  if (template !== undefined) return ok(givenSteps("template", templateSteps(template, goal)));
  const found = stepsInGoal(goal);
  if (found === null) return ok(givenSteps("goal", [{ description: goal }]));
  const { source, texts, numbers } = found;
  if (texts.length > MOST_STEPS) return refuse(tooMany(texts.length));
  const drafts = texts.map((description) => ({ description }));
  return ok({ source, steps: settled(drafts, found), numbers });
}

/** The first step that waits for no other one. */
export function firstStep(steps: readonly Step[]): number {
  return steps.findIndex(({ depends_on }) => depends_on.length === 0);
}

/** The same steps, all behind the first one, so that one answer decides about all of them. */
export function behindFirst(steps: readonly Step[]): Step[] {
  const first = firstStep(steps);
  return steps.map((step, index) =>
    step.depends_on.length > 0 || index === first
      ? step
      : {
          ...step,
          depends_on: [first],
          because: [...step.because, `waits for step ${first + 1}, about which somebody is asked`],
        },
  );
}
