import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Ties } from "../protocol/kin.ts";
import { SCHEMA_VERSION } from "../protocol/primitives.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type {
  SharedContext,
  SharedContextPatch,
  SubtaskOffer,
  SubtaskOfferAnswer,
  SubtaskView,
} from "../protocol/subtasks.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Adoption } from "../task/kin/adoption.ts";
import { circleRefusal } from "./batch/batch-check.ts";
import { circleIn } from "./batch/graph.ts";
import { offerOf } from "./kinship.ts";
import type { AskKin } from "./kinship.ts";
import type { Submissions } from "./submission.ts";
import type { SubmitRequest } from "./submit-request.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases of subtasks are built from. */
export interface SubtasksParts {
  newId: () => string;
  askKin: AskKin;
  submissions: Submissions;
  /** Whether a key may read a task. */
  readable: (by: Principal, task_id: string) => Answer<unknown>;
}

/** A task, and the lease token of whoever says that he holds it. */
interface At {
  task_id: string;
  token: string | null;
}

/** Use cases of executors that work on one task together. */
export interface SubtasksUse {
  /** Refused as a submission is, at /subtasks/<index>; lease_lost when the token is not the one in force. */
  offer: (
    by: Principal,
    at: At,
    offer: SubtaskOffer,
    request: SubmitRequest,
  ) => Answer<SubtaskOfferAnswer>;
  view: (by: Principal, task_id: string) => Answer<SubtaskView>;
  /** For readers of the task or of the subtask that is named. */
  shared: (by: Principal, task_id: string, subtask_id: string | null) => Answer<SharedContext>;
  /** For orchestrators, the holder of the task, and the holder of a subtask that is named. */
  share: (by: Principal, at: At, change: SharedContextPatch) => Answer<SharedContext>;
}

type Settled = TaskExecution & { task_id: string };

const UNKNOWN: Refusal = { code: "task_not_found", detail: "There is no task with this id." };

function atIndex(refusal: Refusal, index: number): Refusal {
  const place = `/subtasks/${index}`;
  const errors = (
    refusal.errors ?? [{ pointer: "", code: refusal.code, detail: refusal.detail }]
  ).map((fault) => ({ ...fault, pointer: place + fault.pointer }));
  return { ...refusal, errors };
}

function foreignParent(task_id: string): Refusal {
  const detail = `parent_task_id must be ${task_id}, the task of the address, or left out`;
  return {
    code: "parent_refused",
    detail,
    errors: [{ pointer: "/parent_task_id", code: "parent_refused", detail, expected: task_id }],
  };
}

function mayOrder(by: Principal): boolean {
  return by.scopes.some((scope) => scope === "orchestrate" || scope === "admin");
}

/**
 * The tasks that may be named as prerequisites, whose results reach the executor of the subtask: what he may read
 * himself, and the family that he works for. An orchestrator may name any.
 */
function namesOf(
  parts: SubtasksParts,
  by: Principal,
  { task_id, offered }: { task_id: string; offered: readonly string[] },
): ((named: string) => Promise<boolean>) | undefined {
  if (mayOrder(by)) return undefined;
  return async (named) => {
    if (named === task_id || offered.includes(named)) return true;
    const ties = await tiesAt(parts, by, { task_id: named, token: null });
    if (ties.ok && ties.value.parent_task_id === task_id) return true;
    return (await parts.readable(by, named)).ok;
  };
}

/** For whom each of the offered waits among them, by index. */
function graphOf(subtasks: readonly Settled[]): number[][] {
  const places = new Map(subtasks.map(({ task_id }, index) => [task_id, index]));
  return subtasks.map(({ parameters }) =>
    (parameters?.dependencies ?? []).flatMap((task_id) => places.get(task_id) ?? []),
  );
}

/** The first refusal among the offered subtasks, before anything is written. */
async function offerFault(
  parts: SubtasksParts,
  by: Principal,
  { task_id, subtasks }: { task_id: string; subtasks: readonly Settled[] },
  requestOf: (index: number) => SubmitRequest,
): Promise<Refusal | null> {
  const known = subtasks.map((offered) => offered.task_id);
  const circle = circleIn(graphOf(subtasks));
  if (circle !== null) {
    return circleRefusal(circle, known, (index) => `/subtasks/${index}/parameters/dependencies`);
  }
  for (const [index, task] of subtasks.entries()) {
    if (task.parent_task_id !== task_id) return atIndex(foreignParent(task_id), index);
    const mayName = namesOf(parts, by, { task_id, offered: known });
    const kin = { known, isAdopted: true, mayName };
    const refusal = await parts.submissions.check(by, task, requestOf(index), kin);
    if (refusal !== null) return atIndex(refusal, index);
  }
  return null;
}

/** An offer is all or nothing: stops the subtasks before the one that was refused, and disowns those behind it. */
async function takeBack(
  { askKin }: SubtasksParts,
  { by, at, offered, index }: { by: Principal; at: At; offered: readonly string[]; index: number },
): Promise<void> {
  const from = at.task_id;
  const message = "Another subtask of the same offer was refused";
  const stop = { call: "stop", from, reason: "cancelled", message } as const;
  for (const task_id of offered.slice(0, index)) await askKin(by.tenant, task_id, stop);
  for (const task_id of offered.slice(index + 1)) {
    await askKin(by.tenant, from, { call: "disown", task_id });
  }
}

