import type { Tasks } from "./dispatch/tasks.ts";
import { readRating, writeRating } from "./history/rating-store.ts";
import { createRatings } from "./history/ratings.ts";
import type { RatingPort } from "./rest/rating-port.ts";
import { doorsOf, now } from "./services-doors.ts";

/** How people judge what tasks have made, as the HTTP face takes it. */
export function ratingPort(env: Env, tasks: Pick<Tasks, "view">): RatingPort {
  const { guard } = doorsOf(env);
  return createRatings({
    now,
    view: (by, task_id) => tasks.view(by, task_id),
    get: (query) => guard.get(query),
    write: (rating) => writeRating(env.DB, rating),
    read: (tenant, task_id) => readRating(env.DB, tenant, task_id),
  });
}
