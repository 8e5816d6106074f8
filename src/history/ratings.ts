import type { Clock } from "../lib/ports.ts";
import { instant } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Rating, RatingRequest } from "../protocol/metric-series.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { TaskView } from "../protocol/task-view.ts";
import { countedScore, minuteOf } from "./rollup.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A judgement, and where it is counted: with the end of its task. */
export interface RatingRecord extends Rating {
  tenant: string;
  /** The score in millionths. */
  counted: number;
  bucket: number;
  task_type: string;
  agent_id: string;
}

/** What judging needs from outside. */
export interface RatingParts {
  now: Clock;
  /** The task as whoever asks may see it. */
  view: (by: Principal, task_id: string) => Answer<TaskView>;
  /** Both throw while the tenant's database is down. False where history has removed the task. */
  write: (rating: RatingRecord) => Promise<boolean>;
  read: (tenant: string, task_id: string) => Promise<Rating | null>;
}

/** How people judge what tasks have made. */
export function createRatings({ now, view, write, read }: RatingParts) {
  return {
    async put(by: Principal, task_id: string, request: RatingRequest): Answer<Rating> {
      const found = await view(by, task_id);
      if (!found.ok) return found;
      const { ended_at, phase, status, task_type, agent_id } = found.value;
      if (ended_at === null) {
        const detail = `Task ${task_id} is ${status} (${phase}); its result can be judged once it has ended.`;
        return refuse({ code: "transition_refused", detail });
      }
      const { score, comment = null } = request;
      const rating = {
        task_id,
        score,
        comment,
        rated_by: by.key_id,
        rated_at: instant(now()),
      };
      const place = { bucket: minuteOf(ended_at), task_type, agent_id: agent_id ?? "" };
      const record = { ...rating, ...place, tenant: by.tenant, counted: countedScore(score) };
      if (await write(record)) return ok(rating);
      const detail = `Task ${task_id} ended at ${ended_at} and was removed from history since: what is removed is judged no more.`;
      return refuse({ code: "task_gone", detail });
    },
    async get(by: Principal, task_id: string): Answer<Rating> {
      const found = await view(by, task_id);
      if (!found.ok) return found;
      const rating = await read(by.tenant, task_id);
      const detail = `Nobody has rated task ${task_id}.`;
      return rating === null ? refuse({ code: "rating_not_found", detail }) : ok(rating);
    },
  };
}
