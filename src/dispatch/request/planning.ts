import { inTurn } from "../../lib/in-turn.ts";
import { derivedId } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { Fault, Refusal } from "../../protocol/refusal.ts";
import { jsonSchemaOf } from "../../protocol/registry.ts";
import type { Request } from "../../protocol/request.ts";
import { circleRefusal } from "../batch/batch-check.ts";
import type { Expansion } from "../batch/batch-ports.ts";
import type { BatchItem, BatchPlan } from "../batch/batch-record.ts";
import { MOST_CALLS } from "../batch/batches.ts";
import type { BatchesParts, SubmitRequest } from "../batch/batches.ts";
import { circleIn } from "../batch/graph.ts";
import { assess } from "../complexity.ts";
import { analyse, approvalOf } from "./analyse.ts";
import { behindFirst, firstStep, givenSteps, stepsOf } from "./find-steps.ts";
import type { FoundSteps, Step } from "./find-steps.ts";
import { tasksOf } from "./plan-tasks.ts";
import { planIn, planRejected, planningTask } from "./planner.ts";
import { fitOf, snapshotOf } from "./roster.ts";
import type { Roster } from "./roster.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What plans are made with. */
export interface PlanningParts extends Pick<BatchesParts, "check" | "typeHistory" | "now"> {
  /** The executors of a pool as they are now. */
  roster: (tenant: string, pool: string) => Promise<Roster>;
}

/** A request under its id, at the instant it is planned. */
export interface Planning {
  by: Principal;
  request: Request;
  request_id: string;
  now: number;
}

function poolOf({ constraints }: Request): string {
  return constraints.pool ?? "default";
}

async function idsFor(tenant: string, request_id: string, count: number): Promise<string[]> {
  const places = Array.from({ length: count }, (_, index) => index);
  return inTurn(
    places,
    MOST_CALLS,
    async (index) => `task_${await derivedId(`${tenant}/${request_id}/${index}`)}`,
  );
}

/** The plan for these steps and their tasks, by rules alone. */
async function decideOn(
  parts: PlanningParts,
  { by, request, request_id, now }: Planning,
  found: FoundSteps,
): Promise<Expansion> {
  const { tenant } = by;
  const pool = poolOf(request);
  const [history, roster, task_ids] = await Promise.all([
    parts.typeHistory(tenant),
    parts.roster(tenant, pool),
    idsFor(tenant, request_id, found.steps.length),
  ]);
  const snapshot = await snapshotOf(pool, roster, now);
  const decide = (steps: Step[], isEscalated: boolean) => {
    const tasks = tasksOf(steps, { request, request_id, task_ids, now, isEscalated });
    const facts = { request, found: { ...found, steps }, tasks, history, roster, snapshot, now };
    return { steps, tasks, plan: analyse(facts) };
  };
  const first = decide(found.steps, false);
  const isEscalated = first.plan.strategy === "escalate";
  const { steps, tasks, plan } = isEscalated ? decide(behindFirst(found.steps), true) : first;
  const approval = approvalOf(plan);
  const items = tasks.map((task, index): BatchItem => {
    const { depends_on = [] } = steps[index] ?? {};
    return {
      task_id: task_ids[index] ?? "",
      task,
      after: depends_on,
      approval: index === firstStep(steps) ? approval : null,
      assessment: assess(task, history),
    };
  });
  return { plan, items };
}

/** The refusal of steps that wait for each other, or for a step that is not there; null when there is none. */
function linkFault({ steps, source, numbers }: FoundSteps): Refusal | null {
  // Steps that the goal's own words have made are not there to be pointed at.
  const isSent = source === "steps" || source === "executor";
  const pointerTo = (index: number) => (isSent ? `/steps/${index}/depends_on` : "/goal");
  const errors = steps.flatMap(({ depends_on }, index): Fault[] =>
    depends_on
      .filter((other) => other >= steps.length)
      .map((other) => ({
        pointer: pointerTo(index),
        code: "unknown_step",
        detail: `there is no step ${other}: steps are counted from 0 to ${steps.length - 1}`,
      })),
  );
  if (errors.length > 0) {
    return { code: "validation_failed", detail: "A step waits for one that is not there.", errors };
  }
  const circle = circleIn(steps.map(({ depends_on }) => depends_on));
  const names = numbers.map((number) => `step ${number}`);
  return circle === null ? null : circleRefusal(circle, names, pointerTo);
}

