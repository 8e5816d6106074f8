import * as z from "zod";

import { ok } from "../lib/result.ts";
import { agentViewSchema } from "../protocol/agent.ts";
import { agentIdSchema } from "../protocol/primitives.ts";
import { rotationSchema } from "../protocol/webhook.ts";
import { AgentChannel } from "./channel/agent-channel.ts";
import { empty, json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const upgradeHeaders = z.strictObject({
  Upgrade: z.string().regex(/^websocket$/i, "must be websocket"),
});

const agentParams = z.strictObject({ agent_id: agentIdSchema });

/** The executors' WebSocket, and the secrets that pushes and messages are signed with. */
export const channelRoutes: readonly Route[] = [
  route({
    id: "rotate_agent_secret",
    method: "POST",
    path: "/v1/agents/:agent_id/rotate-secret",
    tag: "Executors",
    summary: "Mint a new secret; the old one counts beside it for a while",
    audit: {
      action: "agent_secret_rotated",
      kind: "agent",
      subject: ({ params }) => params.agent_id,
      detail: ({ body }) => ({ overlap_seconds: body.overlap_seconds }),
    },
    scopes: ["execute"],
    params: agentParams,
    body: rotationSchema,
    answers: { 200: json(agentViewSchema, "The executor, with the new `secret` this once") },
    refusals: ["agent_not_found", "agent_not_yours"],
    async handle(ports, { principal, params, body }) {
      const overlap = body.overlap_seconds;
      const rotated = await ports.agents.rotateSecret(principal, params.agent_id, overlap);
      return replyWith(rotated, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "connect_agent",
    method: "GET",
    path: "/v1/agents/:agent_id/connect",
    tag: "Executors",
    summary: "Get tasks over a WebSocket, and speak of them on it",
    description:
      "The client sends `channel_frame`, the server `channel_answer`, both in /v1/schemas. After `ready` tasks come by themselves, as many as it asked for; `ready` again asks for more. A `ping` wants a `pong`. The connection closes after ten minutes with 1012: connect again.",
    operation: "notify",
    scopes: ["execute"],
    params: agentParams,
    headers: upgradeHeaders,
    answers: { 101: empty("The WebSocket is open") },
    refusals: ["agent_not_found", "agent_not_yours"],
    async handle(ports, { principal: by, params: { agent_id }, ...request }) {
      const { requestId, version, isStillGood } = request;
      const allowed = await ports.agents.mayClaim(by, agent_id);
      if (!allowed.ok) return allowed;
      return ok({
        status: 101,
        connect: (socket, keepAlive) =>
          new AgentChannel(socket, {
            by,
            agent_id,
            requestId,
            version,
            isStillGood,
            ports,
            keepAlive,
          }).open(),
      });
    },
  }),
];