async function offer(
  parts: SubtasksParts,
  by: Principal,
  { at, subtasks, request }: { at: At; subtasks: SubtaskOffer["subtasks"]; request: SubmitRequest },
): Answer<SubtaskOfferAnswer> {
  const settled = subtasks.map((task): Settled => ({
    ...task,
    task_id: task.task_id ?? `task_${parts.newId()}`,
    parent_task_id: task.parent_task_id ?? at.task_id,
  }));
  const requestOf = (index: number): SubmitRequest => ({
    ...request,
    idempotencyKey: null,
    body: subtasks[index],
  });
  const offers = settled.map((task) => offerOf(task, task.task_id));
  const adopt = (is_trial: boolean): Answer<string> =>
    parts.askKin(by.tenant, at.task_id, { call: "adopt", offers, token: at.token, is_trial });
  // Who may not offer learns nothing of what else is wrong.
  const trial = await adopt(true);
  if (!trial.ok) return trial;
  const fault = await offerFault(parts, by, { task_id: at.task_id, subtasks: settled }, requestOf);
  if (fault !== null) return refuse(fault);
  const done = await adopt(false);
  if (!done.ok) return done;
  const adoption: Adoption = JSON.parse(done.value);
  const outcomes: SubtaskOfferAnswer["outcomes"] = [];
  const offered = settled.map(({ task_id }) => task_id);
  const mayName = namesOf(parts, by, { task_id: at.task_id, offered });
  for (const [index, task] of settled.entries()) {
    const birthright = adoption.births[index];
    const created = await parts.submissions.create(by, task, requestOf(index), {
      birthright,
      mayName,
    });
    if (!created.ok) {
      await takeBack(parts, { by, at, offered, index });
      return refuse(atIndex(created.refusal, index));
    }
    outcomes.push({ index, task_id: task.task_id, status: created.value.view.status });
  }
  return ok({ outcomes });
}

async function tiesAt(parts: SubtasksParts, by: Principal, at: At): Answer<Ties> {
  const found = await parts.askKin(by.tenant, at.task_id, { call: "ties", token: at.token });
  if (!found.ok) return found;
  const ties: Ties = JSON.parse(found.value);
  return ok(ties);
}

const LEASE_LOST: Refusal = {
  code: "lease_lost",
  detail:
    "Send the Lease-Token that is in force for this task, or for the subtask named in subtask_id.",
};

/** Whether a key may write what is shared: an orchestrator's, or that of whoever holds the task or its subtask. */
async function writerFault(
  parts: SubtasksParts,
  by: Principal,
  { task_id, token }: At,
  subtask_id: string | undefined,
): Promise<Refusal | null> {
  const task = await tiesAt(parts, by, { task_id, token });
  if (!task.ok) return task.refusal;
  if (task.value.is_ended) return { code: "task_ended", detail: "The task has ended." };
  if (mayOrder(by) && token === null) return null;
  if (subtask_id === undefined) return task.value.is_holder ? null : LEASE_LOST;
  const subtask = await tiesAt(parts, by, { task_id: subtask_id, token });
  if (!subtask.ok || subtask.value.parent_task_id !== task_id) {
    const detail = `Task ${subtask_id} is no subtask of ${task_id}.`;
    return {
      code: "parent_refused",
      detail,
      errors: [{ pointer: "/subtask_id", code: "parent_refused", detail }],
    };
  }
  return subtask.value.is_holder ? null : LEASE_LOST;
}

/** The use cases of subtasks. */
export function createSubtasks(parts: SubtasksParts): SubtasksUse {
  const answer = (task_id: string, text: string): SharedContext => {
    const context: JsonObject = JSON.parse(text);
    return { schema_version: SCHEMA_VERSION, task_id, context };
  };
  return {
    offer: (by, at, { subtasks }, request) => offer(parts, by, { at, subtasks, request }),
    async view(by, task_id) {
      const allowed = await parts.readable(by, task_id);
      if (!allowed.ok) return allowed;
      const found = await parts.askKin(by.tenant, task_id, { call: "subtasks" });
      if (!found.ok) return found;
      const view: SubtaskView = JSON.parse(found.value);
      return ok(view);
    },
    async shared(by, task_id, subtask_id) {
      const allowed = await parts.readable(by, subtask_id ?? task_id);
      if (!allowed.ok) return allowed;
      if (subtask_id !== null) {
        const subtask = await tiesAt(parts, by, { task_id: subtask_id, token: null });
        if (!subtask.ok || subtask.value.parent_task_id !== task_id) return refuse(UNKNOWN);
      }
      const found = await parts.askKin(by.tenant, task_id, { call: "shared", patch: null });
      return found.ok ? ok(answer(task_id, found.value)) : found;
    },
    async share(by, at, { patch, subtask_id }) {
      const fault = await writerFault(parts, by, at, subtask_id);
      if (fault !== null) return refuse(fault);
      const done = await parts.askKin(by.tenant, at.task_id, { call: "shared", patch });
      return done.ok ? ok(answer(at.task_id, done.value)) : done;
    },
  };
}
