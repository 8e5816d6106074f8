import type { PlanStep, Template } from "../../protocol/request.ts";

/** The steps of each built-in template; each uses what the one before has found. `{goal}` is the goal. */
const STEPS: Record<Template, readonly Pick<PlanStep, "description" | "task_type">[]> = {
  research_report: [
    {
      task_type: "research",
      description: "Find out what is known, with sources, for this goal: {goal}",
    },
    {
      task_type: "research",
      description:
        "Check the findings against each other and say what is uncertain, for this goal: {goal}",
    },
    {
      task_type: "documentation",
      description: "Write a report from the checked findings, for this goal: {goal}",
    },
  ],
  code_change: [
    { task_type: "code_generation", description: "Make the change in the code: {goal}" },
    {
      task_type: "testing",
      description: "Test the change, the cases it was not made for included: {goal}",
    },
    {
      task_type: "documentation",
      description: "Describe the change for those who use the code: {goal}",
    },
  ],
  data_report: [
    { task_type: "data_analysis", description: "Analyse the data for this goal: {goal}" },
    {
      task_type: "documentation",
      description: "Write down what the analysis says, with its figures, for this goal: {goal}",
    },
  ],
};

/** The longest description of a task (protocol.md §3). */
const LONGEST = 10_000;

/** The steps by which a template reaches a goal, one after the other. */
export function templateSteps(template: Template, goal: string): PlanStep[] {
  return STEPS[template].map(({ task_type, description }) => ({
    task_type,
    description: description.replace("{goal}", () => goal).slice(0, LONGEST),
  }));
}
