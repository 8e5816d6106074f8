import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { blockIdOf, keyParty } from "../../src/access/party.ts";
import { randomId } from "../../src/lib/ports.ts";
import { Executor, call, ended, eventually, submit } from "./batuta.ts";
import { owe } from "./debtor.ts";
import { decided } from "./decided.ts";
import { limitActs } from "./limit-acts.ts";
import { memoryActs } from "./memory-acts.ts";
import { modelActs } from "./model-acts.ts";
import { escalate, inbox, running } from "./stepping-in.ts";

/** What no entry may hold: stands wherever a request takes a payload, a secret or a credential. */
export const CANARY = "canary-in-the-mine";

/** A request that is carried out, and what its entry has to say. */
export interface Act {
  method: string;
  path: string;
  body?: unknown;
  subject: string | ((answer: Record<string, unknown>) => unknown);
  detail?: Record<string, unknown>;
}

const name = (): string => `audited-${randomId()}`;

async function waiting(): Promise<string> {
  return (await submit({ requires: { capabilities: ["nobody-has-this"] } })).task_id;
}

async function agent(): Promise<string> {
  return (await new Executor(name()).register()).agent_id;
}

async function asked(): Promise<string> {
  const executor = await running(name());
  await escalate(executor);
  const open = await eventually(
    () => inbox(`state=open&task_id=${executor.task_id}`),
    ({ body }) => body.items.length === 1,
  );
  return open.body.items[0]?.escalation_id ?? "";
}

async function advised(): Promise<string> {
  const executor = await running(name());
  await executor.notify("task_completed", {
    result: { answer: 42 },
    execution_summary: "done",
    metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
    quality_assessment: { overall_score: 0.9 },
    next_steps: ["Publish it on the page"],
  });
  return executor.task_id;
}

const TASKS = [
  {
    task_type: "research",
    description: "one task of a batch",
    requires: { capabilities: ["nobody-has-this"] },
  },
];

async function batch(): Promise<string> {
  const { body } = await call<{ batch_id: string }>("POST", "/v1/batches", { tasks: TASKS });
  return body.batch_id;
}

async function request(): Promise<string> {
  const { body } = await call<{ request_id: string }>("POST", "/v1/requests", {
    goal: "Research the market for bicycles",
  });
  return body.request_id;
}

async function key(): Promise<string> {
  const { body } = await call<{ key_id: string }>("POST", "/v1/keys", {
    name: "k",
    scopes: ["observe"],
  });
  return body.key_id;
}

/** Blocks a key of tenant `default`, as many offences would. */
async function blockKey(key_id: string): Promise<string> {
  const party = keyParty({ tenant: "default", key_id, scopes: [], isBootstrap: false });
  const report = { name: party, points: 1, offence: "malformed", isEnough: true } as const;
  await env.OFFENDER.getByName("key/default").report([report], 1);
  return blockIdOf(party);
}

