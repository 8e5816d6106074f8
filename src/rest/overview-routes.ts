import { ok } from "../lib/result.ts";
import { forecastQuerySchema, forecastSchema } from "../protocol/forecast.ts";
import { overviewSchema } from "../protocol/overview.ts";
import { overviewStream } from "./overview-stream.ts";
import { json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";
import { outflowOf } from "./withheld.ts";

const ONLOOKERS = ["orchestrate", "observe"] as const;

/** What a person looks at first, as it changes, and what is to be expected. */
export const overviewRoutes: readonly Route[] = [
  route({
    id: "get_overview",
    method: "GET",
    path: "/v1/overview",
    tag: "Operations",
    summary: "What is going on, at one glance",
    description:
      "From roll-ups and what is open, however long the history is. A source that fails or takes longer than half a second is named in `incomplete`, and the rest is told nevertheless.",
    scopes: ONLOOKERS,
    answers: { 200: json(overviewSchema, "The overview") },
    async handle({ overview }, { principal }) {
      return ok({ status: 200, body: await overview.look(principal.tenant) });
    },
  }),
  route({
    id: "stream_overview",
    method: "GET",
    path: "/v1/overview/stream",
    tag: "Operations",
    summary: "The overview whenever it changes (server-sent events)",
    description:
      "`event` is `overview`, `data` is that of GET /v1/overview: one at once, and another when something has changed, which is looked at every two seconds (executors, deliveries, alerts and the day's figures every ten). Ends every five minutes: connect again. 429 where an isolate has 100 streams of the tenant.",
    scopes: ONLOOKERS,
    answers: {
      200: { schema: null, description: "The stream", mediaType: "text/event-stream" },
    },
    async handle(ports, { principal, isHead, requestId, isStillGood }) {
      if (isHead) return ok({ status: 200 });
      const operation = "stream_overview";
      const { tellWithheld } = outflowOf(ports, {
        kind: "stream",
        operation,
        requestId,
        by: principal,
      });
      return replyWith(ports.overview.watch(principal.tenant), (watch) => ({
        status: 200,
        stream: overviewStream({ ...watch, isStillGood, tellWithheld }),
        headers: { "Cache-Control": "no-cache, no-transform" },
      }));
    },
  }),
  route({
    id: "get_forecast",
    method: "GET",
    path: "/v1/forecast",
    tag: "Operations",
    summary: "How many tasks the next 24 hours bring, and whether the executors are enough",
    description:
      "From the same hours of the last six weeks, the newest counting most; from the same hour of the last 14 days where there are no two weeks. `error` says how well the last week would have been told.",
    scopes: ONLOOKERS,
    query: forecastQuerySchema,
    answers: { 200: json(forecastSchema, "The forecast") },
    refusals: ["unavailable"],
    async handle({ overview }, { principal, query }) {
      const forecast = await overview.forecast(principal.tenant, query);
      return replyWith(forecast, (body) => ({ status: 200, body }));
    },
  }),
];
