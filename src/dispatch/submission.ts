import { canonicalJson, derivedId, instant, sha256Hex } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import { ok, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Fault, Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Actor, TaskView } from "../protocol/task-view.ts";
import type { Birthright } from "../task/kin/adoption.ts";
import type { Assessment, Gate, Origin } from "../task/machine/state.ts";
import type { Submission } from "../task/ports.ts";
import { adoptBy, childrenFault, unknownParent } from "./adopting.ts";
import { endpointFault } from "./endpoint-fault.ts";
import type { EndpointParts } from "./endpoint-fault.ts";
import { repeated, takenRefusal, type FormerTask, type PastTasks } from "./former.ts";
import { circleFault, gatesFor, inferredFrom, missingFault, tiesOf } from "./kinship.ts";
import type { KinshipParts, NewChild } from "./kinship.ts";
import type { SubmitRequest } from "./submit-request.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What submissions are made with. */
export interface SubmissionParts extends KinshipParts, EndpointParts {
  now: Clock;
  newId: () => string;
  task: (
    tenant: string,
    task_id: string,
  ) => { submit(submission: Submission): Answer<{ view: string; isNew: boolean }> };
  assess: (tenant: string, task: TaskExecution) => Promise<Assessment>;
  /** Tasks that have ended, as far as history knows them: their objects may be empty. */
  past: PastTasks;
  /** What is wrong with a contract itself. */
  contractFaults: (task: TaskExecution) => Fault[];
}

/** What tasks that come in together have in common. */
export interface SubmitGroup {
  batch_id: string;
  gates: Gate[];
  /** Ids of the tasks that come in with this one: they may be named before they exist. */
  known: readonly string[];
  /** Whether those ids are surely nobody's, so that no task need be asked whether it is there. */
  areNew?: boolean | undefined;
}

/** What is known of a submission's relations beside what it says itself. */
interface Kin {
  group?: SubmitGroup | undefined;
  /** Tasks that come in before this one. */
  known?: readonly string[] | undefined;
  /** Whether the parent is asked by whoever submits. */
  isAdopted?: boolean | undefined;
  /** What its parent gave it, when that has been settled already. */
  birthright?: Birthright | undefined;
  /** Whether whoever submits may know of a task: any other does not exist for him. Of all of them when absent. */
  mayName?: ((task_id: string) => Promise<boolean>) | undefined;
}

/** Who a principal is in the log of a task. */
export function actorOf(by: Principal): Actor {
  if (by.scopes.includes("admin")) return { kind: "operator", id: by.key_id };
  const isExecutor = by.scopes.includes("execute") && !by.scopes.includes("orchestrate");
  return { kind: isExecutor ? "executor" : "orchestrator", id: by.key_id };
}

/** The id of a task that is given, or derived from the idempotency key; null when it will be a new one. */
async function settledId(
  by: Principal,
  task: TaskExecution,
  idempotencyKey: string | null,
): Promise<string | null> {
  if (task.task_id !== undefined) return task.task_id;
  return idempotencyKey === null
    ? null
    : `task_${await derivedId(`${by.tenant}/${idempotencyKey}`)}`;
}

/** Defaults that depend on who asks and when (protocol.md §3). */
function withOrigin(task: TaskExecution, by: Principal, now: number): TaskExecution {
  return {
    ...task,
    orchestrator_info: { agent_id: by.key_id, timestamp: instant(now), ...task.orchestrator_info },
  };
}

const hashOf = (body: unknown): Promise<string> => sha256Hex(canonicalJson(body));

function hasKin(task: TaskExecution): boolean {
  return task.parent_task_id !== undefined || (task.parameters?.dependencies ?? []).length > 0;
}

