import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readJudgedTenants } from "../../src/observe/alerts/store/judge-store.ts";
import type { AlertRule, AlertView, Silence } from "../../src/protocol/alerts.ts";
import type { ObjectiveStatus } from "../../src/protocol/objectives.ts";
import type { WebhookView } from "../../src/protocol/webhook.ts";
import { judgeAlerts, judging, sweepAlerts } from "../../src/services-alerts.ts";
import { sweepByCron } from "../../src/services-sweep.ts";
import { eventually } from "./batuta.ts";
import { newReceiver, bodyText } from "./receiver.ts";
import { recordingDb } from "./recording-db.ts";
import { newTenant } from "./tenant.ts";

judging.pause = () => new Promise(() => {});

interface Page<Item> {
  items: Item[];
}
type Call = Awaited<ReturnType<typeof newTenant>>;

const MINUTE_S = 60;
const minuteAgo = (minutes: number): number =>
  (Math.floor(Date.now() / 1_000 / MINUTE_S) - minutes) * MINUTE_S;

/** Tasks of a tenant that ended within a minute, as history would have counted them. */
async function count(tenant: string, bucket: number, figures: Record<string, number>) {
  const names = Object.keys(figures);
  await env.DB.prepare(
    `INSERT OR REPLACE INTO task_rollup (tenant, step, bucket, task_type, agent_id, ${names.join(", ")})
     VALUES (?, 60, ?, 'research', 'agent-1', ${names.map(() => "?").join(", ")})`,
  )
    .bind(tenant, bucket, ...Object.values(figures))
    .run();
}

const AT_ONCE = {
  title: "Many tasks fail",
  metric: "task_failure_rate",
  comparison: "above",
  threshold: 0.3,
  clear_threshold: 0.2,
  window_s: 900,
  for_s: 0,
  resolve_after_s: 0,
  severity: "error",
};

const alertsOf = async (ask: Call, query = "") =>
  (await ask<Page<AlertView>>("GET", `/v1/alerts${query}`)).body.items.filter(
    ({ rule_id }) => rule_id === "tasks-failing",
  );

/** A tenant without objectives' own rules in the way, with an endpoint that wants alerts. */
async function watched(tenant: string) {
  const ask = await newTenant(tenant);
  for (const slo of ["task-success-burn-fast", "task-success-burn-slow"]) {
    const rule = await ask<AlertRule>("GET", `/v1/alert-rules/${slo}`);
    const { rule_id: _id, source: _source, updated_at: _at, ...request } = rule.body;
    await ask("PUT", `/v1/alert-rules/${slo}`, { ...request, is_enabled: false });
  }
  expect(await ask("PUT", "/v1/alert-rules/tasks-failing", AT_ONCE)).toMatchObject({
    status: 200,
    body: { rule_id: "tasks-failing", source: "tenant", min_samples: 10 },
  });
  const receiver = newReceiver();
  await ask<WebhookView>("POST", "/v1/webhooks", { url: receiver.url, events: ["system_alert"] });
  const heard = async () =>
    (await receiver.log())
      .map((request): { type: string; data: { notification: Record<string, unknown> } } =>
        JSON.parse(bodyText(request)),
      )
      .map(({ data }) => data.notification);
  return { ask, heard };
}

