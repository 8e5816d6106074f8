import { describe, expect, it } from "vitest";

import {
  taskDeliveries,
  type TaskAudience,
  type TaskDeliveriesPorts,
} from "../../src/delivery/registry/task-deliveries.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { DeliveryState } from "../../src/protocol/enums.ts";
import type { DeliveryView } from "../../src/protocol/webhook.ts";
import { viewOf } from "../task-news.ts";

const AUDIENCE: TaskAudience = {
  task_type: "research",
  holders: ["a-1", "a-2"],
  tags: ["red"],
  stakeholders: [],
  callback_url: null,
};

/** The states of an endpoint's deliveries, by seq. */
type States = Record<number, DeliveryState>;

function deliveryOf(webhook_id: string, seq: number, state: DeliveryState): DeliveryView {
  return {
    delivery_id: `dlv_${webhook_id}_${seq}`,
    webhook_id,
    message_id: `msg_${webhook_id}_${seq}`,
    task_id: "t",
    seq,
    prev_seq: null,
    type: "task_progress",
    priority: "low",
    state,
    attempts_made: 1,
    next_attempt_at: null,
    created_at: "2026-11-22T10:00:00.000Z",
    delivered_at: null,
    delay_reason: null,
  };
}

/** Endpoints with deliveries of task `t`; those in `subscribed` are found in the registry. */
function world(endpoints: Record<string, States>, subscribed = Object.keys(endpoints)) {
  const asked: string[] = [];
  const facets = new Set<string>();
  let open = 0;
  let mostOpen = 0;
  const deliveriesOf = (id: string) =>
    Object.entries(endpoints[id] ?? {}).map(([seq, state]) => deliveryOf(id, Number(seq), state));
  const ports: TaskDeliveriesPorts = {
    audience: async () => ok(AUDIENCE),
    archived: async () => ok(null),
    heldBy: async () => ["a-8", "a-9"],
    subscribers: async (_tenant, keys) => {
      for (const { type, facet } of keys) facets.add(`${type} ${facet}`);
      // Each is found for two types.
      return subscribed.flatMap((webhook_id) =>
        (["task_started", "task_progress"] as const).map((type) => ({
          type,
          webhook_id,
          version: 1,
          filters: null,
        })),
      );
    },
    callbackId: async (tenant, url) => `cb_${tenant}_${url}`,
    endpoint: (_tenant, id) => ({
      deliveries: async ({ cursor, limit }) => {
        asked.push(id);
        open += 1;
        mostOpen = Math.max(mostOpen, open);
        await Promise.resolve();
        open -= 1;
        const all = deliveriesOf(id);
        const from = Number(cursor ?? 0);
        const isEnd = from + limit >= all.length;
        return ok({
          items: all.slice(from, from + limit),
          next_cursor: isEnd ? null : String(from + limit),
        });
      },
      delivery: async (delivery_id) => {
        const found = deliveriesOf(id).find((each) => each.delivery_id === delivery_id);
        return found === undefined
          ? refuse({ code: "delivery_not_found", detail: "gone" })
          : ok({ ...found, attempts: [] });
      },
    }),
  };
  return { ports, asked, facets, mostOpen: () => mostOpen };
}

const QUERY = { tenant: "acme", task_id: "t", after: 0, limit: 50 };

async function itemsOf(endpoints: Record<string, States>, query = {}) {
  const answer = await taskDeliveries(world(endpoints).ports, { ...QUERY, ...query });
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return answer.value;
}

