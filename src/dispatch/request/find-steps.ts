import type { TaskType } from "../../protocol/enums.ts";
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
}

/** What a description is: judged by the contract itself, which counts code points. */
const descriptionSchema = taskExecutionSchema.shape.description;

function typed({ task_type, description }: PlanStep): { task_type: TaskType; because: string[] } {
  if (task_type !== undefined) return { task_type, because: [] };
  const inferred = inferTaskType(description);
  const words = inferred.words.map((word) => `"${word}"`).join(", ");
  const why = words === "" ? "no word speaks of another type" : `it says ${words}`;
  return { task_type: inferred.task_type, because: [`task_type ${inferred.task_type}: ${why}`] };
}

function described(text: string, index: number, count: number): string {
  return descriptionSchema.safeParse(text).success
    ? text
    : `Step ${index + 1} of ${count}: ${text}`;
}

/** For whom a step waits: as it says; otherwise for the one before and for those whose results it names. */
function linked(
  { description, depends_on }: PlanStep,
  index: number,
  { count, isParallel }: { count: number; isParallel: boolean },
): { depends_on: number[]; because: string[] } {
  if (depends_on !== undefined) {
    return { depends_on: [...new Set(depends_on)].toSorted((a, b) => a - b), because: [] };
  }
  const named = referencesIn(description).filter((step) => step !== index && step < count);
  const before = !isParallel && index > 0 ? [index - 1] : [];
  return {
    depends_on: [...new Set([...before, ...named])].toSorted((a, b) => a - b),
    because: [
      ...named.map((step) => `waits for step ${step + 1}, whose result it names`),
      ...before.filter((step) => !named.includes(step)).map((step) => `follows step ${step + 1}`),
    ],
  };
}

/** Steps with everything inferred that they do not say. */
export function settled(steps: readonly PlanStep[], isParallel: boolean): Step[] {
  const count = steps.length;
  return steps.map((step, index): Step => {
    const { task_type, because } = typed(step);
    const links = linked(step, index, { count, isParallel });
    return {
      ...step,
      description: described(step.description, index, count),
      task_type,
      depends_on: links.depends_on,
      because: [...because, ...links.because],
    };
  });
}

/**
 * The steps to a request's goal, by rules: as given, from the named template, or as the goal itself counts
 * them; one step when it speaks of one thing. A step follows the one before unless it or the list says
 * otherwise.
 */
export function stepsOf(request: Pick<Request, "goal" | "steps" | "template">): FoundSteps {
  const { goal, steps, template } = request;
  if (steps !== undefined) return { source: "steps", steps: settled(steps, false) };
  if (template !== undefined) {
    return { source: "template", steps: settled(templateSteps(template, goal), false) };
  }
  const found = stepsInGoal(goal);
  if (found === null) return { source: "goal", steps: settled([{ description: goal }], false) };
  const { source, texts, isParallel } = found;
  return {
    source,
    steps: settled(
      texts.map((description) => ({ description })),
      isParallel,
    ),
  };
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
