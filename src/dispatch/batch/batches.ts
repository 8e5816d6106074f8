import { inTurn } from "../../lib/in-turn.ts";
import { canonicalJson, derivedId, sha256Hex } from "../../lib/ports.ts";
import type { Clock } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { BatchView, TaskBatch } from "../../protocol/batch.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Hop } from "../../protocol/span-names.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import type { TaskView } from "../../protocol/task-view.ts";
import type { TypeHistory } from "../complexity.ts";
import { itemsOf, siblingsIn, togetherOf } from "./batch-check.ts";
import type { ItemRefusal } from "./batch-check.ts";
import type { BatchDoor, BatchText } from "./batch-ports.ts";
import type { BatchItem, BatchPlan, BatchRecord } from "./batch-record.ts";
import { batchViewOf, tasksToAsk } from "./batch-view.ts";
import type { LiveStatuses } from "./batch-view.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** The request behind a batch: its body as sent, by which repetitions are recognised. */
export interface SubmitRequest {
  body: unknown;
  idempotencyKey: string | null;
  traceId: string;
  /** It as a span of that trace, where it came over HTTP. */
  hop?: Hop | undefined;
  /** Scheme, host and port by which it came. */
  origin: string;
}

/** What the use cases of batches are built from. */
export interface BatchesParts {
  now: Clock;
  newId: () => string;
  batch: (tenant: string, batch_id: string) => BatchDoor;
  /**
   * Why a task of a batch would be refused, or null; `known` are the ids that come with it, `areNew` says that
   * nobody has them. Writes nothing.
   */
  check: (
    by: Principal,
    task: TaskExecution,
    request: SubmitRequest,
    group: { batch_id: string; known: readonly string[]; areNew?: boolean },
  ) => Promise<Refusal | null>;
  /** Why a parent outside the batch can't have all of these children together, or null. Writes nothing. */
  checkChildren: (
    by: Principal,
    parent_task_id: string,
    children: readonly { task_id: string; task: TaskExecution }[],
  ) => Promise<Refusal | null>;
  /** How the tenant's task types have done. */
  typeHistory: (tenant: string) => Promise<TypeHistory>;
  /** A task as it is now. Refused: task_not_found. */
  view: (by: Principal, task_id: string) => Answer<TaskView>;
}

/** Use cases of batches. */
export interface Batches {
  /** Creates all of its tasks or none. Refused: whatever a task can be refused for, dependency_cycle, idempotency_conflict. */
  submit: (
    by: Principal,
    batch: TaskBatch,
    request: SubmitRequest,
  ) => Answer<{ view: BatchView; isNew: boolean }>;
  /** Refused: batch_not_found. */
  view: (by: Principal, batch_id: string) => Answer<BatchView>;
  /** Stops what has not ended. Refused: batch_not_found. */
  cancel: (by: Principal, batch_id: string, reason: string | null) => Answer<BatchView>;
}

/** Checks, or questions to tasks, at one time: the platform lets six connections of one call be open. */
export const MOST_CALLS = 6;

/** An id that is new, or the same for the same idempotency key. */
export async function idFor(
  prefix: string,
  { tenant, key, newId }: { tenant: string; key: string | null; newId: () => string },
): Promise<string> {
  const id = key === null ? newId() : await derivedId(`${tenant}/${prefix}/${key}`);
  return `${prefix}_${id}`;
}

/** The ids of a batch's tasks: given, or derived from the batch's own and the place. */
async function taskIds(by: Principal, batch_id: string, tasks: TaskBatch["tasks"]) {
  return inTurn(
    [...tasks.entries()],
    MOST_CALLS,
    async ([index, { task_id }]) =>
      task_id ?? `task_${await derivedId(`${by.tenant}/${batch_id}/${index}`)}`,
  );
}

/** What keeps the items from becoming tasks, all of it; null when nothing does. */
async function faultOf(
  parts: BatchesParts,
  by: Principal,
  items: readonly BatchItem[],
  { batch_id, request }: { batch_id: string; request: SubmitRequest },
): Promise<Refusal | null> {
  const group = { batch_id, known: items.map(({ task_id }) => task_id) };
  const judge = async ([index, { task, task_id }]: [number, BatchItem]): Promise<ItemRefusal[]> => {
    const refusal = await parts.check(by, { ...task, task_id }, request, group);
    return refusal === null ? [] : [{ index, refusal: placed(refusal, task_id) }];
  };
  const refused = await inTurn([...items.entries()], MOST_CALLS, judge);
  return togetherOf(refused.flat()) ?? familyFault(parts, by, items);
}

