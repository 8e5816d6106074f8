import { describe, expect, it } from "vitest";

import type { EndpointConfig, EnqueueBatch } from "../../src/delivery/endpoint-config.ts";
import { publish, type FanOutPorts, type Publication } from "../../src/delivery/fan-out.ts";
import type { Facet } from "../../src/delivery/registry/facets.ts";
import type { Subscriber } from "../../src/delivery/registry/routing.ts";
import type { TaskEvent } from "../../src/protocol/task-view.ts";
import { endpointConfig } from "../endpoint-config.ts";

function event(
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

const TASK: Publication["task"] = {
  task_id: "t-1",
  task_type: "research",
  priority: "normal",
  agent_id: "a-1",
  tags: [],
  stakeholders: [],
  callback_url: null,
};

const LIFE = [
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
function world(subscribers: Subscriber[] = [], known: Record<string, number> = {}) {
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

function wants(
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

const ALL = ["task_started", "task_progress", "task_completed", "agent_end_task"] as const;

function about(task: Partial<Publication["task"]> = {}, events = LIFE): Publication {
  return { tenant: "acme", task: { ...TASK, ...task }, events };
}

describe("fan-out", () => {
  it("gives each endpoint the notifications it wants, in order, and no other event", async () => {
    const { ports, sent } = world([
      ...wants("wh_all", [...ALL]),
      ...wants("wh_ends", ["task_completed"]),
    ]);

    await publish(ports, about());

    expect(sent()).toEqual({ wh_all: [2, 3, 5, 6], wh_ends: [5] });
  });

  it("asks nobody when no event is a notification", async () => {
    const { ports, asked } = world();

    await publish(
      ports,
      about({ callback_url: "https://x.example/" }, [event(1, "task_submitted")]),
    );

    expect(asked).toEqual([]);
  });

  it("sends the event's data as the notification, with its own priority", async () => {
    const { ports, enqueued } = world(wants("wh_x", ["task_failed"]));

    const failed = {
      notification_id: "n9",
      notification_type: "task_failed",
      task_id: "t-1",
      agent_id: "a-1",
      timestamp: "2026-11-22T10:00:00Z",
      status: "failed",
      data: {
        error_type: "x",
        error_message: "y",
        root_cause: { class: "c", detail: "d", evidence: "e" },
      },
    };
    await publish(ports, about({}, [event(9, "task_failed", failed)]));

    expect(enqueued[0]?.[1].items[0]).toEqual({
      task_id: "t-1",
      seq: 9,
      event_id: "e9",
      type: "task_failed",
      priority: "high",
      at: "2026-11-22T10:00:00.000Z",
      correlation_id: "c",
      notification: JSON.stringify(failed),
    });
  });

  it("leaves out what the filters do not want, by the agent of the event", async () => {
    const { ports, sent } = world([
      ...wants("wh_general", [...ALL], { task_types: ["general"] }),
      ...wants("wh_agent", [...ALL], { agent_ids: ["a-2"] }),
    ]);

    await publish(
      ports,
      about({}, [event(2, "task_started", { agent_id: "a-2" }), event(3, "task_progress")]),
    );

    expect(sent()).toEqual({ wh_agent: [2] });
  });

  it("leaves out what the notification does not say that was asked for", async () => {
    const { ports, sent } = world(
      wants("wh_half", ["task_progress"], { match: { "data.progress_percentage": { $gte: 50 } } }),
    );
    const progress = (seq: number, progress_percentage: number) =>
      event(seq, "task_progress", {
        notification_id: `n${seq}`,
        notification_type: "task_progress",
        task_id: "t-1",
        agent_id: "a-1",
        timestamp: "2026-11-22T10:00:00Z",
        data: { progress_percentage, current_step: "on" },
      });

    await publish(ports, about({}, [progress(3, 40), progress(4, 50), progress(5, 60)]));

    expect(sent()).toEqual({ wh_half: [4, 5] });
  });

  it("asks the registry once, for what its notifications show", async () => {
    const { ports, asked } = world();

    await publish(ports, about({ tags: ["red"] }, LIFE.slice(0, 2)));

    expect(asked).toEqual([
      ["*", "agent:a-1", "tag:red", "task_type:research", "priority:normal"].map((facet) => ({
        type: "task_started",
        facet,
      })),
    ]);
  });

  it("asks for nothing twice, however many notifications show it", async () => {
    const { ports, asked } = world();

    await publish(ports, about({}, [event(2, "task_progress"), event(3, "task_progress")]));

    expect(asked[0]?.map(({ facet }) => facet)).toEqual([
      "*",
      "agent:a-1",
      "task_type:research",
      "priority:normal",
    ]);
  });

  it("calls fifty endpoints at a time, and all of them in their order", async () => {
    const ids = Array.from({ length: 180 }, (_, index) => `wh_${String(index).padStart(3, "0")}`);
    const { ports, enqueued, mostOpen } = world(ids.flatMap((id) => wants(id, ["task_started"])));

    await publish(ports, about());

    expect(enqueued.map(([id]) => id)).toEqual(ids);
    expect(mostOpen()).toBe(50);
  });

  it("gives stakeholders the last notification whatever their filters say", async () => {
    const subscribers = wants("wh_boss", [...ALL], { task_types: ["general"] });
    const { ports, sent } = world(subscribers, { wh_boss: 1, wh_other: 1 });

    await publish(ports, about({ stakeholders: ["wh_boss", "wh_other", "wh_nobody"] }));

    expect(sent()).toEqual({ wh_boss: [6], wh_other: [6] });
  });

  it("gives a stakeholder that subscribed too the last notification once", async () => {
    const { ports, sent } = world(wants("wh_boss", [...ALL]), { wh_boss: 1 });

    await publish(ports, about({ stakeholders: ["wh_boss"] }));

    expect(sent()).toEqual({ wh_boss: [2, 3, 5, 6] });
  });

  it("gives the callback address all notifications of the task, with its configuration", async () => {
    const { ports, sent, enqueued } = world();

    await publish(ports, about({ callback_url: "https://x.example/" }));

    expect(sent()).toEqual({ cb_x: [2, 3, 5, 6] });
    expect(enqueued[0]?.[1].callback).toContain("hooks.example.com");
  });

  it("brings an endpoint up to date that does not know its configuration", async () => {
    const behind = wants("wh_new", ["task_started"]).map((row) => ({ ...row, version: 2 }));
    const { ports, sent, configured } = world(behind, { wh_new: 2 });

    await publish(ports, about());

    expect(configured).toEqual(["acme/wh_new"]);
    expect(sent()).toEqual({ wh_new: [2] });
  });

  it("lets go of an endpoint that was deleted meanwhile", async () => {
    const deleted = wants("wh_old", ["task_started"]).map((row) => ({ ...row, version: 2 }));
    const { ports, sent } = world(deleted);

    await publish(ports, about());

    expect(sent()).toEqual({});
  });

  it("reaches all others before it tells that one failed", async () => {
    const { ports, sent, broken } = world([
      ...wants("wh_a", ["task_started"]),
      ...wants("wh_broken", ["task_started"]),
      ...wants("wh_c", ["task_started"]),
    ]);
    broken.add("wh_broken");

    const publishing = publish(ports, about());

    await expect(publishing).rejects.toBeInstanceOf(AggregateError);
    expect(sent()).toEqual({ wh_a: [2], wh_c: [2] });
  });

  it("tells of a notification that broke its schema, and sends a notice in its place", async () => {
    const { ports, withheld, enqueued } = world(wants("wh_a", ["task_progress"]));
    const broken = { ...event(3, "task_progress"), data: { lease_token: "tok-123" } };

    await publish(ports, { tenant: "acme", task: TASK, events: [broken] });

    expect(withheld).toMatchObject([{ tenant: "acme", route: "webhook:task_progress" }]);
    expect(JSON.stringify(enqueued)).toContain("withheld");
    expect(JSON.stringify([enqueued, withheld])).not.toContain("tok-123");
  });
});
