import { inTurn } from "../../lib/in-turn.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import { prioritySchema, type TaskType } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { TaskView } from "../../protocol/task-view.ts";
import type { TaskDeliveries } from "../../protocol/webhook-operations.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import { MOST_CALLS } from "../hand-over.ts";
import { distinctFacets, shownFacets, type Facet } from "./facets.ts";
import { factsOf } from "./filters.ts";
import type { Subscriber } from "./routing.ts";
import { TASK_NEWS } from "./subscriptions.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** By what the endpoints of a task are found. */
export interface TaskAudience {
  task_type: TaskType;
  /** Every executor that has held it. */
  holders: readonly string[];
  tags: readonly string[];
  /** Webhooks that get the final notification whatever their filters say. */
  stakeholders: readonly string[];
  callback_url: string | null;
}

/** What is asked of an endpoint's object. */
interface DeliveryShelf {
  deliveries(query: {
    task_id: string;
    cursor?: string | undefined;
    limit: number;
  }): Answer<{ items: DeliveryView[]; next_cursor: string | null }>;
  /** With its attempts. */
  delivery(delivery_id: string): Answer<DeliveryView>;
}

/** What the use case is given. */
export interface TaskDeliveriesPorts {
  /** Who is told of a task, by its object. Refused: task_not_found. */
  audience(tenant: string, task_id: string): Answer<TaskAudience>;
  /** The task in history; null when it is not there either. Refused with task_gone when it was removed. */
  archived(tenant: string, task_id: string): Answer<TaskView | null>;
  /** Executors that held a task which history has; none where it does not know. */
  heldBy(tenant: string, task_id: string): Promise<readonly string[]>;
  subscribers(tenant: string, asked: readonly Facet[]): Promise<Pick<Subscriber, "webhook_id">[]>;
  /** The id of the endpoint that a callback URL stands for. */
  callbackId(tenant: string, url: string): Promise<string>;
  endpoint: (tenant: string, webhook_id: string) => DeliveryShelf;
}

/** Which notifications of which task. */
export interface TaskDeliveriesQuery {
  tenant: string;
  task_id: string;
  /** Notifications behind this seq. */
  after: number;
  /** Notifications at most. */
  limit: number;
}

/**
 * Endpoints that one request asks, and deliveries that it reads with their attempts: each is a call of an object,
 * and one request has 10,000 (facts/platform.md §4).
 */
const MOST_ENDPOINTS = 500;
const MOST_DELIVERIES = 2_000;

/** Deliveries that one call of an endpoint's object gives. */
const PAGE = 200;

/**
 * What became of a task's notifications at every endpoint that is told of the task, in order of seq.
 *
 * The endpoints themselves are asked, so it is as new as can be. Endpoints that were deleted, or whose filters
 * have been changed since so that they would not be told today, are not among them; nor are, once the task's own object
 * is empty, its callback and its stakeholders, unless their filters fit. A page may be shorter than asked for. Refused: task_not_found; not_supported when more endpoints are told than one request can ask.
 */
export async function taskDeliveries(
  ports: TaskDeliveriesPorts,
  query: TaskDeliveriesQuery,
): Answer<TaskDeliveries> {
  const audience = await audienceOf(ports, query.tenant, query.task_id);
  if (!audience.ok) return audience;
  const endpoints = await endpointsOf(ports, query.tenant, audience.value);
  if (endpoints.length > MOST_ENDPOINTS) return refuse(TOO_MANY);
  const found = await inTurn(endpoints, MOST_CALLS, (webhook_id) =>
    deliveriesBehind(ports, query, webhook_id),
  );
  const page = pageOf(found.flat(), query.limit);
  const deliveries = await inTurn(page.deliveries, MOST_CALLS, (delivery) =>
    withAttempts(ports, query.tenant, delivery),
  );
  const items = bySeq(deliveries).map(([seq, group]) => ({
    seq,
    type: group[0].type,
    state: overallState(group),
    deliveries: group,
  }));
  const next_after = page.isEnd ? null : (items.at(-1)?.seq ?? null);
  return ok({ task_id: query.task_id, items, next_after });
}

const TOO_MANY: Refusal = {
  code: "not_supported",
  detail: `More than ${MOST_ENDPOINTS} endpoints are told of this task: ask each for its deliveries by task_id.`,
};

