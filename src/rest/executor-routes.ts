import * as z from "zod";

import { briefUrl } from "../lib/redact.ts";
import { ok } from "../lib/result.ts";
import { endAnswerSchema, notificationAnswerSchema } from "../protocol/agent-channel.ts";
import { agentEndTaskSchema } from "../protocol/agent-end-task.ts";
import {
  agentRegistrationSchema,
  agentViewSchema,
  claimAnswerSchema,
  claimRequestSchema,
  heartbeatAnswerSchema,
  heartbeatSchema,
} from "../protocol/agent.ts";
import { notificationSchema } from "../protocol/notification.ts";
import { agentIdSchema, taskIdSchema } from "../protocol/primitives.ts";
import { claimNextQuerySchema, pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { declineSchema } from "../protocol/task-execution.ts";
import { answerAndClaim } from "./claim-next.ts";
import { empty, json, leaseHeaders, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";
import { soundOf } from "./sound-tasks.ts";

const agentParams = z.strictObject({ agent_id: agentIdSchema });
const taskParams = z.strictObject({ task_id: taskIdSchema });

/** The lease, and the signature that may take the place of a key. */
const executorHeaders = z.strictObject({
  ...leaseHeaders.shape,
  "webhook-id": signatureHeader(
    "Id of the message, when its agent signs in place of sending a key.",
  ),
  "webhook-timestamp": signatureHeader("When it was signed, in unix seconds; 300 s off at most."),
  "Batuta-Tenant": signatureHeader("Tenant of the agent that signs; default `default`."),
  "Batuta-Agent": signatureHeader("The agent that signs, where the body does not name it."),
});

/** What a signature says of itself is judged with it (edge/signature.ts); here it is only described. */
function signatureHeader(description: string) {
  return z.string().optional().meta({ description });
}

const READERS = ["orchestrate", "execute", "observe"] as const;
const EXECUTORS = ["execute"] as const;

const agents: readonly Route[] = [
  route({
    id: "put_agent",
    method: "PUT",
    path: "/v1/agents/:agent_id",
    tag: "Executors",
    summary: "Register an executor, or change its registration",
    audit: {
      action: "agent_put",
      kind: "agent",
      subject: ({ params }) => params.agent_id,
      detail: ({ body }) => ({
        capabilities: body.capabilities,
        task_types: body.task_types,
        pools: body.pools,
        slots: body.slots,
        weight: body.weight,
        version: body.version ?? null,
        label_names: Object.keys(body.labels),
        pushed_to: body.url === undefined ? null : briefUrl(body.url),
      }),
    },
    scopes: EXECUTORS,
    params: agentParams,
    body: agentRegistrationSchema,
    answers: { 200: json(agentViewSchema, "The executor; with `secret` the first time only") },
    refusals: ["agent_not_yours", "endpoint_refused"],
    async handle(ports, { principal, params, body, origin }) {
      const agent = await ports.agents.put(principal, params.agent_id, body, origin);
      return replyWith(agent, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "get_agent",
    method: "GET",
    path: "/v1/agents/:agent_id",
    tag: "Executors",
    summary: "An executor and how it is doing",
    scopes: READERS,
    params: agentParams,
    answers: { 200: json(agentViewSchema, "The executor") },
    refusals: ["agent_not_found"],
    async handle(ports, { principal, params }) {
      const agent = await ports.agents.get(principal.tenant, params.agent_id);
      return replyWith(agent, (view) => ({ status: 200, body: view }));
    },
  }),
  route({
    id: "list_agents",
    method: "GET",
    path: "/v1/agents",
    tag: "Executors",
    summary: "Executors of the tenant",
    scopes: READERS,
    query: pageQuerySchema,
    answers: { 200: json(pageOf(agentViewSchema, "AgentPage"), "A page of executors") },
    async handle(ports, { principal, query }) {
      return ok({ status: 200, body: await ports.agents.list(principal.tenant, query) });
    },
  }),
  route({
    id: "delete_agent",
    method: "DELETE",
    path: "/v1/agents/:agent_id",
    tag: "Executors",
    summary: "Take an executor off the list",
    audit: {
      action: "agent_deleted",
      kind: "agent",
      subject: ({ params }) => params.agent_id,
    },
    scopes: EXECUTORS,
    params: agentParams,
    answers: { 204: empty("It is gone") },
    refusals: ["agent_not_found", "agent_not_yours"],
    async handle(ports, { principal, params }) {
      const removed = await ports.agents.remove(principal, params.agent_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
  route({
    id: "claim_tasks",
    method: "POST",
    path: "/v1/agents/:agent_id/claim",
    tag: "Executors",
    summary: "Take tasks, waiting for some if there are none",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    params: agentParams,
    body: claimRequestSchema,
    answers: { 200: json(claimAnswerSchema, "Tasks with their leases; none when none came") },
    refusals: ["agent_not_found", "agent_not_yours"],
    async handle(ports, { principal, params, body, requestId }) {
      const claimed = await ports.agents.claim(principal, params.agent_id, body);
      if (!claimed.ok) return claimed;
      const claim = { kind: "claim", operation: "claim_tasks", requestId, by: principal } as const;
      const tasks = await soundOf(ports, claim, claimed.value.tasks);
      return ok({ status: 200, body: { tasks } });
    },
  }),
];

const execution: readonly Route[] = [
  route({
    id: "decline_task",
    method: "POST",
    path: "/v1/tasks/:task_id/decline",
    tag: "Executors",
    summary: "Give an assigned task back, not counted as a failure",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    isSignable: true,
    params: taskParams,
    headers: executorHeaders,
    body: declineSchema,
    answers: { 202: json(taskParams, "The task is free again") },
    refusals: [
      "task_not_found",
      "task_gone",
      "wrong_agent",
      "lease_lost",
      "task_ended",
      "transition_refused",
      "replayed",
    ],
    async handle({ tasks }, { principal, params, headers, body }) {
      const lease = headers["Lease-Token"] ?? null;
      const declined = await tasks.decline(principal, params.task_id, lease, body.reason);
      return replyWith(declined, () => ({ status: 202, body: params }));
    },
  }),
  route({
    id: "beat_heart",
    method: "POST",
    path: "/v1/tasks/:task_id/heartbeat",
    tag: "Executors",
    summary: "Renew a lease, and hear of commands",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    isSignable: true,
    params: taskParams,
    headers: executorHeaders,
    body: heartbeatSchema,
    answers: { 200: json(heartbeatAnswerSchema, "The renewed lease and the open commands") },
    refusals: [
      "task_not_found",
      "task_gone",
      "wrong_agent",
      "lease_lost",
      "task_ended",
      "replayed",
    ],
    async handle({ tasks }, { principal, params, headers, body }) {
      const lease = headers["Lease-Token"] ?? null;
      const beaten = await tasks.heartbeat(principal, params.task_id, lease, body);
      return replyWith(beaten, (renewed) => ({ status: 200, body: renewed }));
    },
  }),
  route({
    id: "notify",
    method: "POST",
    path: "/v1/notifications",
    tag: "Executors",
    summary: "Say how a task is going",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    isSignable: true,
    query: claimNextQuerySchema,
    headers: executorHeaders,
    body: notificationSchema,
    answers: {
      202: json(notificationAnswerSchema, "Applied, or held until the ones before it have come"),
      200: json(notificationAnswerSchema, "Came before; nothing was changed"),
    },
    refusals: [
      "agent_not_found",
      "agent_not_yours",
      "task_not_found",
      "task_gone",
      "wrong_agent",
      "lease_lost",
      "task_ended",
      "transition_refused",
      "sequence_gap",
      "timestamp_in_future",
      "deadline_too_near",
      "progress_regressed",
      "task_mismatch",
      "result_rejected",
    ],
    async handle(ports, { principal: by, headers, query, body, requestId }) {
      const { agent_id, task_id } = body;
      return answerAndClaim(ports, { by, agent_id, task_id, query, requestId }, () =>
        ports.tasks.notify(by, headers["Lease-Token"] ?? null, body),
      );
    },
  }),
  route({
    id: "end_task",
    method: "POST",
    path: "/v1/tasks/:task_id/end",
    tag: "Executors",
    summary: "End a task with the facts for its report",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    isSignable: true,
    params: taskParams,
    query: claimNextQuerySchema,
    headers: executorHeaders,
    body: agentEndTaskSchema,
    answers: {
      202: json(endAnswerSchema, "The verdict that is now frozen"),
      200: json(endAnswerSchema, "Ended before; the verdict stays"),
    },
    refusals: [
      "agent_not_found",
      "agent_not_yours",
      "task_not_found",
      "task_gone",
      "wrong_agent",
      "lease_lost",
      "task_ended",
      "task_mismatch",
      "timestamp_in_future",
      "transition_refused",
      "result_rejected",
    ],
    async handle(ports, { principal: by, params: { task_id }, headers, query, ...request }) {
      const { body, requestId } = request;
      const { agent_id } = body;
      return answerAndClaim(ports, { by, agent_id, task_id, query, requestId }, () =>
        ports.tasks.end(by, task_id, headers["Lease-Token"] ?? null, body),
      );
    },
  }),
];

/** What executors do: register, claim, and speak of the tasks they hold. */
export const executorRoutes: readonly Route[] = [...agents, ...execution];