/** Whether the task is there already: the same request, another one under its id, or not at all. */
async function standing(
  parts: SubmissionParts,
  tenant: string,
  task_id: string | null,
  body: unknown,
): Promise<"same" | Refusal | null> {
  if (task_id === null) return null;
  const known =
    (await tiesOf(parts, tenant, task_id)) ?? (await parts.past.former(tenant, task_id));
  if (known === null) return null;
  const why = "A different request was submitted under this task id or idempotency key.";
  return known.body_hash === (await hashOf(body)) ? "same" : takenRefusal(task_id, why);
}

/** A submission with everything that is known of it. */
interface Asked {
  by: Principal;
  task: TaskExecution;
  request: SubmitRequest;
  kin: Kin;
}

/** Why the parent cannot have this child, as far as it can be told before; null when it can. */
async function parentFault(
  parts: SubmissionParts,
  { by, task, kin }: Asked,
  task_id: string | null,
): Promise<Refusal | null> {
  const parent = task.parent_task_id;
  if (parent === undefined) return null;
  if (parent === task_id) return unknownParent(parent);
  // A parent that comes in together with it, or was asked already, is not asked now.
  const isSettled = kin.isAdopted === true || (kin.group?.known.includes(parent) ?? false);
  if (isSettled) return null;
  const children = [{ task, task_id: task_id ?? parts.newId() }];
  return childrenFault(parts, by.tenant, { parent, children });
}

/** What is wrong with its relations: prerequisites, then circles, then the parent. */
async function relationFault(
  parts: SubmissionParts,
  asked: Asked,
  task_id: string | null,
): Promise<Refusal | null> {
  const { by, task, kin } = asked;
  const known = kin.known ?? kin.group?.known ?? [];
  return (
    (await missingFault(parts, by.tenant, { task, known, mayName: kin.mayName })) ??
    (await circleFault(parts, by.tenant, { task, task_id })) ??
    (await parentFault(parts, asked, task_id))
  );
}

/** Every refusal by meaning that can be known before anything is written; null when there is none. */
async function check(parts: SubmissionParts, asked: Asked): Promise<Refusal | null> {
  const { by, task, request, kin } = asked;
  const { tenant } = by;
  const task_id = await settledId(by, task, request.idempotencyKey);
  const isRelated = hasKin(task);
  if ((isRelated || kin.group !== undefined) && kin.group?.areNew !== true) {
    const known = await standing(parts, tenant, task_id, request.body);
    // A repetition is answered with what is there, whatever has become of its parent since.
    if (known !== null) return known === "same" ? null : known;
  }
  const errors = parts.contractFaults(task);
  if (errors.length > 0) {
    return { code: "validation_failed", detail: "The task's contract cannot be checked.", errors };
  }
  const fault = await endpointFault(parts, { tenant, origin: request.origin }, task);
  return fault !== null || !isRelated ? fault : relationFault(parts, asked, task_id);
}

/** What a child is born with: as its parent said before, or says now; nothing for a root. */
async function birthOf(
  parts: SubmissionParts,
  { by, task, kin }: Asked,
  task_id: string,
): Answer<Birthright | null> {
  const parent = task.parent_task_id;
  if (parent === undefined || kin.birthright !== undefined) return ok(kin.birthright ?? null);
  const children = [{ task, task_id }];
  const adopted = await adoptBy(parts, by.tenant, parent, { children, isTrial: false });
  return adopted.ok ? ok(adopted.value.births[0] ?? null) : adopted;
}

async function originOf(
  parts: SubmissionParts,
  { by, task, request, kin }: Asked,
  { task_id, birth }: { task_id: string; birth: Birthright | null },
): Promise<Origin> {
  const inferred = await inferredFrom(parts, by.tenant, { task, mayName: kin.mayName });
  const gates = gatesFor(task, {
    inferred: inferred.filter((previous) => previous !== task_id),
    others: [...(kin.group?.gates ?? []), ...(birth?.gates ?? [])],
  });
  return {
    tenant: by.tenant,
    task_id,
    uid: parts.newId(),
    trace_id: request.traceId,
    body_hash: await hashOf(request.body),
    submitted_by: by.key_id,
    ...(kin.group !== undefined && { batch_id: kin.group.batch_id }),
    ...(gates.length > 0 && { gates }),
    ...(birth !== null && { lineage: birth.lineage }),
    assessment: request.assessment ?? (await parts.assess(by.tenant, task)),
    ...(request.approval !== undefined && { approval: request.approval }),
    is_stall_exact: true,
  };
}

