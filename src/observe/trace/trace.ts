import { instant, sha256Hex } from "../../lib/ports.ts";
import { spanIdOf } from "../../lib/trace-context.ts";
import { taskSpan } from "../../protocol/span-names.ts";
import type { TaskView } from "../../protocol/task-view.ts";
import type { Span, Trace } from "../../protocol/trace.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import { deliveryDrafts } from "./deliveries.ts";
import type { Draft } from "./draft.ts";
import { fitted } from "./fit.ts";
import type { Life } from "./life.ts";
import { slowestPath } from "./slowest-path.ts";

/** Spans of one answer: more is no picture. An attempt has a handful, a delivery two or three. */
const MOST_SPANS = 5_000;

/** What a trace is derived from. */
export interface Facts {
  view: TaskView;
  /** What the log says that it did. */
  life: Life;
  deliveries: readonly DeliveryView[];
  /** What could not be read, in words. */
  missing: readonly string[];
}

/** The trace id of the submission; of a task whose events name none of the standard's form, one of its own. */
async function traceIdOf({ view, life: { correlation_id: told } }: Facts): Promise<string> {
  if (/^[0-9a-f]{32}$/.test(told)) return told;
  const digest = await sha256Hex(`${view.task_id}/${told}`);
  return digest.slice(0, 32);
}

function spanOf(draft: Draft, ids: ReadonlyMap<string, string>, path: readonly string[]): Span {
  const { key, parent, kind, name, start, end, status, attributes } = draft;
  return {
    span_id: ids.get(key) ?? "",
    parent_id: parent === null ? null : (ids.get(parent) ?? null),
    kind,
    name,
    started_at: instant(start),
    ended_at: end === null ? null : instant(end),
    duration_ms: end === null ? null : end - start,
    status,
    attributes,
    is_on_slowest_path: path.includes(key),
  };
}

async function idsOf(
  trace_id: string,
  drafts: readonly Draft[],
  { known }: Life,
): Promise<Map<string, string>> {
  const pairs = drafts.map(async ({ key }): Promise<[string, string]> => [
    key,
    known.get(key) ?? (await spanIdOf(trace_id, key)),
  ]);
  return new Map(await Promise.all(pairs));
}

/**
 * The spans of a task: pure facts in, so that the same log gives the same tree, whoever has it.
 *
 * @param now end of what still goes on, epoch milliseconds: for the slowest path alone
 */
export async function traceOf(facts: Facts, now: number): Promise<Trace> {
  const { view, life, deliveries, missing } = facts;
  const root = taskSpan(view.task_id);
  const sent = deliveries.flatMap((delivery) =>
    deliveryDrafts(delivery, life.causes.get(delivery.seq ?? 0) ?? root),
  );
  const all = [...life.drafts, ...sent];
  const drafts = fitted(all.slice(0, MOST_SPANS));
  const path = slowestPath(drafts, now);
  const trace_id = await traceIdOf(facts);
  const ids = await idsOf(trace_id, drafts, life);
  const spans = drafts
    .map((draft, place) => ({ draft, place }))
    // A child never begins before its parent, and stands behind it where they begin together.
    .toSorted((a, b) => a.draft.start - b.draft.start || a.place - b.place)
    .map(({ draft }) => spanOf(draft, ids, path));
  const cut = all.length > MOST_SPANS ? [`spans behind the first ${MOST_SPANS}`] : [];
  const { started_at = view.created_at, ended_at = null, duration_ms = null } = spans[0] ?? {};
  return {
    trace_id,
    task_id: view.task_id,
    remote_parent: life.remote_parent,
    started_at,
    ended_at,
    duration_ms,
    spans,
    slowest_path: path.map((key) => ids.get(key) ?? ""),
    is_complete: missing.length + cut.length === 0,
    missing: [...missing, ...cut],
  };
}
