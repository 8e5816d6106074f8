import type { EndpointConfig, EnqueueBatch } from "../../src/delivery/endpoint-config.ts";
import { type FanOutPorts, type Publication } from "../../src/delivery/fan-out.ts";
import type { Facet } from "../../src/delivery/registry/facets.ts";
import type { Subscriber } from "../../src/delivery/registry/routing.ts";
import type { TaskEvent } from "../../src/protocol/task-view.ts";
import { endpointConfig } from "../endpoint-config.ts";

export function event(
  seq: number,
  type: TaskEvent["type"],
  data: Record<string, unknown> = {},
): TaskEvent {
  return {
    seq,
    event_id: `e${seq}`,
    type,
    at: "2026-11-22T10:00:00.000Z",
    actor: { kind: "executor", id: "a-1" },
    correlation_id: "c",
    data,
  };
}

export const TASK: Publication["task"] = {
  task_id: "t-1",
  task_type: "research",
  priority: "normal",
  agent_id: "a-1",
  tags: [],
  stakeholders: [],
  callback_url: null,
};

export const LIFE = [
  event(1, "task_submitted"),
  event(2, "task_started"),
  event(3, "task_progress"),
  event(4, "verdict"),
  event(5, "task_completed"),
  event(6, "agent_end_task"),
];

const SECRETS = [{ secret: "s", expires_at: null }];

function config(webhook_id: string, version: number): EndpointConfig {
  return endpointConfig({ tenant: "acme", webhook_id, secrets: SECRETS, version });
}

/** A registry and endpoints that remember what they were told. */
export function world(subscribers: Subscriber[] = [], known: Record<string, number> = {}) {
  const enqueued: [string, EnqueueBatch][] = [];
  const configured: string[] = [];
  const versions = new Map<string, number>();
  const broken = new Set<string>();
  const asked: (readonly Facet[])[] = [];
  let [open, mostOpen] = [0, 0];
  const withheld: unknown[] = [];
  const ports: FanOutPorts = {
    tellWithheld: async (told) => void withheld.push(told),
    registry: {
      subscribers: async (_tenant, facets) => {
        asked.push(facets);
        return subscribers.filter((row) => facets.some(({ type }) => type === row.type));
      },
      versions: async (_tenant, ids) =>
        new Map(ids.flatMap((id) => (known[id] === undefined ? [] : [[id, known[id]]]))),
      configOf: async (_tenant, id) => (known[id] === undefined ? null : config(id, known[id])),
      callbackConfig: async () => config("cb_x", 1),
    },
    endpoint: (tenant, id) => ({
      configure: async (text) => {
        configured.push(`${tenant}/${id}`);
        versions.set(id, (JSON.parse(text) as EndpointConfig).version);
      },
      enqueue: async (batch) => {
        open += 1;
        mostOpen = Math.max(mostOpen, open);
        await Promise.resolve();
        open -= 1;
        if (broken.has(id)) throw new Error(`${id} is down`);
        if (batch.callback === null && (versions.get(id) ?? 1) < batch.config_version) {
          return { stored: 0, known: false };
        }
        enqueued.push([id, batch]);
        return { stored: batch.items.length, known: true };
      },
    }),
    log: () => {},
  };
  const sent = () =>
    Object.fromEntries(enqueued.map(([id, { items }]) => [id, items.map(({ seq }) => seq)]));
  return { ports, withheld, enqueued, configured, broken, asked, sent, mostOpen: () => mostOpen };
}

export function wants(
  webhook_id: string,
  types: Subscriber["type"][],
  filters: Subscriber["filters"] = null,
) {
  return types.map((type) => ({
    webhook_id,
    type,
    events: ["all" as const],
    filters,
    routing: [],
    created_at: "",
    version: 1,
  }));
}

export const ALL = ["task_started", "task_progress", "task_completed", "agent_end_task"] as const;

export function about(task: Partial<Publication["task"]> = {}, events = LIFE): Publication {
  return { tenant: "acme", task: { ...TASK, ...task }, events };
}
