import { env } from "cloudflare:workers";

import type { CleanupDebtView } from "../../src/protocol/cleanup-debt.ts";
import { eventOf, messageOf, REPORT_DATA, viewOf } from "../task-news.ts";
import { call, eventually } from "./batuta.ts";
import type { newTenant } from "./tenant.ts";

type Call = Awaited<ReturnType<typeof newTenant>>;

/** A page of debts. */
export type Debts = { items: CleanupDebtView[]; next_cursor: string | null };

/** A slot that could not be released. */
export const SLOT = {
  kind: "slot",
  stage: "slot",
  what: "the slot of attempt 1",
  owner: "pool default",
  expires_at: "2126-01-01T00:00:00.000Z",
};

/** Tells history, through its queue, that a task has ended and left this undone. */
export async function owe(
  own: Call,
  tenant: string,
  task_id: string,
  debts: object[],
): Promise<void> {
  const cleanup_debt = debts.map((debt, index) => ({
    ...SLOT,
    debt_id: `debt_${index + 1}_${task_id}`,
    ...debt,
  }));
  const data = { ...REPORT_DATA, task_id, cleanup_debt };
  const view = viewOf({ task_id, seq: 9, status: "completed", phase: "ended" });
  await env.EVENTS.send(messageOf(tenant, view, [eventOf(9, { type: "agent_end_task", data })]));
  await eventually(
    () => own<Debts>("GET", `/v1/cleanup-debt?task_id=${task_id}`),
    ({ body }) => body.items.length === debts.length,
  );
}

/** A debt as its tenant sees it. */
export const readDebt = async (own: Call, debt_id: string) =>
  (await own<CleanupDebtView>("GET", `/v1/cleanup-debt/${debt_id}`)).body;

/** Registers an executor with a key of its own, by which it calls the Worker. */
export async function executor(own: Call, name: string): Promise<Call> {
  const request = { name, scopes: ["execute"] };
  const { body } = await own<{ key: string }>("POST", "/v1/keys", request);
  const key = { authorization: `Bearer ${body.key}` };
  await call("PUT", `/v1/agents/${name}`, { capabilities: [name] }, key);
  return (method, path, sent, headers) => call(method, path, sent, { ...key, ...headers });
}
