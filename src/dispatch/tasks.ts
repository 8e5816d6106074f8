import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Report, TaskEvent, TaskView } from "../protocol/task-view.ts";
import type { Submission } from "../task/ports.ts";
import { createSubmissions } from "./submission.ts";
import type { SubmissionParts, SubmitGroup, SubmitRequest, Submissions } from "./submission.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A task's object as these use cases call it; payloads are JSON text. */
export interface TaskDoor {
  submit(submission: Submission): Answer<{ view: string; isNew: boolean }>;
  view(): Answer<{ view: string; holders: string[] }>;
  events(after: number, limit: number): Answer<{ events: string; isMore: boolean }>;
  report(): Answer<string>;
}

/** What history knows of tasks whose object is empty. */
interface TaskArchive {
  view(tenant: string, task_id: string): Promise<TaskView | null>;
  events(
    tenant: string,
    task_id: string,
    page: { after: number; limit: number },
  ): Promise<{ items: TaskEvent[]; next_cursor: string | null }>;
  report(tenant: string, task_id: string): Promise<Report | null>;
}

/** What the use cases of tasks are built from. */
export interface TasksParts extends Omit<SubmissionParts, "isArchived"> {
  task: (tenant: string, task_id: string) => TaskDoor;
  archive: TaskArchive;
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
  /** From the task's object, or from history once that is empty. Refused: task_not_found. */
  view: (by: Principal, task_id: string) => Answer<TaskView>;
  events: (
    by: Principal,
    task_id: string,
    page: { after: number; limit: number },
  ) => Answer<{ items: TaskEvent[]; next_cursor: string | null }>;
  report: (by: Principal, task_id: string) => Answer<Report>;
  /** Whether a key may read a task: an executor's only what its agents hold or held. */
  readable(by: Principal, task_id: string): Answer<{ holders: string[] }>;
}

const UNKNOWN: Refusal = { code: "task_not_found", detail: "There is no task with this id." };

async function mayRead(parts: TasksParts, by: Principal, holders: string[]): Promise<boolean> {
  if (by.scopes.some((scope) => scope !== "execute")) return true;
  const keys = await Promise.all(holders.map((holder) => parts.keyOfAgent(by.tenant, holder)));
  return keys.includes(by.key_id);
}

/** The use cases of tasks. */
export function createTasks(parts: TasksParts): Tasks {
  const readable: Tasks["readable"] = async (by, task_id) => {
    const found = await parts.task(by.tenant, task_id).view();
    if (!found.ok) return found;
    const { holders } = found.value;
    return (await mayRead(parts, by, holders)) ? ok({ holders }) : refuse(UNKNOWN);
  };
  const submissions = createSubmissions({
    ...parts,
    isArchived: async (tenant, task_id) => (await parts.archive.view(tenant, task_id)) !== null,
  });
  return {
    readable,
    submissions,
    check: (by, task, request, group) => submissions.check(by, task, request, { group }),
    async submit(by, task, request, group) {
      const refusal = await submissions.check(by, task, request, { group });
      return refusal === null ? submissions.create(by, task, request, { group }) : refuse(refusal);
    },
    async view(by, task_id) {
      const found = await parts.task(by.tenant, task_id).view();
      if (found.ok) {
        const view: TaskView = JSON.parse(found.value.view);
        return (await mayRead(parts, by, found.value.holders)) ? ok(view) : refuse(UNKNOWN);
      }
      const archived = await archivedView(parts, by, task_id);
      return archived === null ? found : ok(archived);
    },
    async events(by, task_id, { after, limit }) {
      const allowed = await readable(by, task_id);
      if (!allowed.ok) {
        if ((await archivedView(parts, by, task_id)) === null) return allowed;
        return ok(await parts.archive.events(by.tenant, task_id, { after, limit }));
      }
      const found = await parts.task(by.tenant, task_id).events(after, limit);
      if (!found.ok) return found;
      const items: TaskEvent[] = JSON.parse(found.value.events);
      const last = items.at(-1)?.seq ?? after;
      return ok({ items, next_cursor: found.value.isMore ? String(last) : null });
    },
    async report(by, task_id) {
      const allowed = await readable(by, task_id);
      const archived = allowed.ok ? null : await archivedReport(parts, by, task_id);
      if (archived !== null) return ok(archived);
      if (!allowed.ok) return allowed;
      const found = await parts.task(by.tenant, task_id).report();
      if (!found.ok) return found;
      const report: Report = JSON.parse(found.value);
      return ok(report);
    },
  };
}

/** A task in history, for keys that may read their whole tenant. */
async function archivedView(
  parts: TasksParts,
  by: Principal,
  task_id: string,
): Promise<TaskView | null> {
  if (by.scopes.every((scope) => scope === "execute")) return null;
  return parts.archive.view(by.tenant, task_id);
}

async function archivedReport(
  parts: TasksParts,
  by: Principal,
  task_id: string,
): Promise<Report | null> {
  if (by.scopes.every((scope) => scope === "execute")) return null;
  return parts.archive.report(by.tenant, task_id);
}