/** Where a fault of a step's task is in the request: a task has more fields than a step. */
function placedFault(index: number, fault: Fault): Fault {
  const pointer = fault.pointer
    .replace(/^\/contract\/output_schema/, "/output_schema")
    .replace(/^\/(?!output_schema|requires|timeout|estimated_duration).*/, "");
  return { ...fault, pointer: `/steps/${index}${pointer}` };
}

/** Why the tasks of a plan can't be created, or null. */
async function taskFault(
  { check }: PlanningParts,
  { by, request, request_id }: Pick<Planning, "by" | "request" | "request_id">,
  items: readonly Pick<BatchItem, "task_id" | "task">[],
  sent: SubmitRequest,
): Promise<Refusal | null> {
  const known = items.map(({ task_id }) => task_id);
  // What is only shown has ids that are nobody's: no object need be asked about them.
  const group = { batch_id: request_id, known, areNew: request.dry_run };
  const refusals = await inTurn(items, MOST_CALLS, ({ task }) => check(by, task, sent, group));
  const first = refusals.find((refusal) => refusal !== null);
  if (!first) return null;
  const errors = refusals.flatMap((refusal, index) =>
    (refusal?.errors ?? []).map((fault) => placedFault(index, fault)),
  );
  return { ...first, errors };
}

/** The task by which an executor plans, checked. */
export async function planningItem(
  parts: PlanningParts,
  planning: Planning,
  sent: SubmitRequest,
): Answer<BatchItem> {
  const { by, request, request_id, now } = planning;
  const task_id = `task_${await derivedId(`${by.tenant}/${request_id}/plan`)}`;
  const { $schema: _, ...schema } = jsonSchemaOf("plan");
  const task = planningTask(request, { task_id, request_id, now }, schema);
  const refused = await taskFault(parts, planning, [{ task_id, task }], sent);
  if (refused !== null) return refuse({ ...refused, errors: [] });
  const { why, fitting } = fitOf(await parts.roster(by.tenant, poolOf(request)), task);
  const question = `No executor can plan this now (${why}). May the planning wait for one?`;
  const approval = fitting > 0 ? null : { reason: "Nobody can plan", question, evidence: { why } };
  const assessment = assess(task, await parts.typeHistory(by.tenant));
  return ok({ task_id, task, after: [], approval, assessment });
}

/** The plan of a request by rules, and its tasks, checked. Refused: dependency_cycle, validation_failed, plan_rejected, whatever a task is refused for. */
export async function decideByRules(
  parts: PlanningParts,
  planning: Planning,
  sent: SubmitRequest,
): Answer<Expansion> {
  const found = stepsOf(planning.request);
  if (!found.ok) return found;
  const fault = linkFault(found.value);
  if (fault !== null) return refuse(fault);
  const decided = await decideOn(parts, planning, found.value);
  const refused = await taskFault(parts, planning, decided.items, sent);
  return refused === null ? ok(decided) : refuse(refused);
}

/** The tasks that come of an executor's plan. Refused: plan_rejected. */
export async function expandPlan(
  parts: PlanningParts,
  batch: BatchPlan,
  result: unknown,
): Answer<Expansion> {
  if (batch.request === null) throw new Error("only a request has a plan to expand");
  const given = planIn(result);
  if (!given.ok) return given;
  const found = givenSteps("executor", given.value.steps);
  const { by, batch_id, origin, trace_id } = batch;
  const { request } = batch.request;
  const links = linkFault(found);
  if (links !== null) return refuse(planRejected(links.detail, links.errors ?? []));
  const planning = { by, request, request_id: batch_id, now: parts.now() };
  const decided = await decideOn(parts, planning, found);
  const sent = { body: null, idempotencyKey: null, traceId: trace_id, origin };
  const refused = await taskFault(parts, planning, decided.items, sent);
  if (refused !== null) return refuse(planRejected(refused.detail, refused.errors ?? []));
  return ok({ plan: decided.plan, items: decided.items });
}
