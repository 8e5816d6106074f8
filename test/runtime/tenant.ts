import { env } from "cloudflare:workers";

import { writeHistory } from "../../src/history/history-store.ts";
import { project } from "../../src/history/projection.ts";
import type { Escalation, TaskView } from "../../src/protocol/task-view.ts";
import { eventsOf } from "../task-news.ts";
import { call } from "./batuta.ts";
import type { Answered } from "./batuta.ts";

type Call = <Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answered<Body>>;

/** A tenant of its own: calls the Worker with a key that has every scope in it. */
export async function newTenant(tenant: string): Promise<Call> {
  return newKey(tenant, ["orchestrate", "execute", "observe", "admin"]);
}

/** The same with these scopes. */
export async function newKey(tenant: string, scopes: readonly string[]): Promise<Call> {
  const wanted = { name: "test", tenant, scopes };
  const { body } = await call<{ key: string }>("POST", "/v1/keys", wanted);
  const authorization = `Bearer ${body.key}`;
  return (method, path, sent, headers) => call(method, path, sent, { authorization, ...headers });
}

/** Writes tasks to history, as if they had been. */
export async function seed(
  tenant: string,
  views: readonly TaskView[],
  escalations: readonly Escalation[] = [],
): Promise<void> {
  const news = views.map((view) => ({
    tenant,
    view,
    events: eventsOf(1, 1),
    escalation: escalations.find(({ task_id }) => task_id === view.task_id) ?? null,
    isRebuild: false,
  }));
  await writeHistory(env.DB, project(news));
}
