import { canonicalJson, derivedId, instant, sha256Hex } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Fault, Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Actor, Report, TaskEvent, TaskView } from "../protocol/task-view.ts";
import type { Submission } from "../task/ports.ts";

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
export interface TasksParts {
  now: Clock;
  newId: () => string;
  task: (tenant: string, task_id: string) => TaskDoor;
  archive: TaskArchive;
  /** Why a callback URL may not be used, or null; `origin` is our own address. */
  urlFault: (url: string, origin: string) => Promise<string | null>;
  /** Which of these webhooks the tenant does not have. */
  unknownWebhooks: (tenant: string, webhook_ids: readonly string[]) => Promise<string[]>;
  /** The key that an executor is bound to, or null. */
  keyOfAgent: (tenant: string, agent_id: string) => Promise<string | null>;
}

/** The request behind a submission: its body as sent, by which repetitions are recognised. */
interface SubmitRequest {
  body: unknown;
  idempotencyKey: string | null;
  traceId: string;
  /** Scheme, host and port by which it came. */
  origin: string;
}

/** Use cases that orchestrators and observers have for tasks. */
export interface Tasks {
  /** Refused: endpoint_refused, not_supported, idempotency_conflict, validation_failed. */
  submit: (
    by: Principal,
    task: TaskExecution,
    request: SubmitRequest,
  ) => Answer<{ view: TaskView; isNew: boolean }>;
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

/** Who a principal is in the log of a task. */
export function actorOf(by: Principal): Actor {
  return { kind: by.scopes.includes("admin") ? "operator" : "orchestrator", id: by.key_id };
}

async function submissionFaults(
  parts: TasksParts,
  { tenant, origin }: { tenant: string; origin: string },
  task: TaskExecution,
): Promise<Refusal | null> {
  if ((task.parameters?.dependencies ?? []).length > 0) {
    const detail =
      "Dependencies between tasks are not carried out yet; submit the task when they have ended.";
    return {
      code: "not_supported",
      detail,
      errors: [{ pointer: "/parameters/dependencies", code: "not_supported", detail }],
    };
  }
  const callback = task.orchestrator_info?.callback_url;
  const fault = callback === undefined ? null : await parts.urlFault(callback, origin);
  const stakeholders = task.stakeholders ?? [];
  const unknown =
    stakeholders.length === 0 ? [] : await parts.unknownWebhooks(tenant, stakeholders);
  const errors: Fault[] = [
    ...(fault === null
      ? []
      : [{ pointer: "/orchestrator_info/callback_url", code: "endpoint_refused", detail: fault }]),
    ...unknown.map((webhook_id) => ({
      pointer: `/stakeholders/${stakeholders.indexOf(webhook_id)}`,
      code: "webhook_not_found",
      detail: `There is no webhook ${webhook_id}.`,
    })),
  ];
  return errors.length === 0
    ? null
    : { code: "endpoint_refused", detail: "An endpoint of the task cannot be used.", errors };
}

/** The task's id: given, or derived from the idempotency key, or new. */
async function idFor(
  parts: TasksParts,
  by: Principal,
  task: TaskExecution,
  idempotencyKey: string | null,
): Promise<string> {
  if (task.task_id !== undefined) return task.task_id;
  const id =
    idempotencyKey === null ? parts.newId() : await derivedId(`${by.tenant}/${idempotencyKey}`);
  return `task_${id}`;
}

/** Defaults that depend on who asks and when (protocol.md §3). */
function withOrigin(task: TaskExecution, by: Principal, now: number): TaskExecution {
  return {
    ...task,
    orchestrator_info: { agent_id: by.key_id, timestamp: instant(now), ...task.orchestrator_info },
  };
}

async function mayRead(parts: TasksParts, by: Principal, holders: string[]): Promise<boolean> {
  if (by.scopes.some((scope) => scope !== "execute")) return true;
  const keys = await Promise.all(holders.map((holder) => parts.keyOfAgent(by.tenant, holder)));
  return keys.includes(by.key_id);
}

async function submitTask(
  parts: TasksParts,
  by: Principal,
  task: TaskExecution,
  { body, idempotencyKey, traceId, origin }: SubmitRequest,
): Answer<{ view: TaskView; isNew: boolean }> {
  const fault = await submissionFaults(parts, { tenant: by.tenant, origin }, task);
  if (fault !== null) return refuse(fault);
  const task_id = await idFor(parts, by, task, idempotencyKey);
  const done = await parts.task(by.tenant, task_id).submit({
    origin: {
      tenant: by.tenant,
      task_id,
      uid: parts.newId(),
      trace_id: traceId,
      body_hash: await sha256Hex(canonicalJson(body)),
      submitted_by: by.key_id,
    },
    task: JSON.stringify(withOrigin(task, by, parts.now())),
    actor: actorOf(by),
  });
  if (!done.ok) return done;
  const view: TaskView = JSON.parse(done.value.view);
  return ok({ view, isNew: done.value.isNew });
}

/** The use cases of tasks. */
export function createTasks(parts: TasksParts): Tasks {
  const readable: Tasks["readable"] = async (by, task_id) => {
    const found = await parts.task(by.tenant, task_id).view();
    if (!found.ok) return found;
    const { holders } = found.value;
    return (await mayRead(parts, by, holders)) ? ok({ holders }) : refuse(UNKNOWN);
  };
  return {
    readable,
    submit: (by, task, request) => submitTask(parts, by, task, request),
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
