import { instant, type Clock } from "../../lib/ports.ts";
import { ok, type Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import { notificationTypeSchema } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { TaskEvent, TaskView } from "../../protocol/task-view.ts";
import type { Trace } from "../../protocol/trace.ts";
import type { TaskDeliveries } from "../../protocol/webhook-operations.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import { LifeReader } from "./life.ts";
import { traceOf } from "./trace.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Where a trace is read from. */
export interface TraceParts {
  now: Clock;
  /** The task as whoever asks may see it, by its object or by history; refused as GET /v1/tasks/{id} is. */
  view: (by: Principal, task_id: string) => Answer<TaskView>;
  events: (
    by: Principal,
    task_id: string,
    page: { after: number; limit: number },
  ) => Answer<{ items: TaskEvent[]; next_cursor: string | null }>;
  deliveries: (
    by: Principal,
    task_id: string,
    page: { after: number; limit: number },
  ) => Answer<TaskDeliveries>;
  /** How long endpoints remember what was delivered, milliseconds. */
  keptMs: number;
}

/** Events of one page and of one trace: a log of more has its own list. */
const PAGE = 1_000;
const MOST_EVENTS = 10_000;

/** Pages of one trace: ten are full ones, and those of large events end at 4 MB. */
const MOST_PAGES = 20;

/** Notifications of one page, and deliveries of one trace: each is a call of an endpoint's object. */
const NOTIFICATIONS_PAGE = 50;
const MOST_DELIVERIES = 500;

interface LogRead {
  life: LifeReader;
  /** Whether the task told of something so long ago that endpoints do not remember it any more. */
  isForgotten: boolean;
  missing: string[];
}

/** Since when endpoints remember. */
function rememberedSince({ now, keptMs }: TraceParts): string {
  return instant(now() - keptMs);
}

/** Reads the log page by page, and lets each go before the next one: an event may be as large as a body. */
async function logOf(
  parts: TraceParts,
  by: Principal,
  view: TaskView,
): Promise<Result<LogRead, Refusal>> {
  const life = new LifeReader(view);
  const since = rememberedSince(parts);
  let isForgotten = false;
  let [after, found] = [0, 0];
  for (let pages = 1; ; pages += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
    const page = await parts.events(by, view.task_id, { after, limit: PAGE });
    if (!page.ok) return page;
    const { items, next_cursor } = page.value;
    for (const event of items) {
      life.read(event);
      isForgotten ||= event.at < since && notificationTypeSchema.safeParse(event.type).success;
    }
    const last = items.at(-1)?.seq;
    if (next_cursor === null || last === undefined) return ok({ life, isForgotten, missing: [] });
    found += items.length;
    if (found >= MOST_EVENTS || pages >= MOST_PAGES) {
      return ok({ life, isForgotten, missing: [`events behind seq ${last}`] });
    }
    after = last;
  }
}

/** Whether a key may see where notifications go: as at GET /v1/tasks/{id}/deliveries. */
function seesDeliveries({ scopes }: Principal): boolean {
  return scopes.some((scope) => scope !== "execute");
}

interface Sent {
  found: DeliveryView[];
  missing: string[];
}

async function pagesOf({ deliveries }: TraceParts, by: Principal, task_id: string): Promise<Sent> {
  const found: DeliveryView[] = [];
  let after = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
    const page = await deliveries(by, task_id, { after, limit: NOTIFICATIONS_PAGE });
    if (!page.ok) return { found, missing: [`deliveries: ${page.refusal.detail}`] };
    found.push(...page.value.items.flatMap((item) => item.deliveries));
    const { next_after } = page.value;
    if (next_after === null) return { found, missing: [] };
    if (found.length >= MOST_DELIVERIES) {
      return { found, missing: [`deliveries of notifications behind seq ${next_after}`] };
    }
    after = next_after;
  }
}

/** Deliveries as far as they can be read: a trace without them is better than none. */
async function sentOf(parts: TraceParts, by: Principal, task_id: string): Promise<Sent> {
  if (!seesDeliveries(by)) return { found: [], missing: ["deliveries: this key may not see them"] };
  try {
    return await pagesOf(parts, by, task_id);
  } catch {
    // Whose fault it was is in the log of the endpoint.
    return { found: [], missing: ["deliveries: an endpoint could not be asked"] };
  }
}

/**
 * What a task spent its time on, for whoever may see the task; `missing` says what could not be read.
 *
 * Refused as the view is: task_not_found, task_gone.
 */
export async function readTrace(parts: TraceParts, by: Principal, task_id: string): Answer<Trace> {
  const view = await parts.view(by, task_id);
  if (!view.ok) return view;
  const [log, sent] = await Promise.all([logOf(parts, by, view.value), sentOf(parts, by, task_id)]);
  if (!log.ok) return log;
  const { life, isForgotten, missing } = log.value;
  const old =
    isForgotten && seesDeliveries(by)
      ? [`deliveries before ${rememberedSince(parts)}: endpoints remember no longer`]
      : [];
  const facts = {
    view: view.value,
    life,
    deliveries: sent.found,
    missing: [...missing, ...sent.missing, ...old],
  };
  return ok(await traceOf(facts, parts.now()));
}
