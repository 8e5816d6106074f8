import * as z from "zod";

import { taskTypeSchema } from "./enums.ts";
import { instantSchema } from "./primitives.ts";

/* What is to be expected of the coming hours, and how well that was told before. */

export const forecastQuerySchema = z.strictObject({
  task_type: taskTypeSchema
    .optional()
    .meta({ description: "Of this type alone; all when absent." }),
});
export type ForecastQuery = z.infer<typeof forecastQuerySchema>;

const hourForecastSchema = z.strictObject({
  at: instantSchema.meta({ description: "Start of the hour." }),
  expected: z.number().nullable().meta({ description: "Tasks that are created in it." }),
  low: z.number().nullable().meta({ description: "With `high`: where 95 % of hours should lie." }),
  high: z.number().nullable(),
  basis: z.enum(["hour_of_week", "hour_of_day", "none"]).meta({
    description:
      "hour_of_week: two to six of the same hours of former weeks. hour_of_day: the same hour of the days before, where there are no two weeks. none: nothing is known of it, and nothing is expected.",
  }),
  slots_needed: z.number().nullable().meta({
    description:
      "Of executors, four fifths of them busy: expected tasks x mean seconds of work / 3600 / 0.8. Null where no task of the type has shown how long it takes.",
  }),
  is_short: z.boolean().nullable().meta({ description: "Whether more are needed than there are." }),
});
export type HourForecast = z.infer<typeof hourForecastSchema>;

export const forecastSchema = z
  .strictObject({
    at: instantSchema,
    task_type: taskTypeSchema.nullable(),
    known_since: instantSchema
      .nullable()
      .meta({ description: "From where on figures are known, six weeks back at most." }),
    hours: z.array(hourForecastSchema).meta({ description: "The next 24, the next one first." }),
    slots: z
      .int()
      .nullable()
      .meta({ description: "Of the executors that are online now; null when that is unknown." }),
    error: z
      .strictObject({
        hours: z.int().meta({ description: "Hours of the last week that could be forecast." }),
        tasks: z.int().meta({ description: "Tasks in them." }),
        wmape: z
          .number()
          .nullable()
          .meta({ description: "Sum of the errors by sum of the tasks; null without tasks." }),
        mape: z
          .number()
          .nullable()
          .meta({ description: "Mean relative error of the hours that had tasks." }),
        within_bounds: z
          .number()
          .nullable()
          .meta({ description: "Share of the hours that lay between `low` and `high`." }),
      })
      .meta({
        description: "Of a back-test: the last week, told from what was known before it began.",
      }),
    advice: z.array(z.string()).meta({ description: "What to raise, and until when." }),
  })
  .meta({ id: "Forecast", title: "What is to be expected of the next 24 hours" });
export type Forecast = z.infer<typeof forecastSchema>;