/** A request for each route that leaves an entry, by the id of the route. A new one needs its line here. */
export const ACTS: Record<string, () => Promise<Act>> = {
  rate_task: async () => {
    const task_id = await waiting();
    await call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel", reason: "unwanted" });
    await ended(task_id);
    return {
      method: "PUT",
      path: `/v1/tasks/${task_id}/rating`,
      body: { score: 0.25, comment: CANARY },
      subject: task_id,
      detail: { score: 0.25, has_comment: true },
    };
  },
  create_key: async () => ({
    method: "POST",
    path: "/v1/keys",
    body: { name: "ci", scopes: ["observe"] },
    subject: ({ key_id }) => key_id,
    detail: { name: "ci", scopes: ["observe"], expires_at: null },
  }),
  delete_key: async () => {
    const key_id = await key();
    return { method: "DELETE", path: `/v1/keys/${key_id}`, subject: key_id };
  },
  rotate_key: async () => {
    const key_id = await key();
    const body = { overlap_seconds: 60 };
    return {
      method: "POST",
      path: `/v1/keys/${key_id}/rotate`,
      body,
      subject: key_id,
      detail: body,
    };
  },
  change_key: async () => {
    const key_id = await key();
    const body = { name: "renamed", expires_at: null };
    return { method: "PATCH", path: `/v1/keys/${key_id}`, body, subject: key_id, detail: body };
  },
  create_public_token: async () => {
    const task_id = await waiting();
    return {
      method: "POST",
      path: `/v1/tasks/${task_id}/tokens`,
      body: {},
      subject: task_id,
      detail: { expires_at: expect.any(String) },
    };
  },
  put_agent: async () => {
    const agent_id = name();
    const url = `https://push.example.com/${CANARY}?token=${CANARY}`;
    const body = { capabilities: ["x"], labels: { note: CANARY }, slots: 2, url };
    const detail = {
      capabilities: ["x"],
      slots: 2,
      label_names: ["note"],
      pushed_to: "https://push.example.com/…",
    };
    return { method: "PUT", path: `/v1/agents/${agent_id}`, body, subject: agent_id, detail };
  },
  delete_agent: async () => {
    const agent_id = await agent();
    return { method: "DELETE", path: `/v1/agents/${agent_id}`, subject: agent_id };
  },
  drain_agent: async () => {
    const agent_id = await agent();
    return { method: "POST", path: `/v1/agents/${agent_id}/drain`, body: {}, subject: agent_id };
  },
  activate_agent: async () => {
    const agent_id = await agent();
    return { method: "POST", path: `/v1/agents/${agent_id}/activate`, body: {}, subject: agent_id };
  },
  rotate_agent_secret: async () => {
    const agent_id = await agent();
    return {
      method: "POST",
      path: `/v1/agents/${agent_id}/rotate-secret`,
      body: { overlap_seconds: 60 },
      subject: agent_id,
      detail: { overlap_seconds: 60 },
    };
  },
  ...modelActs(CANARY),
  command_task: async () => {
    const task_id = await waiting();
    return {
      method: "POST",
      path: `/v1/tasks/${task_id}/commands`,
      body: { command: "cancel", reason: "Not needed: Bearer abcdefgh12345678 leaked" },
      subject: task_id,
      detail: { command: "cancel", reason: "Not needed: [redacted] leaked" },
    };
  },
  command_tasks: async () => {
    const batch_id = await batch();
    const filter = { batch_id };
    await eventually(
      () =>
        call<{ matched: number }>("POST", "/v1/commands", {
          filter,
          command: "cancel",
          dry_run: true,
        }),
      ({ body }) => body.matched === 1,
    );
    return {
      method: "POST",
      path: "/v1/commands",
      body: { filter, command: "cancel", reason: "all of it" },
      subject: "tasks",
      detail: { command: "cancel", reason: "all of it", filter, issued: 1, refused: 0 },
    };
  },
  rebuild_task: async () => {
    const task_id = await waiting();
    return { method: "POST", path: `/v1/tasks/${task_id}/rebuild`, body: {}, subject: task_id };
  },
  patch_shared_context: async () => {
    const task_id = await waiting();
    return {
      method: "PATCH",
      path: `/v1/tasks/${task_id}/shared-context`,
      body: { patch: { finding: CANARY } },
      subject: task_id,
      detail: { patched_fields: ["finding"] },
    };
  },
  resolve_escalation: async () => {
    const id = await asked();
    return {
      method: "POST",
      path: `/v1/escalations/${id}/resolve`,
      body: { decision: "change", answer: CANARY, patch: { metadata: { note: CANARY } } },
      subject: id,
      detail: { decision: "change", has_answer: true, patched_fields: ["metadata"] },
    };
  },
  settle_cleanup_debt: async () => {
    const task_id = name();
    await owe(call, "default", task_id, [{}]);
    return {
      method: "POST",
      path: `/v1/cleanup-debt/debt_1_${task_id}/settle`,
      body: { note: CANARY },
      subject: `debt_1_${task_id}`,
      detail: { task_id, has_note: true },
    };
  },
  judge_model_decision: async () => {
    const id = await decided("default", name());
    return {
      method: "POST",
      path: `/v1/model-decisions/${id}/verdict`,
      body: { accepted: true, score: 0.8, by: "human", comment: CANARY },
      subject: id,
      detail: { task_id: "task-1", accepted: true, score: 0.8, by: "human", has_comment: true },
    };
  },
  cancel_batch: async () => {
    const id = await batch();
    const body = { reason: "changed our mind" };
    return { method: "POST", path: `/v1/batches/${id}/cancel`, body, subject: id, detail: body };
  },
  cancel_request: async () => {
    const id = await request();
    return { method: "POST", path: `/v1/requests/${id}/cancel`, body: {}, subject: id };
  },
  approve_next_step: async () => {
    const task_id = await advised();
    return {
      method: "POST",
      path: `/v1/tasks/${task_id}/next-steps/0/approve`,
      body: { overrides: { metadata: { note: CANARY } } },
      subject: task_id,
      detail: { index: 0, submitted_task_id: expect.any(String) },
    };
  },
  repair_state: async () => {
    const task_id = name();
    return {
      method: "POST",
      path: "/v1/state/repair",
      body: { task_ids: [task_id] },
      subject: "history",
      detail: { named: 1, all: false, checked: 1, repaired: 0, missing: 1 },
    };
  },
  ...limitActs(key),
  ...memoryActs({ name, canary: CANARY }),
  lift_block: async () => {
    const key_id = await key();
    const block_id = await blockKey(key_id);
    return { method: "DELETE", path: `/v1/blocks/${block_id}`, subject: block_id };
  },
  get_callback_secret: async () => ({
    method: "GET",
    path: "/v1/callback-secret",
    subject: "callback_secret",
  }),
};
