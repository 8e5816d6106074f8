import { describe, expect, it } from "vitest";

import { createObjectives } from "../../src/observe/alerts/desk/objectives.ts";
import type { SettingStore } from "../../src/observe/alerts/desk/setting-port.ts";
import { createSettings } from "../../src/observe/alerts/desk/settings.ts";
import type { Objective } from "../../src/observe/alerts/objectives/default-objectives.ts";
import {
  alertRuleRequestSchema,
  silenceRequestSchema,
  type AlertRule,
  type Silence,
} from "../../src/protocol/alerts.ts";
import { objectiveRequestSchema } from "../../src/protocol/objectives.ts";
import { pageOfShort } from "../../src/rest/short-list.ts";

const NOW = Date.parse("2026-11-22T12:00:00.000Z");
const BY = { key_id: "key_1", tenant: "acme", scopes: [], isBootstrap: false };

const RULE = {
  title: "Many tasks",
  metric: "tasks_created",
  comparison: "above",
  threshold: 10,
};
const ruleOf = (changes: Record<string, unknown> = {}) =>
  alertRuleRequestSchema.parse({ ...RULE, ...changes });
const objectiveOf = (changes: Record<string, unknown> = {}) =>
  objectiveRequestSchema.parse({
    title: "Half of it",
    indicator: "task_success",
    target: 0.5,
    ...changes,
  });

/** What a tenant has set, in memory. */
function world() {
  const rules = new Map<string, AlertRule>();
  const objectives = new Map<string, Objective>();
  let silences: Silence[] = [];
  const store: SettingStore = {
    rules: async () => [...rules.values()],
    putRule: async (_tenant, rule_id, rule, updated_at) =>
      void rules.set(rule_id, { ...rule, rule_id, source: "tenant", updated_at }),
    removeRule: async (_tenant, rule_id) => rules.delete(rule_id),
    objectives: async () => [...objectives.values()],
    putObjective: async (_tenant, slo_id, objective) =>
      void objectives.set(slo_id, { ...objective, slo_id, source: "tenant" }),
    removeObjective: async (_tenant, slo_id) => objectives.delete(slo_id),
    silences: async (_tenant, at) => silences.filter(({ ends_at }) => ends_at > at),
    addSilence: async (_tenant, silence) => void silences.push(silence),
    removeSilence: async (_tenant, silence_id) => {
      const before = silences.length;
      silences = silences.filter((one) => one.silence_id !== silence_id);
      return silences.length < before;
    },
  };
  let ids = 0;
  const now = () => NOW;
  return {
    settings: createSettings({ now, newId: () => `id${(ids += 1)}`, store }),
    objectives: createObjectives({
      now,
      store,
      openFigures: () => ({
        figure: async () => null,
        history: async () => [],
        share: async () => ({ good: 9, total: 10 }),
      }),
    }),
  };
}

const codeOf = (outcome: { ok: boolean; refusal?: { code: string } }) => outcome.refusal?.code;

describe("the rules of a tenant", () => {
  it("are its own, and the default ones until it replaces them", async () => {
    const { settings } = world();
    const before = await settings.rules("acme");
    const put = await settings.putRule("acme", "tasks-failing", ruleOf({ is_enabled: false }));
    const after = await settings.rules("acme");
    const removed = await settings.removeRule("acme", "tasks-failing");

    expect(put).toMatchObject({ ok: true, value: { source: "tenant", is_enabled: false } });
    expect(after).toHaveLength(before.length);
    expect(removed.ok).toBe(true);
    expect(await settings.rule("acme", "tasks-failing")).toMatchObject({
      value: { source: "default", is_enabled: true },
    });
    expect(codeOf(await settings.removeRule("acme", "tasks-failing"))).toBe("alert_rule_not_found");
    expect(codeOf(await settings.removeRule("acme", "none"))).toBe("alert_rule_not_found");
    expect(codeOf(await settings.rule("acme", "none"))).toBe("alert_rule_not_found");
  });

  it("are a hundred at most", async () => {
    const { settings } = world();
    for (let index = 0; index < 100; index += 1) {
      await settings.putRule("acme", `own-${index}`, ruleOf());
    }

    expect(codeOf(await settings.putRule("acme", "one-more", ruleOf()))).toBe("alerting_refused");
    expect((await settings.putRule("acme", "own-7", ruleOf({ threshold: 1 }))).ok).toBe(true);
  });

  it("name an objective that there is", async () => {
    const { settings, objectives } = world();
    const burn = ruleOf({ metric: "slo_burn_rate", slo_id: "own", window_s: 3_600 });
    const before = await settings.putRule("acme", "burning", burn);
    await objectives.put("acme", "own", objectiveOf());

    expect(before).toMatchObject({ refusal: { errors: [{ pointer: "/slo_id" }] } });
    expect((await settings.putRule("acme", "burning", burn)).ok).toBe(true);
    expect(await settings.rule("acme", "own-burn-slow")).toMatchObject({ ok: true });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a clear threshold on the wrong side", { clear_threshold: 11 }, "clear_threshold"],
    ["one below", { comparison: "below", clear_threshold: 9 }, "clear_threshold"],
    [
      "an anomaly of no figure of tasks",
      { metric: "slots_free", comparison: "anomaly" },
      "comparison",
    ],
    ["an anomaly without distance", { comparison: "anomaly", threshold: 0 }, "threshold"],
    ["an anomaly of a day", { comparison: "anomaly", window_s: 7_200 }, "window_s"],
    ["a burn rate of nothing", { metric: "slo_burn_rate", window_s: 3_600 }, "slo_id"],
    ["a burn rate of a moment", { metric: "slo_burn_rate", slo_id: "own" }, "window_s"],
    ["an objective of something else", { slo_id: "own" }, "slo_id"],
    ["a type of requests", { metric: "http_error_rate", task_type: "research" }, "task_type"],
    ["an agent of deliveries", { metric: "delivery_failure_rate", agent_id: "a" }, "agent_id"],
    ["an agent of what nobody has yet", { agent_id: "a" }, "agent_id"],
  ])("refuse %s", (_title, changes, member) => {
    const parsed = alertRuleRequestSchema.safeParse({ ...RULE, ...changes });

    expect(parsed.error?.issues.map(({ path }) => path[0])).toEqual([member]);
  });
});

