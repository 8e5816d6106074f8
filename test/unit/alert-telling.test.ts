import { describe, expect, it } from "vitest";

import { storedChannelSchema, type LiveChannel } from "../../src/delivery/channels/channel.ts";
import { tellRouted, type TellingPorts, type Told } from "../../src/delivery/channels/telling.ts";
import { enqueueBatchSchema, type EnqueueItem } from "../../src/delivery/endpoint-config.ts";
import { isRoutedTo } from "../../src/observe/alerts/routing.ts";
import type { AlertView } from "../../src/protocol/alerts.ts";
import { severitySchema } from "../../src/protocol/enums.ts";
import { FIRING } from "../firing-alert.ts";

const ALERT: AlertView = {
  ...FIRING,
  evidence: { value: 80, recipient: "+1", change: "forged" },
};

const channel = (channel_id: string, changes: object = {}): LiveChannel => ({
  channel_id,
  webhook_id: `ch_${channel_id}`,
  version: 3,
  updated_at: "",
  channel: storedChannelSchema.parse({ name: channel_id, kind: "paging", ...changes }),
});

/** Channels, and endpoints that remember what they were given, each once. */
function world(...channels: LiveChannel[]) {
  const got = new Map<string, EnqueueItem>();
  const ports: TellingPorts = {
    registry: { configOf: async () => null },
    endpoint: (_tenant, webhook_id) => ({
      configure: async () => {},
      enqueue: async (batch) => {
        if (webhook_id === "ch_broken") throw new Error("down");
        for (const item of enqueueBatchSchema.parse(batch).items) {
          got.set(`${webhook_id} ${item.event_id}`, item);
        }
        return { stored: batch.items.length, known: true };
      },
    }),
    log: () => {},
    channels: async () => channels,
    isRouted: ({ channel_id, channel: of }, alert, change) =>
      isRoutedTo({ ...of, channel_id }, alert, change),
  };
  const tell = (changes: Partial<AlertView> = {}, change: Told["change"] = "fired") =>
    tellRouted(ports, { tenant: "acme", alert: { ...ALERT, ...changes }, change });
  return { tell, got };
}

const noteOf = (item: EnqueueItem | undefined) => JSON.parse(item?.notification ?? "null");

describe("telling channels of an alert", () => {
  it.each(severitySchema.options)("goes by severity: %s", async (severity) => {
    const { tell } = world(
      ...severitySchema.options.map((one) => channel(one, { severities: [one] })),
      channel("all", { severities: [...severitySchema.options] }),
    );

    expect(await tell({ severity })).toEqual({ told: [severity, "all"], missed: [] });
  });

  it("goes by rule, leaves out who is not enabled, and tells ends to whom wants them", async () => {
    const { tell } = world(
      channel("slow", { rule_ids: ["slow"] }),
      channel("other", { rule_ids: ["other"] }),
      channel("off", { is_enabled: false }),
      channel("fires-only", { tells_resolved: false }),
    );

    const { told } = await tell();
    const over = { resolved_at: "2026-11-22T10:10:00.000Z", told: [...told] };

    expect(told).toEqual(["slow", "fires-only"]);
    expect(await tell(over, "resolved")).toEqual({ told: ["slow"], missed: [] });
  });

  it("is one delivery however often it is repeated, and another one for the end", async () => {
    const { tell, got } = world(channel("pager"));

    await tell();
    await tell();
    await tell({ resolved_at: "2026-11-22T10:10:00.000Z", told: ["pager"] }, "resolved");

    expect([...got.keys()]).toEqual(["ch_pager alr_1_fired", "ch_pager alr_1_resolved"]);
    expect([...got.values()].map(({ at }) => at)).toEqual([
      "2026-11-22T10:00:00.000Z",
      "2026-11-22T10:10:00.000Z",
    ]);
  });

  it("is a message of its own for each number, whoever the evidence says it is for", async () => {
    const to = ["+34600111222", "+34600333444", "+34600111222"];
    const { tell, got } = world(channel("sms", { kind: "sms", to }), channel("pager"));

    await tell();

    const notes = [...got.values()].map((item) => noteOf(item).evidence);
    expect(notes.map(({ recipient }) => recipient)).toEqual(["+34600111222", "+34600333444", null]);
    expect(notes.every(({ change, value }) => change === "fired" && value === 80)).toBe(true);
  });

  it("has an id and a title of its own for the end, where notifications are read", async () => {
    const { tell, got } = world(channel("hook", { kind: "webhook" }), channel("pager"));

    await tell({ told: ["hook", "pager"] }, "resolved");

    expect(noteOf(got.get("ch_hook alr_1_resolved"))).toMatchObject({
      alert_id: "alr_1_resolved",
      title: "Resolved: Tasks are slow",
      evidence: { alert_id: "alr_1", change: "resolved" },
    });
    expect(noteOf(got.get("ch_pager alr_1_resolved"))).toMatchObject({
      alert_id: "alr_1",
      title: "Tasks are slow",
    });
  });

  it("keeps within the limits of notifications, whatever the alert is called", async () => {
    const { tell, got } = world(channel("pager"));
    const long = { alert_id: "a".repeat(200), title: "t".repeat(500), detail: "d".repeat(20_000) };

    await tell(long);

    const [item] = got.values();
    expect(item?.event_id).toMatch(/^[A-Za-z0-9]{22}_fired$/);
    expect(noteOf(item)).toMatchObject({ title: expect.stringMatching(/^t{199}…$/) });
  });

  it("says so when a channel could not be reached, after the others have it", async () => {
    const { tell, got } = world(channel("broken"), channel("pager"));

    expect(await tell()).toEqual({ told: ["pager"], missed: ["broken"] });
    expect([...got.keys()]).toEqual(["ch_pager alr_1_fired"]);
  });
});
