import * as z from "zod";

import { ok } from "../lib/result.ts";
import { instantSchema } from "../protocol/primitives.ts";
import { pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const healthSchema = z
  .strictObject({ status: z.literal("ok") })
  .meta({ id: "Health", title: "The server answers" });

const readinessSchema = z
  .strictObject({
    status: z.enum(["ready", "unavailable"]),
    dependencies: z
      .record(z.string(), z.string())
      .meta({ description: "`ok`, or what is wrong, by the name of the dependency" }),
  })
  .meta({ id: "Readiness", title: "Whether everything that is needed answers" });

const deadLetterSchema = z
  .strictObject({
    id: z.string(),
    received_at: instantSchema,
    queue: z.string(),
    reason: z.string(),
    body: z.string(),
  })
  .meta({ id: "DeadLetter", title: "A queue message that could not be worked off" });

/** Health, and what went wrong. */
export const operationRoutes: readonly Route[] = [
  route({
    id: "list_dead_letters",
    method: "GET",
    path: "/v1/dead-letters",
    tag: "Operations",
    summary: "Queue messages that could not be worked off",
    description: "They are of all tenants, so the bootstrap key alone sees them.",
    scopes: ["observe"],
    query: pageQuerySchema,
    answers: { 200: json(pageOf(deadLetterSchema, "DeadLetterPage"), "A page of dead letters") },
    refusals: ["forbidden"],
    async handle(ports, { principal, query }) {
      const page = await ports.health.deadLetters(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_health",
    method: "GET",
    path: "/health",
    tag: "Operations",
    summary: "Whether the server answers",
    scopes: null,
    answers: { 200: json(healthSchema, "It does") },
    async handle() {
      return ok({ status: 200, body: { status: "ok" } });
    },
  }),
  route({
    id: "get_readiness",
    method: "GET",
    path: "/health/ready",
    tag: "Operations",
    summary: "Whether everything that is needed answers",
    scopes: null,
    answers: {
      200: json(readinessSchema, "Ready"),
      503: json(readinessSchema, "Something is not available"),
    },
    async handle(ports) {
      const { isReady, dependencies } = await ports.health.ready();
      const status = isReady ? "ready" : "unavailable";
      return ok({ status: isReady ? 200 : 503, body: { status, dependencies } });
    },
  }),
];
