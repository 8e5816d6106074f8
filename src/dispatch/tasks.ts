import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Explanation, Report, TaskEvent, TaskView } from "../protocol/task-view.ts";
import type { Submission } from "../task/ports.ts";
import type { FormerTask } from "./former.ts";
import { createSubmissions } from "./submission.ts";
import type { SubmissionParts, SubmitGroup, Submissions } from "./submission.ts";
import type { SubmitRequest } from "./submit-request.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A task's object as these use cases call it; payloads are JSON text. */
export interface TaskDoor {
  submit(submission: Submission): Answer<{ view: string; isNew: boolean }>;
  view(): Answer<{ view: string; holders: string[] }>;
  events(after: number, limit: number): Answer<{ events: string; isMore: boolean }>;
  report(): Answer<string>;
}

/**
 * What history knows of tasks whose object is empty. Null: it never heard of one. Refused with task_gone when it has
 * removed it by policy.
 */
interface TaskArchive {
  view(tenant: string, task_id: string): Answer<TaskView | null>;
  events(
    tenant: string,
    task_id: string,
    page: { after: number; limit: number },
  ): Answer<EventPage | null>;
  report(tenant: string, task_id: string): Answer<Report | null>;
  /** Who held it, and data of its last task_routed. */
  trace(
    tenant: string,
    task_id: string,
  ): Promise<{ holders: string[]; decision: JsonObject | null } | null>;
  /** What a repeated submission is told apart by: of a task that has ended, or was removed. */
  former(tenant: string, task_id: string): Promise<FormerTask | null>;
  /** Whether such a one may still be named: what was removed too long ago keeps its id, and nothing else. */
  isKnown(tenant: string, task_id: string): Promise<boolean>;
}

interface EventPage {
  items: TaskEvent[];
  next_cursor: string | null;
}

/** What the use cases of tasks are built from. */
export interface TasksParts extends Omit<SubmissionParts, "isArchived" | "past"> {
  task: (tenant: string, task_id: string) => TaskDoor;
  archive: TaskArchive;
  /** As the archive has it; null also when that cannot be asked, and no submission fails for it. */
  formerOrNone: TaskArchive["former"];
  /** The key that an executor is bound to, or null. */
  keyOfAgent: (tenant: string, agent_id: string) => Promise<string | null>;
}

/** Use cases that orchestrators and observers have for tasks. */
export interface Tasks {
  /**
   * Every refusal by meaning, without writing anything: validation_failed, endpoint_refused, idempotency_conflict,
   * dependency_not_found, dependency_cycle, parent_refused, budget_exceeded, task_ended; null when there is none.
   */
  check: (
    by: Principal,
    task: TaskExecution,
    request: SubmitRequest,
    group?: SubmitGroup,
  ) => Promise<Refusal | null>;
  /** Checks and creates. Refused as `check` says. */
  submit: (
    by: Principal,
    task: TaskExecution,
    request: SubmitRequest,
    group?: SubmitGroup,
  ) => Answer<{ view: TaskView; isNew: boolean }>;
  /** The two halves of `submit`, for those who settle between them what a parent gives its children. */
  submissions: Submissions;
  /** From the task's object, or from history once that is empty. Refused: task_not_found, task_gone. */
  view: (by: Principal, task_id: string) => Answer<TaskView>;
  events: (
    by: Principal,
    task_id: string,
    page: { after: number; limit: number },
  ) => Answer<EventPage>;
  report: (by: Principal, task_id: string) => Answer<Report>;
  /** Why a task that history alone has is where it is: it has ended. Refused as the view is. */
  explainPast: (by: Principal, task_id: string) => Answer<Explanation>;
  /** Whether a key may read a task: an executor's only what its agents hold or held. */
  readable(by: Principal, task_id: string): Answer<{ holders: string[] }>;
}

const UNKNOWN: Refusal = { code: "task_not_found", detail: "There is no task with this id." };

async function mayRead(parts: TasksParts, by: Principal, holders: string[]): Promise<boolean> {
  if (by.scopes.some((scope) => scope !== "execute")) return true;
  const keys = await Promise.all(holders.map((holder) => parts.keyOfAgent(by.tenant, holder)));
  return keys.includes(by.key_id);
}