async function audienceOf(
  ports: TaskDeliveriesPorts,
  tenant: string,
  task_id: string,
): Answer<TaskAudience> {
  const live = await ports.audience(tenant, task_id);
  if (live.ok) return live;
  const past = await ports.archived(tenant, task_id);
  if (!past.ok) return past;
  if (past.value === null) return live;
  // The object of a task past its retention is empty, and whom the task named besides is gone with it.
  const { task_type, tags } = past.value;
  const holders = await ports.heldBy(tenant, task_id);
  return ok({ task_type, holders, tags, stakeholders: [], callback_url: null });
}

async function endpointsOf(
  ports: TaskDeliveriesPorts,
  tenant: string,
  audience: TaskAudience,
): Promise<string[]> {
  const { callback_url, stakeholders } = audience;
  const [subscribers, callback] = await Promise.all([
    ports.subscribers(tenant, facetsOf(audience)),
    callback_url === null ? null : ports.callbackId(tenant, callback_url),
  ]);
  return [
    ...new Set([
      ...subscribers.map(({ webhook_id }) => webhook_id),
      ...stakeholders,
      ...(callback === null ? [] : [callback]),
    ]),
  ];
}

/** What any notification of the task may have shown. Its priority may have been another one: all are asked for. */
function facetsOf({ task_type, tags, holders }: TaskAudience): Facet[] {
  const shown = TASK_NEWS.flatMap((type) =>
    prioritySchema.options.flatMap((priority) =>
      [null, ...holders].flatMap((agent_id) =>
        shownFacets(factsOf(type, { task_type, priority, agent_id, tags }, {})),
      ),
    ),
  );
  return distinctFacets(shown);
}

/** The next deliveries of the task at one endpoint, one more than asked for if there are more. */
async function deliveriesBehind(
  ports: TaskDeliveriesPorts,
  { tenant, task_id, after, limit }: TaskDeliveriesQuery,
  webhook_id: string,
): Promise<DeliveryView[]> {
  const endpoint = ports.endpoint(tenant, webhook_id);
  const found: DeliveryView[] = [];
  let cursor: string | undefined;
  do {
    const page = await endpoint.deliveries({ task_id, cursor, limit: PAGE });
    if (!page.ok) throw new Error(`Endpoint ${webhook_id} refused: ${page.refusal.detail}`);
    found.push(...page.value.items.filter(({ seq }) => seq !== null && seq > after));
    cursor = page.value.next_cursor ?? undefined;
  } while (cursor !== undefined && found.length <= limit);
  return found.slice(0, limit + 1);
}

type Group = [DeliveryView, ...DeliveryView[]];

/** Deliveries of the same notification together, by seq. */
function bySeq(deliveries: readonly DeliveryView[]): [seq: number, Group][] {
  const groups = new Map<number, Group>();
  for (const delivery of deliveries) {
    // Deliveries without a seq have no task.
    const seq = delivery.seq ?? 0;
    const group = groups.get(seq);
    if (group === undefined) groups.set(seq, [delivery]);
    else group.push(delivery);
  }
  return [...groups].toSorted(([one], [other]) => one - other);
}

/** All deliveries of the first notifications: as many as asked for, and as one request can read. */
function pageOf(
  found: readonly DeliveryView[],
  limit: number,
): { deliveries: DeliveryView[]; isEnd: boolean } {
  const all = bySeq(found);
  let count = 0;
  const taken = all.slice(0, limit).filter(([, group], index) => {
    count += group.length;
    return index === 0 || count <= MOST_DELIVERIES;
  });
  return { deliveries: taken.flatMap(([, group]) => group), isEnd: taken.length === all.length };
}

async function withAttempts(
  ports: TaskDeliveriesPorts,
  tenant: string,
  delivery: DeliveryView,
): Promise<DeliveryView> {
  const read = await ports.endpoint(tenant, delivery.webhook_id).delivery(delivery.delivery_id);
  // Between the two looks it may have been removed: then it is shown as it was.
  return read.ok ? read.value : delivery;
}

/** What the deliveries of one notification come to: `delivered` only when every endpoint has it. */
function overallState(
  deliveries: readonly DeliveryView[],
): TaskDeliveries["items"][number]["state"] {
  const delivered = deliveries.filter(({ state }) => state === "delivered").length;
  const lost = deliveries.filter(({ state }) => ["exhausted", "cancelled"].includes(state)).length;
  if (delivered === deliveries.length) return "delivered";
  if (delivered + lost === deliveries.length) return "failed";
  return delivered > 0 ? "partial" : "pending";
}