describe("silences", () => {
  const request = (changes: Record<string, unknown> = {}) =>
    silenceRequestSchema.parse({ duration_s: 60, reason: "we know", ...changes });

  it("last as long as they say, of all rules or one that there is", async () => {
    const { settings } = world();
    const all = await settings.silence(BY, request());
    const one = await settings.silence(BY, request({ rule_id: "tasks-failing" }));
    const none = await settings.silence(BY, request({ rule_id: "none" }));

    expect(all).toMatchObject({
      value: { rule_id: null, created_by: "key_1", ends_at: "2026-11-22T12:01:00.000Z" },
    });
    expect(one).toMatchObject({ value: { rule_id: "tasks-failing" } });
    expect(codeOf(none)).toBe("alert_rule_not_found");
    expect(await settings.silences("acme")).toHaveLength(2);
    expect((await settings.endSilence("acme", "si_id1")).ok).toBe(true);
    expect(codeOf(await settings.endSilence("acme", "si_id1"))).toBe("silence_not_found");
  });

  it("are a hundred at most", async () => {
    const { settings } = world();
    for (let index = 0; index < 100; index += 1) await settings.silence(BY, request());

    expect(codeOf(await settings.silence(BY, request()))).toBe("alerting_refused");
  });
});

describe("objectives", () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      "a limit that durations are not kept by",
      { indicator: "task_in_time", limit_s: 7 },
      "/limit_s",
    ],
    ["no limit for what is to be in time", { indicator: "task_in_time" }, "/limit_s"],
    ["a limit of something else", { limit_s: 5 }, "/limit_s"],
    ["a type of requests", { indicator: "http_success", task_type: "research" }, "/task_type"],
  ])("refuse %s", async (_title, changes, pointer) => {
    const put = await world().objectives.put("acme", "own", objectiveOf(changes));

    expect(put).toMatchObject({ refusal: { code: "validation_failed", errors: [{ pointer }] } });
  });

  it("are twenty at most, and shown with their budgets", async () => {
    const { objectives } = world();
    for (let index = 0; index < 20; index += 1) {
      await objectives.put("acme", `own-${index}`, objectiveOf());
    }

    expect(codeOf(await objectives.put("acme", "one-more", objectiveOf()))).toBe(
      "alerting_refused",
    );
    expect(await objectives.put("acme", "own-7", objectiveOf({ target: 0.8 }))).toMatchObject({
      value: { good: 9, total: 10, budget_total: 2, budget_left: 1, burn_rate_1h: 0.5 },
    });
    expect((await objectives.remove("acme", "own-7")).ok).toBe(true);
    expect(codeOf(await objectives.remove("acme", "own-7"))).toBe("objective_not_found");
    expect(codeOf(await objectives.remove("acme", "task-success"))).toBe("objective_not_found");
  });
});

describe("a list that is read at once", () => {
  it("is cut into pages by its names", () => {
    const items = ["b", "a", "c"];
    const pageOf = (cursor?: string) => pageOfShort(items, (item) => item, { limit: 2, cursor });

    expect(pageOf()).toEqual({ items: ["a", "b"], next_cursor: "b" });
    expect(pageOf("b")).toEqual({ items: ["c"], next_cursor: null });
  });
});