describe("alerts", () => {
  it("fire once, are told once, and are over once", async () => {
    const { ask, heard } = await watched("alerted");
    await count("alerted", minuteAgo(1), { failed: 8, completed: 12 });

    await judgeAlerts(env);
    await judgeAlerts(env);
    const [alert, ...others] = await alertsOf(ask);
    await count("alerted", minuteAgo(1), { failed: 8, completed: 92 });
    await judgeAlerts(env);
    await judgeAlerts(env);

    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      state: "firing",
      severity: "error",
      subject: "all",
      evidence: { metric: "task_failure_rate", value: 0.4, samples: 20, threshold: 0.3 },
      silenced_by: null,
      told: [],
    });
    const over = await alertsOf(ask);
    expect(over).toMatchObject([{ alert_id: alert?.alert_id, state: "resolved" }]);
    const told = await eventually(heard, (all) => all.length >= 2);
    const alert_id = String(alert?.alert_id);
    expect(told).toMatchObject([
      { alert_id, severity: "error", title: "Many tasks fail", evidence: { state: "firing" } },
      { alert_id: `${alert_id}_resolved`, evidence: { alert_id, state: "resolved" } },
    ]);
    expect(await alertsOf(ask, "?state=firing")).toEqual([]);
    expect(await alertsOf(ask, "?severity=critical")).toEqual([]);
    expect(await ask("GET", `/v1/alerts/${alert_id}`)).toMatchObject({ status: 200 });
  });

  it("are told to nobody while a silence lasts, and to all once it is over", async () => {
    const { ask, heard } = await watched("silenced");
    await count("silenced", minuteAgo(1), { failed: 20 });
    const silence = await ask<Silence>("POST", "/v1/silences", {
      rule_id: "tasks-failing",
      duration_s: 3_600,
      reason: "we know",
    });

    await judgeAlerts(env);
    const [quiet] = await alertsOf(ask);
    const listed = await ask<Page<Silence>>("GET", "/v1/silences");
    await ask("DELETE", `/v1/silences/${silence.body.silence_id}`);
    const heardBefore = await heard();
    await judgeAlerts(env);

    expect(silence.status).toBe(201);
    expect(listed.body.items).toEqual([silence.body]);
    expect(quiet?.silenced_by).toBe(silence.body.silence_id);
    expect(heardBefore).toEqual([]);
    await eventually(heard, (all) => all.length === 1);
    expect(await alertsOf(ask)).toMatchObject([{ state: "firing", silenced_by: null }]);
  });

  it("are acknowledged while they fire, and not when they are over", async () => {
    const { ask } = await watched("acknowledged");
    await count("acknowledged", minuteAgo(1), { failed: 20 });
    await judgeAlerts(env);
    const [alert] = await alertsOf(ask);
    const path = `/v1/alerts/${alert?.alert_id}/acknowledge`;

    const noted = await ask<AlertView>("POST", path, { note: "on my way" });
    await ask("DELETE", "/v1/alert-rules/tasks-failing");
    await ask("PUT", "/v1/alert-rules/tasks-failing", { ...AT_ONCE, is_enabled: false });
    await judgeAlerts(env);
    const late = await ask("POST", path, {});

    expect(noted).toMatchObject({ status: 200, body: { state: "firing", note: "on my way" } });
    expect(noted.body.acknowledged_by).toMatch(/^key_|^\w+/);
    expect(await alertsOf(ask)).toMatchObject([{ state: "resolved", note: "on my way" }]);
    expect(late).toMatchObject({ status: 409, body: { code: "alert_closed" } });
    expect(await ask("POST", "/v1/alerts/al_none/acknowledge", {})).toMatchObject({
      status: 404,
      body: { code: "alert_not_found" },
    });
  });

  it("cost no row while nothing changes", async () => {
    await watched("calm");
    await count("calm", minuteAgo(1), { completed: 20 });
    await judgeAlerts(env);
    const recording = recordingDb(env.DB);

    await sweepByCron({ ...env, DB: recording.db }, "* * * * *");

    const written = recording.sent.filter(({ sql }) => !/^\s*(select|with)\b/i.test(sql));
    expect(recording.trips()).toBeGreaterThan(3);
    expect(written).toEqual([]);
  });

  it("are forgotten 90 days after they were over", async () => {
    const { ask } = await watched("forgotten");
    await count("forgotten", minuteAgo(1), { failed: 20 });
    await judgeAlerts(env);
    await count("forgotten", minuteAgo(1), { completed: 20 });
    await judgeAlerts(env);

    await sweepAlerts(env);
    const kept = await alertsOf(ask);
    await env.DB.prepare(
      "UPDATE alert SET resolved_at = '2026-01-01' WHERE tenant = 'forgotten'",
    ).run();
    await sweepAlerts(env);

    expect(kept).toHaveLength(1);
    expect(await alertsOf(ask)).toEqual([]);
  });

  it("are judged for every tenant that has something to judge", async () => {
    await newTenant("has-nothing");
    const ask = await newTenant("has-a-rule");
    await ask("PUT", "/v1/alert-rules/own", AT_ONCE);

    const all = await readJudgedTenants(env.DB, "", 100);
    const from = await readJudgedTenants(env.DB, "has-a-rule", 1);

    expect(all).toContain("has-a-rule");
    expect(all).not.toContain("has-nothing");
    expect(all).toEqual(all.toSorted());
    expect(from).toEqual(["has-a-rule"]);
  });
});

