import * as z from "zod";

import { severitySchema, taskTypeSchema } from "./enums.ts";
import {
  MAX_POINTS,
  metricSeriesSchema,
  namesThatFit,
  seriesListSchema,
  seriesNamesOf,
  STEPS_S,
} from "./metric-series.ts";
import { agentIdSchema, instantSchema } from "./primitives.ts";
import { wholeNumber } from "./queries.ts";

/* What the read side concludes from many tasks: figures and findings. Instants are UTC, durations seconds. */

/** Seconds back from now: a minute to 90 days, a day when absent. */
const windowSchema = wholeNumber(60, 7_776_000)
  .default(86_400)
  .meta({ description: "Seconds back from now; tasks count by when they were created." });

const metricsBySchema = z.enum(["agent", "task_type", "hour", "task_type_hour"]);
export type MetricsBy = z.infer<typeof metricsBySchema>;

const stepSchema = wholeNumber(60, 86_400)
  .refine((step) => STEPS_S.some((one) => one === step), `must be one of ${STEPS_S.join(", ")}`)
  .meta({
    description: "Seconds of one step; with it the answer has `series` and no `groups`.",
    enum: [...STEPS_S],
  });

/** The longest step that has a range with so many points. */
const LONGEST_RANGE_S = MAX_POINTS * Math.max(...STEPS_S);

/** What of a query belongs to series, and is refused without a step. */
const OF_SERIES = ["range", "until", "metrics"] as const;

export const metricsQuerySchema = z
  .strictObject({
    window: windowSchema,
    by: metricsBySchema.default("agent"),
    task_type: taskTypeSchema.optional(),
    agent_id: agentIdSchema.optional(),
    step: stepSchema.optional(),
    range: wholeNumber(60, LONGEST_RANGE_S)
      .optional()
      .meta({
        description: `Seconds back from \`until\`, in whole steps: 60 of them when absent, ${MAX_POINTS} at most.`,
      }),
    until: instantSchema.optional().meta({
      description: "The last step is the one that holds it, or ends there; now when absent.",
    }),
    metrics: seriesListSchema.optional(),
  })
  .superRefine(({ step, range, metrics, ...query }, context) => {
    const fault = (name: string, message: string): void =>
      context.addIssue({ code: "custom", path: [name], message });
    if (step === undefined) {
      for (const name of OF_SERIES) {
        if ({ range, metrics, until: query.until }[name] !== undefined) {
          fault(name, `needs a step: ${STEPS_S.join(", ")}`);
        }
      }
      return;
    }
    if (range !== undefined && Math.ceil(range / step) > MAX_POINTS) {
      const most = MAX_POINTS * step;
      fault("range", `has more than ${MAX_POINTS} steps of ${step} s: ${most} s at most`);
    }
    const fitting = namesThatFit(query);
    const named = metrics === undefined ? [] : seriesNamesOf(metrics);
    const unfit = named.filter((name) => !fitting.includes(name));
    if (unfit.length > 0) {
      fault(
        "metrics",
        `${unfit.join(", ")} cannot be told apart so; with it go ${fitting.join(", ")}`,
      );
    }
  });
export type MetricsQuery = z.infer<typeof metricsQuerySchema>;

export const insightsQuerySchema = z.strictObject({ window: windowSchema });

const sampleFields = {
  window_s: z.int(),
  since: instantSchema,
  until: instantSchema,
  sampled: z.strictObject({ tasks: z.int(), limit: z.int(), is_complete: z.boolean() }).meta({
    description:
      "How many tasks were looked at: the newest ones, when there are more. `is_complete` is false then, and where the window is longer than history keeps tasks.",
  }),
};

const rateSchema = z.number().min(0).max(1).nullable();

const metricsGroupSchema = z
  .strictObject({
    key: z.string().nullable().meta({
      description:
        "Agent, task type, hour of the day (00-23, UTC), or type and hour as research/14; null: nobody.",
    }),
    volume: z.int().meta({ description: "Tasks, whatever became of them." }),
    open: z.int().meta({ description: "Of them without an outcome yet." }),
    runs: z.int().meta({ description: "Of them with an outcome other than cancelled." }),
    cancelled: z.int(),
    succeeded: z.int(),
    success_rate: rateSchema.meta({ description: "Share of `runs`; null where there are none." }),
    duration_s: z
      .strictObject({ p50: z.number(), p95: z.number() })
      .nullable()
      .meta({ description: "Of `runs` that started, from the start to the outcome." }),
    quality: rateSchema.meta({ description: "Mean overall_score of those that were assessed." }),
    cost_usd: z.number(),
    tokens: z.int(),
    escalations: z.int(),
    retries: z.int().meta({ description: "Assignments after the first, of all tasks." }),
    failure_causes: z.array(z.strictObject({ cause: z.string(), count: z.int() })),
    retry_effect: z
      .strictObject({
        retried: z.int(),
        success_rate_retried: rateSchema,
        success_rate_at_once: rateSchema,
      })
      .meta({ description: "Whether `runs` with more than one assignment did well, and others." }),
  })
  .meta({ id: "MetricsGroup", title: "Figures of tasks that have something in common" });
export type MetricsGroup = z.infer<typeof metricsGroupSchema>;

export const metricsSchema = z
  .strictObject({
    ...sampleFields,
    by: metricsBySchema,
    groups: z.array(metricsGroupSchema),
    tokens: z
      .strictObject({ orchestrator: z.int(), executor: z.int() })
      .meta({ description: "Model tokens by role; the orchestrator calls no model." }),
    series: z
      .array(metricSeriesSchema)
      .meta({ description: "With `step`: the figures over time, oldest first." }),
  })
  .meta({ id: "Metrics", title: "How tasks have gone" });
export type Metrics = z.infer<typeof metricsSchema>;

const insightRuleSchema = z
  .enum([
    "failure_rate_risen",
    "slow_agent",
    "dominant_failure_cause",
    "recurring_cause",
    "retries_never_help",
    "escalations_waiting",
    "capacity_missing",
    "cost_outliers",
    "flapping_endpoint",
    "budget_eaters",
    "capacity_ahead",
  ])
  .meta({
    description:
      "The list may grow: show the title of a rule that you do not know. dominant_failure_cause: the cause of most failures. recurring_cause: a class in the post-mortems of five ended tasks or more, whatever their end, so also what retries hide; its evidence counts them by task type, agent, end and action. flapping_endpoint: a webhook whose breaker went up again and again in the window. budget_eaters: an agent or type that most of the cost goes to. capacity_ahead: hours of the coming day for which GET /v1/forecast sees fewer slots than are needed.",
  });

const insightSchema = z
  .strictObject({
    rule: insightRuleSchema,
    severity: severitySchema,
    subject: z.strictObject({
      kind: z.enum(["agent", "task_type", "failure_cause", "escalations", "webhook", "capacity"]),
      id: z.string(),
    }),
    title: z.string(),
    evidence: z.record(z.string(), z.union([z.number(), z.string()])),
    score: z.number().meta({ description: "Tasks that it costs, as an estimate; ranks the list." }),
  })
  .meta({ id: "Insight", title: "A finding with the numbers that it rests on" });
export type Insight = z.infer<typeof insightSchema>;

export const insightsSchema = z
  .strictObject({
    ...sampleFields,
    compared_since: instantSchema.meta({
      description: "Rates are compared with those from here to `since`.",
    }),
    items: z.array(insightSchema).meta({ description: "The gravest first." }),
  })
  .meta({ id: "Insights", title: "What stands out" });
export type Insights = z.infer<typeof insightsSchema>;