/** What a task's object is told of a submission. */
async function submissionOf(
  parts: SubmissionParts,
  asked: Asked,
  settled: { task_id: string; birth: Birthright | null },
): Promise<Submission> {
  const { by, task } = asked;
  return {
    origin: await originOf(parts, asked, settled),
    task: JSON.stringify(withOrigin(task, by, parts.now())),
    actor: actorOf(by),
    ...(asked.request.hop !== undefined && { hop: asked.request.hop }),
  };
}

/** A submission under the id of a task that has ended: answered by its object, or by history once that is empty. */
async function repeat(
  parts: SubmissionParts,
  asked: Asked,
  { task_id, former }: { task_id: string; former: FormerTask },
): Answer<{ view: TaskView; isNew: boolean }> {
  const { tenant } = asked.by;
  const submission = await submissionOf(parts, asked, { task_id, birth: null });
  const done = await parts.task(tenant, task_id).submit({ ...submission, is_known: true });
  if (done.ok) {
    const view: TaskView = JSON.parse(done.value.view);
    return ok({ view, isNew: done.value.isNew });
  }
  if (done.refusal.code !== "task_not_found") return done;
  const { body_hash } = submission.origin;
  return repeated(task_id, { former, body_hash }, () => parts.past.view(tenant, task_id));
}

/** Creates a task that was checked. The parent sets aside what it needs before it exists. */
async function create(
  parts: SubmissionParts,
  asked: Asked,
): Answer<{ view: TaskView; isNew: boolean }> {
  const { by, task, request } = asked;
  const settled = await settledId(by, task, request.idempotencyKey);
  const task_id = settled ?? `task_${parts.newId()}`;
  // An id that is made here and now is nobody's yet.
  const former = settled === null ? null : await parts.past.former(by.tenant, settled);
  if (former !== null) return repeat(parts, asked, { task_id, former });
  const birth = await birthOf(parts, asked, task_id);
  if (!birth.ok) return birth;
  const submission = await submissionOf(parts, asked, { task_id, birth: birth.value });
  const done = await parts.task(by.tenant, task_id).submit(submission);
  if (!done.ok) {
    const parent = task.parent_task_id;
    if (parent !== undefined) await parts.askKin(by.tenant, parent, { call: "disown", task_id });
    return done;
  }
  const view: TaskView = JSON.parse(done.value.view);
  return ok({ view, isNew: done.value.isNew });
}

/** How tasks come in. */
export interface Submissions {
  check: (
    by: Principal,
    task: TaskExecution,
    request: SubmitRequest,
    kin?: Kin,
  ) => Promise<Refusal | null>;
  /** Why a parent cannot have all of these children together; null when it can. */
  checkChildren: (
    by: Principal,
    parent_task_id: string,
    children: readonly NewChild[],
  ) => Promise<Refusal | null>;
  create: (
    by: Principal,
    task: TaskExecution,
    request: SubmitRequest,
    kin?: Kin,
  ) => Answer<{ view: TaskView; isNew: boolean }>;
}

/** Checking and creating apart from each other, so that many tasks can be checked before the first is created. */
export function createSubmissions(parts: SubmissionParts): Submissions {
  return {
    check: (by, task, request, kin = {}) => check(parts, { by, task, request, kin }),
    checkChildren: (by, parent, children) => childrenFault(parts, by.tenant, { parent, children }),
    create: (by, task, request, kin = {}) => create(parts, { by, task, request, kin }),
  };
}