/** What keeps parents from having all of the items that name them: each alone may fit where all do not. */
async function familyFault(
  { checkChildren }: BatchesParts,
  by: Principal,
  items: readonly BatchItem[],
): Promise<Refusal | null> {
  const judge = async ([parent, indexes]: [string, number[]]): Promise<ItemRefusal[]> => {
    const refusal = await checkChildren(
      by,
      parent,
      indexes.flatMap((index) => items[index] ?? []),
    );
    return refusal === null ? [] : indexes.map((index) => ({ index, refusal }));
  };
  const refused = await inTurn([...siblingsIn(items)], MOST_CALLS, judge);
  return togetherOf(refused.flat());
}

/** A task that exists already is one under this id: the fault is there. */
function placed(refusal: Refusal, task_id: string): Refusal {
  if (refusal.code !== "idempotency_conflict") return refusal;
  const detail = `There is a task ${task_id} already; give another id, or none.`;
  return {
    ...refusal,
    detail,
    errors: [{ pointer: "/task_id", code: "idempotency_conflict", detail }],
  };
}

/** Everything about a submission that is the same for batches and requests. */
export function envelopeOf(
  by: Principal,
  request: SubmitRequest,
): Pick<BatchPlan, "tenant" | "by" | "trace_id" | "hop" | "origin"> {
  return {
    tenant: by.tenant,
    by: { ...by, scopes: [...by.scopes] },
    trace_id: request.traceId,
    ...(request.hop !== undefined && { hop: request.hop }),
    origin: request.origin,
  };
}

/** The record that a batch's object gave. */
export function recordOf(text: BatchText): BatchRecord {
  const record: BatchRecord = JSON.parse(text);
  return record;
}

/** Asks the tasks whose status the batch can't tell. */
async function liveStatuses(
  view: BatchesParts["view"],
  by: Principal,
  record: BatchRecord,
): Promise<LiveStatuses> {
  const answers = await inTurn(tasksToAsk(record), MOST_CALLS, (task_id) => view(by, task_id));
  return new Map(
    answers.flatMap((answer) => (answer.ok ? [[answer.value.task_id, answer.value.status]] : [])),
  );
}

/** The use cases of batches. */
export function createBatches(parts: BatchesParts): Batches {
  const shown = async (by: Principal, text: BatchText): Promise<BatchView> => {
    const record = recordOf(text);
    return batchViewOf(record, await liveStatuses(parts.view, by, record));
  };
  return {
    async submit(by, batch, request) {
      const { tenant } = by;
      const key = request.idempotencyKey;
      const batch_id = batch.batch_id ?? (await idFor("batch", { tenant, key, ...parts }));
      const door = parts.batch(tenant, batch_id);
      const body_hash = await sha256Hex(canonicalJson(request.body));
      const known = await door.find(body_hash);
      if (!known.ok) return known;
      if (known.value !== null) return ok({ view: await shown(by, known.value), isNew: false });
      const task_ids = await taskIds(by, batch_id, batch.tasks);
      const items = itemsOf(batch, task_ids, await parts.typeHistory(tenant));
      if (!items.ok) return items;
      const fault = await faultOf(parts, by, items.value, { batch_id, request });
      if (fault !== null) return refuse(fault);
      const plan: BatchPlan = {
        ...envelopeOf(by, request),
        batch_id,
        body_hash,
        created_at: parts.now(),
        options: batch.batch_options,
        items: items.value,
        request: null,
      };
      const begun = await door.begin(JSON.stringify(plan));
      if (!begun.ok) return begun;
      const { record, isNew } = begun.value;
      return ok({ view: await shown(by, record), isNew });
    },
    async view(by, batch_id) {
      const found = await parts.batch(by.tenant, batch_id).read();
      return found.ok ? ok(await shown(by, found.value)) : found;
    },
    async cancel(by, batch_id, reason) {
      const message = reason ?? "The batch was cancelled";
      const done = await parts.batch(by.tenant, batch_id).cancel(message);
      return done.ok ? ok(await shown(by, done.value)) : done;
    },
  };
}
