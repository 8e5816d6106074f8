import { describe, expect, it } from "vitest";

import { publishAlert, type AlertNews, type AlertPorts } from "../../src/delivery/alert.ts";
import type { EnqueueBatch } from "../../src/delivery/endpoint-config.ts";
import { enqueueBatchSchema } from "../../src/delivery/endpoint-config.ts";
import type { Facet } from "../../src/delivery/registry/facets.ts";
import type { WebhookFilters } from "../../src/protocol/webhook.ts";

const ALERT: AlertNews["alert"] = {
  alert_id: "alert_wh_1",
  severity: "error",
  title: "An endpoint is down",
  detail: "It answered 500 to the last 20 requests.",
  evidence: { webhook_id: "wh_sick" },
};

function news(changes: Partial<AlertNews> = {}): AlertNews {
  return { tenant: "acme", alert: ALERT, at: "2026-11-22T10:00:00.000Z", except: [], ...changes };
}

/** A registry with these endpoints, and endpoints that remember what they were given. */
function world(...endpoints: [webhook_id: string, filters?: WebhookFilters][]) {
  const got: [string, EnqueueBatch][] = [];
  const asked: (readonly Facet[])[] = [];
  const logged: string[] = [];
  const ports: AlertPorts = {
    registry: {
      subscribers: async (_tenant, facets) => {
        asked.push(facets);
        return endpoints.map(([webhook_id, filters = null]) => ({
          type: "system_alert",
          webhook_id,
          version: 1,
          events: ["all"],
          filters,
          routing: [],
          created_at: "",
        }));
      },
      configOf: async () => null,
    },
    endpoint: (_tenant, webhook_id) => ({
      configure: async () => {},
      enqueue: async (batch) => {
        if (webhook_id === "wh_broken") throw new Error("down");
        got.push([webhook_id, enqueueBatchSchema.parse(batch)]);
        return { stored: 1, known: true };
      },
    }),
    log: (_level, event) => logged.push(event),
  };
  return { ports, got, asked, logged, told: () => got.map(([id]) => id) };
}

describe("an alert", () => {
  it("goes to every endpoint that wants it but the one that it is about", async () => {
    const { ports, told } = world(
      ["wh_a"],
      ["wh_sick"],
      ["wh_loud", { match: { severity: { $in: ["critical"] } } }],
      ["wh_about", { match: { "evidence.webhook_id": "wh_sick" } }],
    );

    await publishAlert(ports, news({ except: ["wh_sick"] }));

    expect(told()).toEqual(["wh_a", "wh_about"]);
  });

  it("is a notification without a task, the same each time it is told", async () => {
    const { ports, got } = world(["wh_a"]);

    await publishAlert(ports, news());
    await publishAlert(ports, news());

    expect(got[1]).toEqual(got[0]);
    expect(got[0]?.[1].items).toEqual([
      {
        task_id: null,
        seq: null,
        event_id: "alert_wh_1",
        type: "system_alert",
        priority: "high",
        at: "2026-11-22T10:00:00.000Z",
        correlation_id: "",
        notification: JSON.stringify(ALERT),
      },
    ]);
  });

  it.each([
    ["info", "normal"],
    ["warning", "normal"],
    ["error", "high"],
    ["critical", "critical"],
  ] as const)(
    "of %s has priority %s, and is looked for by its severity",
    async (severity, priority) => {
      const { ports, got, asked } = world(["wh_a"]);

      await publishAlert(ports, news({ alert: { ...ALERT, severity } }));

      expect(got[0]?.[1].items[0]?.priority).toBe(priority);
      expect(asked[0]?.map(({ facet }) => facet)).toEqual(["*", `severity:${severity}`]);
    },
  );

  it("is refused under an id that no delivery could have", async () => {
    const { ports, told } = world(["wh_a"]);

    const telling = publishAlert(ports, news({ alert: { ...ALERT, alert_id: "not.an.id" } }));

    await expect(telling).rejects.toMatchObject({ name: "ZodError" });
    expect(told()).toEqual([]);
  });

  it("leaves as a notice, and in the log, when it breaks its schema", async () => {
    const { ports, got, logged } = world(["wh_a"]);

    await publishAlert(ports, news({ alert: { ...ALERT, title: "x".repeat(201) } }));

    expect(logged).toEqual(["notification_invalid"]);
    expect(got[0]?.[1].items[0]?.notification).not.toContain("xxx");
  });

  it("reaches all others before it tells that one failed", async () => {
    const { ports, told } = world(["wh_a"], ["wh_broken"], ["wh_c"]);

    await expect(publishAlert(ports, news())).rejects.toBeInstanceOf(AggregateError);
    expect(told()).toEqual(["wh_a", "wh_c"]);
  });
});
