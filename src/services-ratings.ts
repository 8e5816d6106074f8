import type { Tasks } from "./dispatch/tasks.ts";
import { readRating, writeRating } from "./history/rating-store.ts";
import { createRatings } from "./history/ratings.ts";
import type { RatingPort } from "./rest/rating-port.ts";
import { doorsOf, now } from "./services-doors.ts";

/** How people judge what tasks have made, as the HTTP face takes it. */
export function ratingPort(env: Env, tasks: Pick<Tasks, "view">): RatingPort {
  const { history } = doorsOf(env);
  return createRatings({
    now,
    view: (by, task_id) => tasks.view(by, task_id),
    write: (rating) => history.get(rating.tenant, (db) => writeRating(db, rating)),
    read: (tenant, task_id) => history.get(tenant, (db) => readRating(db, tenant, task_id)),
  });
}
