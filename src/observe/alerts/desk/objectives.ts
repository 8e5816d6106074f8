import { DURATION_BOUNDS_S } from "../../../db/rollup-table.ts";
import { instant, type Clock } from "../../../lib/ports.ts";
import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { ObjectiveRequest, ObjectiveStatus } from "../../../protocol/objectives.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import { budgetOf, burnRate } from "../objectives/budget.ts";
import {
  isDefaultObjective,
  objectivesInForce,
  type Objective,
} from "../objectives/default-objectives.ts";
import type { Figures, OpenFigures } from "../ports.ts";
import type { SettingStore } from "./setting-port.ts";

/** Own objectives of one tenant: their shares are counted over weeks whenever they are shown. */
const MOST_OBJECTIVES = 20;

const DAY_S = 86_400;
const HOUR_S = 3_600;

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What objectives need. */
export interface ObjectiveParts {
  now: Clock;
  store: Pick<SettingStore, "objectives" | "putObjective" | "removeObjective">;
  openFigures: OpenFigures;
}

function misfit(member: string, detail: string): Refusal {
  return {
    code: "validation_failed",
    detail: `${member}: ${detail}`,
    errors: [{ pointer: `/${member}`, code: "custom", detail }],
  };
}

/** What of an objective does not go with the rest of it. */
function faultOf({ indicator, limit_s, task_type }: ObjectiveRequest): Refusal | null {
  const bounds: readonly number[] = DURATION_BOUNDS_S;
  if (indicator === "task_in_time" && (limit_s === undefined || !bounds.includes(limit_s))) {
    return misfit("limit_s", `must be one of ${bounds.join(", ")}: durations are kept by these`);
  }
  if (indicator !== "task_in_time" && limit_s !== undefined) {
    return misfit("limit_s", "goes with task_in_time only");
  }
  const isOfTasks = indicator === "task_success" || indicator === "task_in_time";
  return !isOfTasks && task_type !== undefined
    ? misfit("task_type", `${indicator} is not kept by it; leave it out`)
    : null;
}

async function statusOf(figures: Figures, objective: Objective): Promise<ObjectiveStatus> {
  const { target, window_days } = objective;
  const [all, hour, sixHours] = await Promise.all([
    figures.share(objective, window_days * DAY_S),
    figures.share(objective, HOUR_S),
    figures.share(objective, 6 * HOUR_S),
  ]);
  return {
    ...objective,
    ...all,
    ...budgetOf(target, all),
    burn_rate_1h: burnRate(target, hour),
    burn_rate_6h: burnRate(target, sixHours),
  };
}

/** Use cases of objectives. */
export function createObjectives({ now, store, openFigures }: ObjectiveParts) {
  const inForce = async (tenant: string) => objectivesInForce(await store.objectives(tenant));
  return {
    /** All of a tenant with their budgets, by id. */
    async list(tenant: string): Promise<ObjectiveStatus[]> {
      const figures = openFigures(tenant, now());
      return Promise.all((await inForce(tenant)).map((one) => statusOf(figures, one)));
    },
    /** Refused: validation_failed for what does not go together, alerting_refused for one too many. */
    async put(tenant: string, slo_id: string, request: ObjectiveRequest): Answer<ObjectiveStatus> {
      const fault = faultOf(request);
      if (fault !== null) return refuse(fault);
      const own = await store.objectives(tenant);
      const isNew = !own.some((one) => one.slo_id === slo_id);
      if (isNew && own.length >= MOST_OBJECTIVES) {
        const detail = `The tenant has ${MOST_OBJECTIVES} objectives, which is the most; DELETE one of them first.`;
        return refuse({ code: "alerting_refused", detail });
      }
      await store.putObjective(tenant, slo_id, request, instant(now()));
      const objective: Objective = { ...request, slo_id, source: "tenant" };
      return ok(await statusOf(openFigures(tenant, now()), objective));
    },
    /** A default objective of the id is in force again. Refused: objective_not_found. */
    async remove(tenant: string, slo_id: string): Answer<null> {
      if (await store.removeObjective(tenant, slo_id)) return ok(null);
      const detail = isDefaultObjective(slo_id)
        ? `the objective ${slo_id} comes with Batuta; a PUT replaces it`
        : `there is no objective ${slo_id}; GET /v1/objectives lists them`;
      return refuse({ code: "objective_not_found", detail });
    },
  };
}
