import type { PlanRecord, PlanSnapshot, Request, Strategy } from "../../protocol/request.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import type { Approval } from "../batch/batch-record.ts";
import { longestWay } from "../batch/graph.ts";
import { assess } from "../complexity.ts";
import type { TypeHistory } from "../complexity.ts";
import type { FoundSteps, Step } from "./find-steps.ts";
import { secondsLeft, shareFaults } from "./plan-tasks.ts";
import { fitOf } from "./roster.ts";
import type { Roster } from "./roster.ts";

/** Equal versions decide equally about equal facts. */
const PLAN_VERSION = "2026-11";

/** What a decision is made from. */
export interface Facts {
  request: Request;
  found: FoundSteps;
  /** The task of each step. */
  tasks: readonly TaskExecution[];
  history: TypeHistory;
  roster: Roster;
  snapshot: PlanSnapshot;
  now: number;
}

/** Seconds that a step is thought to take: as it says, or as its type usually takes; null when nobody knows. */
function estimateOf(step: Step, history: TypeHistory): number | null {
  return step.estimated_duration ?? history.get(step.task_type)?.p50_s ?? null;
}

/** Along the longest way; null when nothing is known of any step. */
function estimateOfAll({ found, history }: Pick<Facts, "found" | "history">): number | null {
  const estimates = found.steps.map((step) => estimateOf(step, history));
  if (estimates.every((estimate) => estimate === null)) return null;
  return longestWay(
    found.steps.map(({ depends_on }) => depends_on),
    (index) => estimates[index] ?? 0,
  );
}

/** How complex the whole is: the goal with all its steps as what it depends on. */
function complexityOfAll({ request, found, tasks, history }: Facts) {
  const first = tasks[0];
  if (first === undefined) throw new Error("a plan has at least one task");
  const { budget } = request.constraints;
  const estimated_duration = estimateOfAll({ found, history });
  return assess(
    {
      ...first,
      description: request.goal,
      estimated_duration: estimated_duration ?? undefined,
      parameters: {
        ...first.parameters,
        dependencies: tasks.slice(1).flatMap(({ task_id }) => task_id ?? []),
      },
      contract: { ...first.contract, ...(budget !== undefined && { budget }) },
    },
    history,
  );
}

/** What in the constraints can't all be so. */
function contradictionsOf(facts: Facts): string[] {
  const { budget = {}, deadline } = facts.request.constraints;
  const { max_duration_s } = budget;
  const left = secondsLeft(facts.request, facts.now);
  const estimate = estimateOfAll(facts) ?? 0;
  const takes = `it is thought to take ${estimate} s`;
  const found: [boolean, string][] = [
    [left !== null && left <= 0, `the deadline ${deadline} has passed`],
    [left !== null && left > 0 && estimate > left, `${takes}, and the deadline is in ${left} s`],
    [
      max_duration_s !== undefined && estimate > max_duration_s,
      `${takes}, and the budget allows ${max_duration_s} s`,
    ],
  ];
  const estimates = facts.found.steps.map((step) => estimateOf(step, facts.history));
  return [
    ...found.flatMap(([isSo, text]) => (isSo ? [text] : [])),
    ...shareFaults(budget, facts.found.steps, estimates),
  ];
}

interface Weighed {
  inputs: PlanRecord["inputs"];
  /** Steps that no executor fits, by index, and why. */
  unfit: { index: number; why: string }[];
}

function weigh(facts: Facts): Weighed {
  const fits = facts.tasks.map((task) => fitOf(facts.roster, task));
  const scarcest = Math.min(...fits.map(({ fitting }) => fitting));
  const inputs = {
    steps: facts.tasks.length,
    complexity: complexityOfAll(facts),
    executors_known: facts.roster.length,
    executors_fit: scarcest,
    slots_free: Math.min(...fits.map(({ free }) => free)),
    estimated_s: estimateOfAll(facts),
    seconds_left: secondsLeft(facts.request, facts.now),
    contradictions: contradictionsOf(facts),
  };
  const unfit = fits.flatMap(({ fitting, why }, index) => (fitting === 0 ? [{ index, why }] : []));
  return { inputs, unfit };
}

/**
 * The strategy and the reasons for it.
 *
 * escalate before anything is tried that can't come to a good end; otherwise split when there are several
 * steps, queue when the one step finds nobody free, direct when it does.
 */
function decide({ request }: Facts, { inputs, unfit }: Weighed): [Strategy, string[]] {
  const { autonomy_level = "semi_autonomous" } = request.constraints;
  const { band, score } = inputs.complexity;
  const isRisky = band === "critical" && autonomy_level !== "autonomous";
  const doubts = [
    ...inputs.contradictions.map((text) => `contradictory constraints: ${text}`),
    ...unfit.map(({ index, why }) => `no executor fits step ${index + 1}: ${why}`),
    ...(isRisky
      ? [`complexity is critical (${score}) and autonomy_level is ${autonomy_level}`]
      : []),
  ];
  if (doubts.length > 0) return ["escalate", doubts];
  const place =
    inputs.slots_free > 0
      ? `${inputs.slots_free} slots of executors that fit are free`
      : `${inputs.executors_fit} executors fit, and none has a free slot now`;
  if (inputs.steps > 1) return ["split", [`${inputs.steps} steps were found`, place]];
  return [inputs.slots_free > 0 ? "direct" : "queue", ["it is one step", place]];
}

/** What is decided about a request, from what, and why. Deterministic; no model is asked. */
export function analyse(facts: Facts): PlanRecord {
  const weighed = weigh(facts);
  const [strategy, reasons] = decide(facts, weighed);
  return {
    version: PLAN_VERSION,
    strategy,
    reasons,
    source: facts.found.source,
    steps: facts.found.steps.map((step, index) => {
      const task = facts.tasks[index];
      if (task === undefined) throw new Error("each step has a task");
      return {
        index,
        task_type: step.task_type,
        description: step.description,
        depends_on: step.depends_on,
        complexity: assess(task, facts.history),
        estimated_s: estimateOf(step, facts.history),
        because: step.because,
      };
    }),
    inputs: weighed.inputs,
    snapshot: facts.snapshot,
    decided_at: facts.snapshot.at,
  };
}

/** What somebody is asked before an escalated plan begins. */
export function approvalOf(plan: PlanRecord): Approval | null {
  if (plan.strategy !== "escalate") return null;
  const doubts = plan.reasons.join("; ");
  return {
    reason: "The request's plan was escalated",
    question: `May this be started although ${doubts}?`.slice(0, 2_000),
    evidence: {
      reasons: plan.reasons,
      inputs: plan.inputs,
      snapshot_id: plan.snapshot.snapshot_id,
    },
  };
}