describe("the deliveries of a task", () => {
  it.each<[states: DeliveryState[], overall: string]>([
    [["delivered"], "delivered"],
    [["delivered", "delivered", "delivered"], "delivered"],
    [["delivered", "retrying", "delivered"], "partial"],
    [["delivered", "pending"], "partial"],
    [["delivered", "held"], "partial"],
    [["delivered", "delivering"], "partial"],
    [["delivered", "exhausted", "retrying"], "partial"],
    [["pending"], "pending"],
    [["retrying", "held", "delivering"], "pending"],
    [["exhausted", "retrying"], "pending"],
    [["exhausted"], "failed"],
    [["delivered", "exhausted"], "failed"],
    [["delivered", "cancelled"], "failed"],
  ])("that are %j are %s overall", async (states, overall) => {
    const endpoints = Object.fromEntries(
      states.map((state, index) => [`wh_${index}`, { 3: state }]),
    );

    const { items } = await itemsOf(endpoints);

    expect(items.map(({ seq, state }) => [seq, state])).toEqual([[3, overall]]);
  });

  it("are together by notification, in order of seq, with their attempts", async () => {
    const { items, next_after } = await itemsOf({
      wh_a: { 2: "delivered", 5: "delivered" },
      wh_b: { 3: "retrying", 5: "pending" },
    });

    expect(
      items.map(({ seq, deliveries }) => [seq, deliveries.map((each) => each.webhook_id)]),
    ).toEqual([
      [2, ["wh_a"]],
      [3, ["wh_b"]],
      [5, ["wh_a", "wh_b"]],
    ]);
    expect(items.flatMap(({ deliveries }) => deliveries).every((each) => each.attempts)).toBe(true);
    expect(next_after).toBeNull();
  });

  it("are asked of subscribers, stakeholders and the callback address, each once", async () => {
    const { ports, asked } = world({ wh_a: {}, wh_b: {} });
    const audience = { ...AUDIENCE, stakeholders: ["wh_b", "wh_c"], callback_url: "url" };

    await taskDeliveries({ ...ports, audience: async () => ok(audience) }, QUERY);

    expect(asked).toEqual(["wh_a", "wh_b", "wh_c", "cb_acme_url"]);
  });

  it("are looked for by all that the task's notifications may have shown", async () => {
    const { ports, facets } = world({});

    await taskDeliveries(ports, QUERY);

    expect([...facets].filter((key) => key.startsWith("agent_end_task ")).toSorted()).toEqual(
      [
        "*",
        "agent:a-1",
        "agent:a-2",
        "priority:critical",
        "priority:high",
        "priority:low",
        "priority:normal",
        "tag:red",
        "task_type:research",
      ].map((facet) => `agent_end_task ${facet}`),
    );
    expect([...facets].some((key) => key.startsWith("system_alert"))).toBe(false);
  });

  it("come in pages that lose none", async () => {
    const endpoints = {
      wh_a: Object.fromEntries(Array.from({ length: 450 }, (_, index) => [index * 2, "delivered"])),
      wh_b: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [index * 3, "retrying"])),
    } as Record<string, States>;
    const seqs: number[] = [];
    let after: number | null = -1;

    while (after !== null) {
      const page: { items: { seq: number }[]; next_after: number | null } = await itemsOf(
        endpoints,
        { after, limit: 100 },
      );
      expect(page.items.length).toBeLessThanOrEqual(100);
      seqs.push(...page.items.map(({ seq }) => seq));
      after = page.next_after;
    }

    const all = new Set(
      Object.values(endpoints).flatMap((states) => Object.keys(states).map(Number)),
    );
    expect(seqs).toEqual([...all].toSorted((a, b) => a - b));
  });

  it("are fewer notifications a page where many endpoints have them", async () => {
    const states: States = {
      1: "delivered",
      2: "delivered",
      3: "delivered",
      4: "delivered",
      5: "delivered",
    };
    const endpoints = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`wh_${index}`, states]),
    );

    const { items, next_after } = await itemsOf(endpoints);

    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(next_after).toBe(4);
  });

  it("are read fifty endpoints at a time, and refused where there are too many", async () => {
    const many = (count: number) =>
      world(Object.fromEntries(Array.from({ length: count }, (_, index) => [`wh_${index}`, {}])));
    const most = many(500);

    const read = await taskDeliveries(most.ports, QUERY);
    const refused = await taskDeliveries(many(501).ports, QUERY);

    expect(read.ok).toBe(true);
    expect(most.mostOpen()).toBe(50);
    expect(refused).toMatchObject({ ok: false, refusal: { code: "not_supported" } });
  });

  it("of a task whose object is empty are looked for by what history knows", async () => {
    const { ports, facets } = world({ wh_a: { 1: "delivered" } });
    const gone = refuse({ code: "task_not_found" as const, detail: "There is none." });
    const view = viewOf({ task_id: "t", agent_id: "a-9", tags: ["blue"] });

    const found = await taskDeliveries(
      { ...ports, audience: async () => gone, archived: async () => ok(view) },
      QUERY,
    );
    const unknown = await taskDeliveries({ ...ports, audience: async () => gone }, QUERY);

    expect(found).toMatchObject({ ok: true, value: { items: [{ state: "delivered" }] } });
    const asked = ["task_failed agent:a-8", "task_failed agent:a-9", "task_failed tag:blue"];
    expect(asked.filter((facet) => !facets.has(facet))).toEqual([]);
    expect(unknown).toEqual(gone);
  });
});
