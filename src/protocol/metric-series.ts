import * as z from "zod";

import { instantSchema, schemaVersionSchema } from "./primitives.ts";

/* Figures over time, from roll-ups: equal steps, oldest first. */

/** What can be asked for over time. Names are those of /metrics without prefix and unit. */
export const seriesNameSchema = z
  .enum([
    "tasks_created",
    "tasks_ended",
    "task_duration",
    "task_quality",
    "task_rating",
    "task_retries",
    "notifications",
    "escalations",
    "cost_usd",
    "tokens",
    "deliveries",
    "delivery_latency",
    "http_requests",
    "http_request_duration",
    "rows_written",
  ])
  .meta({
    description:
      "Counts per step, but: task_duration, delivery_latency and http_request_duration are seconds (see `stat`), task_quality and task_rating means of scores 0-1, cost_usd dollars. Tasks count when they have ended, in the step of their end, and with them their notifications, retries, cost, tokens and quality; tasks_created and escalations in the step in which that happened.",
  });
export type SeriesName = z.infer<typeof seriesNameSchema>;

const ANY_NAME = `(?:${seriesNameSchema.options.join("|")})`;

/** Names of series as a query parameter has them. */
export const seriesListSchema = z
  .string()
  .max(500)
  .regex(
    new RegExp(`^${ANY_NAME}(?:,${ANY_NAME})*$`),
    `must be names with commas between, of ${seriesNameSchema.options.join(", ")}`,
  )
  .meta({ description: "Which series; all that fit the filters when absent." });

/** The names in such a list, each once, in its order; what is none is passed over. */
export function seriesNamesOf(list: string): SeriesName[] {
  return [...new Set(list.split(","))].flatMap((name) => {
    const parsed = seriesNameSchema.safeParse(name);
    return parsed.success ? [parsed.data] : [];
  });
}

/** What is counted of requests and deliveries, not of tasks. */
const TECHNICAL: readonly SeriesName[] = [
  "deliveries",
  "delivery_latency",
  "http_requests",
  "http_request_duration",
  "rows_written",
];

/** What happens to tasks while nobody has them. */
const OF_NOBODY: readonly SeriesName[] = ["tasks_created", "escalations"];

/** Whether a series is one of tasks, exact by transaction. */
export function isOfTasks(name: SeriesName): boolean {
  return !TECHNICAL.includes(name);
}

/** Filters of series. */
interface SeriesFilters {
  task_type?: string | undefined;
  agent_id?: string | undefined;
}

/** The series that filters leave a meaning, in the order of their names. */
export function namesThatFit({ task_type, agent_id }: SeriesFilters): SeriesName[] {
  return seriesNameSchema.options.filter(
    (name) =>
      (isOfTasks(name) || (task_type === undefined && agent_id === undefined)) &&
      (agent_id === undefined || !OF_NOBODY.includes(name)),
  );
}

/** What a point says of its step; counts are sums. */
const seriesStatSchema = z.enum(["sum", "mean", "p50", "p95", "p99"]);

/** Seconds of one step: a minute, five, an hour, a day. */
export const STEPS_S = [60, 300, 3_600, 86_400] as const;

/** Points of one series at most: a range of so many steps. */
export const MAX_POINTS = 1_500;

/** Labels that tell series of one name apart; which there are follows from the name. */
const labelsSchema = z.record(z.string(), z.string());

export const metricSeriesSchema = z
  .strictObject({
    metric: seriesNameSchema,
    stat: seriesStatSchema,
    labels: labelsSchema,
    points: z.array(z.tuple([z.int(), z.number().nullable()])).meta({
      description:
        "Start of the step in epoch seconds, and the value; null where a mean or percentile has nothing to rest on.",
    }),
  })
  .meta({ id: "MetricSeries", title: "One figure over time" });
export type MetricSeries = z.infer<typeof metricSeriesSchema>;

/** How a person judges what a task has made. */
export const ratingRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    score: z.number().min(0).max(1).meta({ description: "0 useless, 1 perfect." }),
    comment: z.string().min(1).max(2_000).optional(),
  })
  .meta({ id: "RatingRequest", title: "A person's judgement of a task's result" });
export type RatingRequest = z.infer<typeof ratingRequestSchema>;

export const ratingSchema = z
  .strictObject({
    task_id: z.string(),
    score: z.number().min(0).max(1),
    comment: z.string().nullable(),
    rated_by: z.string().meta({ description: "Id of the key." }),
    rated_at: instantSchema,
  })
  .meta({ id: "Rating", title: "A person's judgement of a task's result, as kept" });
export type Rating = z.infer<typeof ratingSchema>;
