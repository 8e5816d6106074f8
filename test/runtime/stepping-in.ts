import type { Escalation } from "../../src/protocol/task-view.ts";
import { Executor, call, submit } from "./batuta.ts";

/* What tests do with running tasks from outside. */

/** One page of a list. */
export interface Page<Item> {
  items: Item[];
}

/** A task that only this executor can take, claimed and started. */
export async function running(name: string, task: Record<string, unknown> = {}): Promise<Executor> {
  const executor = await new Executor(name).register();
  await submit({ requires: { capabilities: [name] }, ...task });
  await executor.claim();
  await executor.start();
  return executor;
}

/** Its executor asks a question. */
export const escalate = (executor: Executor, more: Record<string, unknown> = {}) =>
  executor.notify("task_escalated", {
    escalation_reason: "Two readings are possible",
    escalation_level: "human",
    question: "Which one?",
    urgency: "high",
    ...more,
  });

/** Answers an escalation. */
export const resolve = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  call<Escalation & { code?: string }>("POST", `/v1/escalations/${id}/resolve`, body, headers);

/** A key with some scopes, as the header that carries it. */
export async function keyOf(...scopes: string[]): Promise<{ authorization: string }> {
  const { body } = await call<{ key: string }>("POST", "/v1/keys", { name: "test", scopes });
  return { authorization: `Bearer ${body.key}` };
}

/** Lists escalations. */
export const inbox = (query: string, headers: Record<string, string> = {}) =>
  call<Page<Escalation>>("GET", `/v1/escalations?${query}`, undefined, headers);
