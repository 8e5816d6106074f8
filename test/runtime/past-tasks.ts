import { env } from "cloudflare:workers";

import { writeHistory } from "../../src/history/history-store.ts";
import { project } from "../../src/history/projection.ts";
import type { Escalation, TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import { faceOf } from "../../src/services-face.ts";
import { REPORT_DATA, T0, at, escalationOf, eventOf, eventsOf, viewOf } from "../task-news.ts";
import { newTenant } from "./tenant.ts";

export const DAY_MS = 86_400_000;

/** The day on which what ended at midnight of `T0` is over for long enough. */
export const LATER = () => T0 + 366 * DAY_MS;

/** The installation without an archive. */
export const WITHOUT = env;
/** The installation with an archive. */
export const WITH = { ...env, ARCHIVE: env.TEST_ARCHIVE };

/** A result that is too large for lists. */
export const LARGE = { text: "x".repeat(20_000) };

/** A task as history has it after its end: one escalation, a result too large for lists, and runs in `task_log`. */
export function past(changes: Partial<TaskView> = {}) {
  const task_id = changes.task_id ?? "old";
  const view = viewOf({
    task_id,
    status: "completed",
    phase: "ended",
    end_reason: "success",
    completion_status: "success",
    agent_id: "ann",
    result: LARGE,
    seq: 6,
    ended_at: at(6),
    updated_at: at(6),
    ...changes,
  });
  const escalation_id = `esc_1_${task_id}`;
  const events: TaskEvent[] = [
    ...eventsOf(1, 2),
    eventOf(3, { type: "task_assigned", data: { agent_id: "ann", attempt: 1 } }),
    eventOf(4, { type: "task_escalated", data: { escalation_id, question: "Which one?" } }),
    eventOf(5, { data: { ...LARGE, progress_percentage: 5, current_step: "five" } }),
    eventOf(6, { type: "agent_end_task", data: { ...REPORT_DATA, task_id } }),
  ];
  const escalation = escalationOf({ escalation_id, task_id, state: "resolved" });
  return { view, events, escalation };
}

interface Past {
  view: TaskView;
  events: TaskEvent[];
  escalation?: Escalation;
}

/** Tells history some events of a task. */
export async function tell(tenant: string, view: TaskView, events: TaskEvent[]): Promise<void> {
  await writeHistory(
    env.DB,
    project([{ tenant, view, events, escalation: null, isRebuild: false, body_hash: "hash" }]),
  );
}

/** Writes it in two portions, of which the later one comes first, so that a run stays beside the row. */
export async function remember(tenant: string, { view, events, escalation }: Past): Promise<void> {
  const news = {
    tenant,
    view,
    escalation: escalation ?? null,
    isRebuild: false,
    body_hash: "hash",
  };
  await writeHistory(env.DB, project([{ ...news, events: events.slice(3) }]));
  await writeHistory(env.DB, project([{ ...news, events: events.slice(0, 3) }]));
}

/** How many rows D1 has of a tenant, by table. */
export async function rowsOf(tenant: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of ["task", "task_log", "escalation", "cleanup_debt", "removed_task"]) {
    const query = `SELECT count(*) AS rows FROM ${table} WHERE tenant = ?`;
    counts[table] = (await env.DB.prepare(query).bind(tenant).first<number>("rows")) ?? 0;
  }
  return counts;
}

/** Calls an installation as somebody who reads all of the tenant. */
export async function reader(installation: Env, tenant: string) {
  const own = await newTenant(tenant);
  const { body } = await own<{ key: string }>("POST", "/v1/keys", {
    name: "reader",
    scopes: ["orchestrate", "observe"],
  });
  return async <Body = Record<string, unknown>>(path: string, task?: unknown) => {
    const response = await faceOf(installation).request(`https://batuta.test${path}`, {
      method: task === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${body.key}`, "content-type": "application/json" },
      ...(task !== undefined && { body: JSON.stringify(task) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : {}) as Body };
  };
}
