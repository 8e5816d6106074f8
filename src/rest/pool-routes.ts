import * as z from "zod";

import { agentViewSchema } from "../protocol/agent.ts";
import { poolSnapshotSchema } from "../protocol/pool-snapshot.ts";
import { agentIdSchema, nameSchema } from "../protocol/primitives.ts";
import { emptyBodySchema, json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const agentParams = z.strictObject({ agent_id: agentIdSchema });

function drainRoute(verb: "drain" | "activate", summary: string): Route {
  return route({
    id: `${verb}_agent`,
    method: "POST",
    path: `/v1/agents/:agent_id/${verb}`,
    tag: "Executors",
    summary,
    audit: {
      action: verb === "drain" ? "agent_drained" : "agent_activated",
      kind: "agent",
      subject: (request) => request.params.agent_id,
    },
    scopes: ["execute"],
    params: agentParams,
    body: emptyBodySchema,
    answers: { 200: json(agentViewSchema, "The executor") },
    refusals: ["agent_not_found", "agent_not_yours"],
    async handle(ports, { principal, params }) {
      const changed = await ports.agents.drain(principal, params.agent_id, verb === "drain");
      return replyWith(changed, (view) => ({ status: 200, body: view }));
    },
  });
}

/** What concerns pools as a whole, and who takes part in them. */
export const poolRoutes: readonly Route[] = [
  drainRoute("drain", "Give an executor nothing more; it keeps what it has"),
  drainRoute("activate", "End the draining of an executor"),
  route({
    id: "get_pool_snapshot",
    method: "GET",
    path: "/v1/pools/:pool/snapshot",
    tag: "Executors",
    summary: "What waits in a pool, and how its executors stand",
    scopes: ["orchestrate", "observe"],
    params: z.strictObject({ pool: nameSchema }),
    answers: { 200: json(poolSnapshotSchema, "The state; task_routed refers to its snapshot_id") },
    refusals: ["pool_not_found"],
    async handle(ports, { principal, params }) {
      const found = await ports.agents.snapshot(principal.tenant, params.pool);
      return replyWith(found, (snapshot) => ({ status: 200, body: snapshot }));
    },
  }),
];
