import {
  insightsQuerySchema,
  insightsSchema,
  metricsQuerySchema,
  metricsSchema,
} from "../protocol/observation.ts";
import { repairRequestSchema, repairSchema, stateViewSchema } from "../protocol/state-view.ts";
import { answeredCount } from "./audit-rule.ts";
import { json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const ONLOOKERS = ["orchestrate", "observe"] as const;

/** What is going on, how it has gone, and what stands out. */
export const observeRoutes: readonly Route[] = [
  route({
    id: "get_metrics",
    method: "GET",
    path: "/v1/metrics",
    tag: "Operations",
    summary: "How tasks have gone, by agent, task type or hour of the day, or step by step",
    description:
      "Without `step` from the newest 5,000 tasks that were created in the window; a task counts for the executor that had it last. With `step` from roll-ups of all of them, as `series`. Percentiles are those of the bucket that holds them, by their place in it, as Prometheus's histogram_quantile has them. Minutes are kept for three hours, hours for 90 days, days for ever: a point that is finer than what is kept is null.",
    scopes: ONLOOKERS,
    query: metricsQuerySchema,
    answers: { 200: json(metricsSchema, "The figures") },
    refusals: ["unavailable"],
    async handle({ observe }, { principal, query }) {
      const metrics = await observe.metrics(principal.tenant, query);
      return replyWith(metrics, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_insights",
    method: "GET",
    path: "/v1/insights",
    tag: "Operations",
    summary: "What stands out, the gravest first, with the numbers it rests on",
    description: "Rates are compared with those of the three windows before.",
    scopes: ONLOOKERS,
    query: insightsQuerySchema,
    answers: { 200: json(insightsSchema, "The findings; none where nothing stands out") },
    refusals: ["unavailable"],
    async handle({ observe }, { principal, query }) {
      const insights = await observe.insights(principal.tenant, query.window);
      return replyWith(insights, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_state",
    method: "GET",
    path: "/v1/state",
    tag: "Operations",
    summary: "What is going on: active tasks, open questions, executors",
    description: "Equal states have equal ids. Tasks are counted from history, which may lag.",
    scopes: ONLOOKERS,
    answers: { 200: json(stateViewSchema, "The state") },
    refusals: ["unavailable"],
    async handle({ observe }, { principal }) {
      const state = await observe.state(principal.tenant);
      return replyWith(state, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "repair_state",
    method: "POST",
    path: "/v1/state/repair",
    tag: "Operations",
    summary: "Compare the index of tasks with their objects, and mend it",
    description:
      "Looks at 200 tasks a call: at those that the index has as open, at all, or at the ones named, which finds rows that were lost. Go on while `next_cursor` is not null.",
    audit: {
      action: "state_repaired",
      kind: "history",
      subject: () => "history",
      detail: ({ body }, reply) => ({
        named: body.task_ids?.length ?? null,
        all: body.all,
        checked: answeredCount(reply, "checked"),
        repaired: answeredCount(reply, "repaired"),
        missing: answeredCount(reply, "missing"),
      }),
    },
    scopes: ["admin"],
    body: repairRequestSchema,
    answers: { 202: json(repairSchema, "What was found; rows follow in a moment") },
    refusals: ["unavailable"],
    async handle({ observe }, { principal, body }) {
      const repair = await observe.repair(principal.tenant, body);
      return replyWith(repair, (done) => ({ status: 202, body: done }));
    },
  }),
];
