import { repairsSchema } from "../protocol/repairs.ts";
import { json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

/** Whether what repairs itself is at work. */
export const repairRoutes: readonly Route[] = [
  route({
    id: "get_repairs",
    method: "GET",
    path: "/v1/state/repairs",
    tag: "Operations",
    summary: "What the sweeper and the self-repair did last, and which executors are silent",
    description:
      "A run that did something is noted, and one an hour that did nothing. Each tenant sees what was done for it.",
    scopes: ["orchestrate", "observe"],
    answers: { 200: json(repairsSchema, "The last runs, newest first") },
    refusals: ["unavailable"],
    async handle({ observe }, { principal }) {
      const repairs = await observe.repairs(principal.tenant);
      return replyWith(repairs, (body) => ({ status: 200, body }));
    },
  }),
];
