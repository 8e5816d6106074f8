import * as z from "zod";

import { replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

/** The text format of Prometheus (prometheus.io/docs/instrumenting/exposition_formats). */
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

const scrapeQuerySchema = z.strictObject({
  all: z.enum(["0", "1"]).default("0").meta({
    description:
      "1: of every tenant, each sample with the label tenant, empty for the installation itself. With the bootstrap key only.",
  }),
});

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

/** What monitoring reads. */
export const metricsRoutes: readonly Route[] = [
  route({
    id: "scrape_metrics",
    method: "GET",
    path: "/metrics",
    tag: "Operations",
    summary: "All figures of the tenant, for Prometheus",
    description:
      "Counters never fall. Business figures are exact; technical ones come within seconds. `batuta_scrape_complete` is 0 for a source that failed or was cut off.",
    scopes: ["observe"],
    query: scrapeQuerySchema,
    answers: {
      200: { description: "The figures", schema: null, mediaType: PROMETHEUS },
    },
    refusals: ["forbidden", "unavailable"],
    async handle({ meter }, { principal, query }) {
      const text = await meter.text(principal, query.all === "1");
      return replyWith(text, (body) => ({ status: 200, stream: streamOf(body) }));
    },
  }),
];
