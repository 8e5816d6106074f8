import { inTurn } from "../../lib/in-turn.ts";
import { canonicalJson, sha256Hex } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Request, RequestView } from "../../protocol/request.ts";
import type { TaskView } from "../../protocol/task-view.ts";
import type { Expansion } from "../batch/batch-ports.ts";
import type { BatchPlan, BatchRecord } from "../batch/batch-record.ts";
import { MOST_CALLS, envelopeOf, idFor, recordOf } from "../batch/batches.ts";
import type { BatchesParts, SubmitRequest } from "../batch/batches.ts";
import { secondsLeft } from "./plan-tasks.ts";
import { decideByRules, expandPlan, planningItem } from "./planning.ts";
import type { Planning, PlanningParts } from "./planning.ts";
import { dryRunView, isRequest, requestViewOf, tasksOfRequest } from "./request-view.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases of requests are built from. */
export type RequestsParts = BatchesParts & PlanningParts;

/** Use cases of requests. */
export interface Requests {
  /** Plans and creates the tasks, or only shows the plan. Refused: dependency_cycle, idempotency_conflict, plan_rejected, validation_failed. */
  submit: (
    by: Principal,
    request: Request,
    sent: SubmitRequest,
  ) => Answer<{ view: RequestView; isNew: boolean }>;
  /** Refused: request_not_found. */
  view: (by: Principal, request_id: string) => Answer<RequestView>;
  /** Stops what has not ended. Refused: request_not_found. */
  cancel: (by: Principal, request_id: string, reason: string | null) => Answer<RequestView>;
  /** The tasks that come of an executor's plan. Refused: plan_rejected. */
  expand: (plan: BatchPlan, result: unknown) => Answer<Expansion>;
}

/** The longest that a request may take: as long as a task may (protocol.md §3), seconds. */
const LONGEST_S = 604_800;

const UNKNOWN: Refusal = { code: "request_not_found", detail: "There is no request with this id." };

function batchOf(
  { by, request, request_id, now }: Planning,
  sent: SubmitRequest,
  body_hash: string,
): Omit<BatchPlan, "items" | "request"> {
  const { max_concurrent, fail_fast } = request.constraints;
  const left = secondsLeft(request, now) ?? LONGEST_S;
  return {
    ...envelopeOf(by, sent),
    batch_id: request_id,
    body_hash,
    created_at: now,
    options: {
      execution_mode: "dependency_based",
      max_concurrent,
      fail_fast,
      timeout: left > 0 ? Math.min(left, LONGEST_S) : LONGEST_S,
    },
  };
}

async function planFor(
  parts: RequestsParts,
  planning: Planning,
  sent: SubmitRequest,
  body_hash: string,
): Answer<BatchPlan> {
  const { request } = planning;
  const batch = batchOf(planning, sent, body_hash);
  const stored = { request, plan: null, planner: null, rejection: null };
  if (request.planning === "executor") {
    const planner = await planningItem(parts, planning, sent);
    if (!planner.ok) return planner;
    return ok({ ...batch, items: [], request: { ...stored, planner: planner.value } });
  }
  const decided = await decideByRules(parts, planning, sent);
  if (!decided.ok) return decided;
  const { plan, items } = decided.value;
  return ok({ ...batch, items, request: { ...stored, plan } });
}

/** A request that is not known yet: planned, stored and begun. */
async function begin(
  parts: RequestsParts,
  planning: Planning,
  sent: SubmitRequest,
  body_hash: string,
): Answer<{ record: BatchRecord; isNew: boolean }> {
  const plan = await planFor(parts, planning, sent, body_hash);
  if (!plan.ok) return plan;
  const door = parts.batch(planning.by.tenant, planning.request_id);
  const begun = await door.begin(JSON.stringify(plan.value));
  if (!begun.ok) return begun;
  return ok({ record: recordOf(begun.value.record), isNew: begun.value.isNew });
}

/** The use cases of requests. The orchestrator plans by rules, or has an executor plan; it calls no model. */
export function createRequests(parts: RequestsParts): Requests {
  const shown = async (by: Principal, record: BatchRecord): Answer<RequestView> => {
    if (!isRequest(record)) return refuse(UNKNOWN);
    const answers = await inTurn(tasksOfRequest(record), MOST_CALLS, (task_id) =>
      parts.view(by, task_id),
    );
    const tasks = answers.flatMap((answer): TaskView[] => (answer.ok ? [answer.value] : []));
    const isAnyGone = answers.some((answer) => !answer.ok && answer.refusal.code === "task_gone");
    return ok(requestViewOf(record, tasks, isAnyGone));
  };
  const known = async (by: Principal, text: Result<string, Refusal>): Answer<RequestView> => {
    if (text.ok) return shown(by, recordOf(text.value));
    return text.refusal.code === "batch_not_found" ? refuse(UNKNOWN) : text;
  };
  return {
    async submit(by, request, sent) {
      const { tenant } = by;
      const key = sent.idempotencyKey;
      const request_id = await idFor("req", { tenant, key, ...parts });
      const planning = { by, request, request_id, now: parts.now() };
      if (request.dry_run) {
        const decided = await decideByRules(parts, planning, sent);
        if (!decided.ok) return decided;
        return ok({ view: dryRunView(request, decided.value.plan), isNew: false });
      }
      const body_hash = await sha256Hex(canonicalJson(sent.body));
      const found = await parts.batch(tenant, request_id).find(body_hash);
      if (!found.ok) return found;
      const begun =
        found.value === null
          ? await begin(parts, planning, sent, body_hash)
          : ok({ record: recordOf(found.value), isNew: false });
      if (!begun.ok) return begun;
      const view = await shown(by, begun.value.record);
      return view.ok ? ok({ view: view.value, isNew: begun.value.isNew }) : view;
    },
    view: async (by, request_id) => known(by, await parts.batch(by.tenant, request_id).read()),
    async cancel(by, request_id, reason) {
      const door = parts.batch(by.tenant, request_id);
      const found = await known(by, await door.read());
      if (!found.ok) return found;
      return known(by, await door.cancel(reason ?? "The request was cancelled"));
    },
    expand: (batch, result) => expandPlan(parts, batch, result),
  };
}