describe("rules and objectives", () => {
  it("are refused where their parts do not go together", async () => {
    const ask = await newTenant("refused-rules");
    const pointers = async (changes: Record<string, unknown>) => {
      const answer = await ask<{ errors: { pointer: string }[] }>("PUT", "/v1/alert-rules/own", {
        ...AT_ONCE,
        ...changes,
      });
      return [answer.status, answer.body.errors?.map(({ pointer }) => pointer)];
    };

    expect(await pointers({ clear_threshold: 0.4 })).toEqual([400, ["/clear_threshold"]]);
    expect(await pointers({ metric: "http_error_rate", task_type: "research" })).toEqual([
      400,
      ["/task_type"],
    ]);
    expect(await pointers({ metric: "slo_burn_rate", slo_id: "none", window_s: 3_600 })).toEqual([
      400,
      ["/slo_id"],
    ]);
    expect(
      await ask("PUT", "/v1/objectives/own", {
        title: "Soon",
        indicator: "task_in_time",
        target: 0.9,
        limit_s: 7,
      }),
    ).toMatchObject({ status: 400, body: { errors: [{ pointer: "/limit_s" }] } });
    expect(await ask("DELETE", "/v1/alert-rules/cost-unusual")).toMatchObject({
      status: 404,
      body: { code: "alert_rule_not_found" },
    });
    expect(await ask("DELETE", "/v1/objectives/task-success")).toMatchObject({
      status: 404,
      body: { code: "objective_not_found" },
    });
  });

  it("have a budget of what was counted, and burn it by the hour", async () => {
    const ask = await newTenant("budgeted");
    await count("budgeted", minuteAgo(2), { completed: 90, failed: 10, duration_2: 100 });
    await count("budgeted", minuteAgo(120), { completed: 100, duration_4: 100 });
    const soon = await ask<ObjectiveStatus>("PUT", "/v1/objectives/soon", {
      title: "Tasks end soon",
      indicator: "task_in_time",
      target: 0.9,
      limit_s: 15,
    });

    const { body } = await ask<Page<ObjectiveStatus>>("GET", "/v1/objectives");
    const success = body.items.find(({ slo_id }) => slo_id === "task-success");

    expect(success).toMatchObject({
      total: 200,
      good: 190,
      attained: 0.95,
      budget_total: 10,
      budget_left: 0,
      burn_rate_1h: 2,
      burn_rate_6h: 1,
    });
    expect(soon.body).toMatchObject({ total: 200, good: 100, budget_left: -80, burn_rate_1h: 0 });
    expect(body.items.map(({ slo_id, source }) => [slo_id, source])).toEqual([
      ["delivery-success", "default"],
      ["http-success", "default"],
      ["soon", "tenant"],
      ["task-success", "default"],
    ]);
    const rules = await ask<Page<AlertRule>>("GET", "/v1/alert-rules?limit=200");
    expect(rules.body.items.map(({ rule_id }) => rule_id)).toContain("soon-burn-fast");
    expect(await ask("DELETE", "/v1/objectives/soon")).toMatchObject({ status: 204 });
  });
});