/** Who held a task that history alone has, for whoever may read it. */
async function pastReadable(
  parts: TasksParts,
  by: Principal,
  task_id: string,
): Answer<{ holders: string[] }> {
  // The whole log is read for nobody whom it does not decide about.
  const readsAll = await mayRead(parts, by, []);
  const trace = readsAll ? { holders: [] } : await parts.archive.trace(by.tenant, task_id);
  if (trace === null || !(await mayRead(parts, by, trace.holders))) return refuse(UNKNOWN);
  return ok({ holders: trace.holders });
}

/** What history alone knows, for whoever may read it. */
async function fromPast<Value>(
  parts: TasksParts,
  by: Principal,
  task_id: string,
  read: (archive: TaskArchive) => Answer<Value | null>,
): Answer<Value> {
  const allowed = await pastReadable(parts, by, task_id);
  if (!allowed.ok) return allowed;
  const found = await read(parts.archive);
  if (!found.ok) return found;
  return found.value === null ? refuse(UNKNOWN) : ok(found.value);
}

/** What a key may do with the task itself: null where its object is empty, and history is to be asked. */
async function liveReadable(
  parts: TasksParts,
  by: Principal,
  task_id: string,
): Promise<Result<{ holders: string[]; view: TaskView }, Refusal> | null> {
  const found = await parts.task(by.tenant, task_id).view();
  if (!found.ok) return null;
  const { holders } = found.value;
  if (!(await mayRead(parts, by, holders))) return refuse(UNKNOWN);
  const view: TaskView = JSON.parse(found.value.view);
  return ok({ holders, view });
}

async function explainPast(parts: TasksParts, by: Principal, task_id: string): Answer<Explanation> {
  const view = await fromPast(parts, by, task_id, (archive) => archive.view(by.tenant, task_id));
  if (!view.ok) return view;
  const trace = await parts.archive.trace(by.tenant, task_id);
  const { phase } = view.value;
  const decision = trace?.decision ?? null;
  return ok({ task_id, phase, waiting_for: [], decision, unblocked_by: [], estimated_start: null });
}

/** The use cases of tasks. */
export function createTasks(parts: TasksParts): Tasks {
  const { archive } = parts;
  const submissions = createSubmissions({
    ...parts,
    isArchived: (tenant, task_id) => archive.isKnown(tenant, task_id),
    past: {
      former: parts.formerOrNone,
      view: (tenant, task_id) => archive.view(tenant, task_id),
    },
  });
  return {
    submissions,
    explainPast: (by, task_id) => explainPast(parts, by, task_id),
    async readable(by, task_id) {
      const live = await liveReadable(parts, by, task_id);
      if (live !== null) return live.ok ? ok({ holders: live.value.holders }) : live;
      // Nobody may read what neither knows.
      const isKnown = await archive.isKnown(by.tenant, task_id);
      return isKnown ? pastReadable(parts, by, task_id) : refuse(UNKNOWN);
    },
    check: (by, task, request, group) => submissions.check(by, task, request, { group }),
    async submit(by, task, request, group) {
      const refusal = await submissions.check(by, task, request, { group });
      return refusal === null ? submissions.create(by, task, request, { group }) : refuse(refusal);
    },
    async view(by, task_id) {
      const live = await liveReadable(parts, by, task_id);
      if (live !== null) return live.ok ? ok(live.value.view) : live;
      return fromPast(parts, by, task_id, () => archive.view(by.tenant, task_id));
    },
    async events(by, task_id, { after, limit }) {
      const live = await liveReadable(parts, by, task_id);
      if (live !== null && !live.ok) return live;
      const found =
        live === null ? null : await parts.task(by.tenant, task_id).events(after, limit);
      if (found === null || !found.ok) {
        return fromPast(parts, by, task_id, () =>
          archive.events(by.tenant, task_id, { after, limit }),
        );
      }
      const items: TaskEvent[] = JSON.parse(found.value.events);
      const last = items.at(-1)?.seq ?? after;
      return ok({ items, next_cursor: found.value.isMore ? String(last) : null });
    },
    async report(by, task_id) {
      const live = await liveReadable(parts, by, task_id);
      if (live === null) {
        return fromPast(parts, by, task_id, () => archive.report(by.tenant, task_id));
      }
      if (!live.ok) return live;
      const found = await parts.task(by.tenant, task_id).report();
      if (!found.ok) return found;
      const report: Report = JSON.parse(found.value);
      return ok(report);
    },
  };
}
