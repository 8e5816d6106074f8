import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { between } from "../draw.ts";
import type { Client } from "./client.ts";
import { HEARTBEAT_S } from "./worker.ts";

/* What the orchestrator of a tenant asks for while things go wrong. */

/** Between two looks at what is to come. Milliseconds. */
const LOOK_MS = 300;

const createdSchema = z.object({ task_id: z.string() });
const viewSchema = z.object({ status: z.string(), phase: z.string() });
const escalationSchema = z.object({ escalation_id: z.string(), state: z.string() });

/** What a run of orders is made with. */
export interface Ordering {
  client: Client;
  draw: () => number;
  /** Orders are given over so many milliseconds. */
  spread_ms: number;
  /** What the server said it had accepted. */
  task_ids: Set<string>;
  isOver: () => boolean;
}

function request(task_id: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    task_id,
    task_type: "general",
    description: "A task while things go wrong",
    requires: { capabilities: ["chaos"] },
    timeout: 60,
    heartbeat_timeout: HEARTBEAT_S,
    stall_timeout: 60,
    total_timeout: 200,
    execution_options: {
      retry_policy: { max_retries: 5, retry_delay: 1, backoff_multiplier: 1 },
    },
    ...changes,
  };
}

/** Accepted once, however often it has to be said: the id is the client's own. */
async function submit({ client, task_ids }: Ordering, task: { task_id: string }): Promise<void> {
  const body = await client.must("POST", "/v1/tasks", task);
  task_ids.add(createdSchema.parse(body).task_id);
}

/** Gives a command; a task that has ended by then is none the worse for it. */
async function command({ client }: Ordering, task_id: string, name: string): Promise<void> {
  const path = `/v1/tasks/${task_id}/commands`;
  const reply = await client.ask("POST", path, { command: name, reason: "As it was planned" });
  if (!reply.ok && reply.status !== 409) throw new Error(`${name} ${task_id}: ${reply.code}`);
}

async function cancelled(ordering: Ordering, task_id: string, isLong: boolean): Promise<void> {
  await submit(ordering, request(task_id, isLong ? { tags: ["long"] } : {}));
  await pause(between(ordering.draw, 0, 1_500));
  await command(ordering, task_id, "cancel");
}

async function paused(ordering: Ordering, task_id: string): Promise<void> {
  await submit(ordering, request(task_id, { tags: ["long"] }));
  await pause(between(ordering.draw, 200, 1_500));
  await command(ordering, task_id, "pause");
  await pause(between(ordering.draw, 200, 1_500));
  await command(ordering, task_id, "resume");
}

/** Asks until the question is there, or the task has come to an end without one, and answers it. */
async function escalated(ordering: Ordering, task_id: string): Promise<void> {
  const { client, isOver } = ordering;
  await submit(ordering, request(task_id, { tags: ["task_escalated"] }));
  while (!isOver()) {
    await pause(LOOK_MS);
    const { phase } = viewSchema.parse(await client.must("GET", `/v1/tasks/${task_id}`));
    if (phase === "ended") return;
    const path = `/v1/escalations?limit=100&task_id=${task_id}`;
    const [open] = (await client.all(path, escalationSchema)).filter(
      ({ state }) => state === "open",
    );
    if (open === undefined) continue;
    const answer = { decision: "resume", answer: "The first one" };
    const resolve = `/v1/escalations/${open.escalation_id}/resolve`;
    const reply = await client.ask("POST", resolve, answer);
    // History may not have heard yet that it was answered, or has not heard yet that it was asked.
    if (reply.ok || reply.status === 409) return;
  }
}

async function chained(ordering: Ordering, first: string, second: string): Promise<void> {
  await submit(ordering, request(first));
  await submit(ordering, request(second, { context: { previous_tasks: [first] } }));
}

async function batch(ordering: Ordering, batch_id: string): Promise<void> {
  const task_ids = [1, 2, 3].map((index) => `${batch_id}-${index}`);
  const tasks = task_ids.map((task_id) => request(task_id));
  const batch_options = { execution_mode: "parallel", max_concurrent: 2 };
  await ordering.client.must("POST", "/v1/batches", { batch_id, tasks, batch_options });
  for (const task_id of task_ids) ordering.task_ids.add(task_id);
}

/** Gives every order of one tenant at its own moment; over when all were given and what they ask for was answered. */
export async function giveOrders(ordering: Ordering): Promise<void> {
  const { draw, spread_ms, client } = ordering;
  // Of one tenant alone, so that a look at another's finds nothing of the same name.
  const named = (name: string): string => `${client.tenant}-${name}`;
  const plain = (name: string, changes = {}) => submit(ordering, request(named(name), changes));
  const builtin = { requires: { capabilities: ["builtin"] }, parameters: TEXT };
  const orders: (() => Promise<void>)[] = [
    () => plain("plain-1"),
    () => plain("plain-2", { priority: "critical" }),
    () => plain("plain-3", { priority: "low" }),
    () => plain("retried", { tags: ["task_failed"] }),
    () => plain("pushed-1", { requires: { capabilities: ["push"] } }),
    () => plain("pushed-2", { requires: { capabilities: ["push"] } }),
    () => plain("builtin", builtin),
    () => cancelled(ordering, named("cancelled-queued"), false),
    () => cancelled(ordering, named("cancelled-running"), true),
    () => paused(ordering, named("paused")),
    () => escalated(ordering, named("escalated")),
    () => chained(ordering, named("first"), named("second")),
    () => batch(ordering, named("batch")),
  ];
  await Promise.all(
    orders.map(async (order) => {
      await pause(between(draw, 0, spread_ms));
      await order();
    }),
  );
}

const TEXT = {
  input_data: { text: "Batuta hands tasks to executors. It never loses one of them." },
};
