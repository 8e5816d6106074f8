import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { AuditStore } from "../../src/audit/audit-store.ts";
import { levelRecord } from "../../src/delivery/registry/audit.ts";
import type { Forecast } from "../../src/protocol/forecast.ts";
import type { Insights } from "../../src/protocol/observation.ts";
import type { Overview } from "../../src/protocol/overview.ts";
import { endedView } from "../seeded-runs.ts";
import { eventually } from "./batuta.ts";
import { newTenant, seed } from "./tenant.ts";

const HOUR_S = 3_600;
const WEEK_S = 7 * 24 * HOUR_S;

/** Tasks that nobody fits, so that they stay where they are. */
const TASK = {
  description: "a task that waits for nobody",
  task_type: "general",
  requires: { capabilities: ["nobody-has-this"] },
};

/** Puts figures into the roll-ups, as folding would: of all executors together. */
async function rollUp(
  tenant: string,
  rows: readonly { step: number; bucket: number; created: number; completed?: number }[],
): Promise<void> {
  const insert = env.DB.prepare(
    `INSERT INTO task_rollup (tenant, step, bucket, task_type, agent_id, created, completed)
     SELECT ?1, -(value ->> 'step'), value ->> 'bucket', 'general', '', value ->> 'created',
       coalesce(value ->> 'completed', 0) FROM json_each(?2)`,
  );
  await insert.bind(tenant, JSON.stringify(rows)).run();
}

describe("GET /v1/overview", () => {
  it("shows what is open and what the day has brought, of the key's tenant alone", async () => {
    const own = await newTenant("glance");
    const hour = Math.floor(Date.now() / 1_000 / HOUR_S) * HOUR_S;
    await rollUp("glance", [
      { step: HOUR_S, bucket: hour - 5 * HOUR_S, created: 40, completed: 30 },
      { step: HOUR_S, bucket: hour - 24 * HOUR_S, created: 1_000 },
    ]);
    await rollUp("glance-of-others", [{ step: HOUR_S, bucket: hour, created: 7 }]);
    await own("POST", "/v1/tasks", TASK);

    const { body } = await eventually(
      () => own<Overview>("GET", "/v1/overview"),
      ({ body: shown }) => shown.tasks.created > 40,
    );

    expect(body).toMatchObject({
      tasks: {
        active: 1,
        is_complete: true,
        by_status: [{ status: "pending", count: 1 }],
        created: 41,
        ended: 30,
        succeeded: 30,
        completion_rate: 1,
      },
      escalations_open: 0,
      webhooks: { total: 0, troubled: 0 },
      health: { is_ready: true, dependencies: { database: "ok" } },
      incomplete: [],
    });
    const created = body.series.find(({ metric }) => metric === "tasks_created");
    expect(created?.points).toHaveLength(60);
    expect(created?.points.reduce((sum, [, value]) => sum + (value ?? 0), 0)).toBe(1);
  });

  it("is streamed, the first one at once", async () => {
    const response = await exports.default.fetch(
      new Request("https://batuta.test/v1/overview/stream", {
        headers: { authorization: `Bearer ${env.BATUTA_ADMIN_KEY}` },
      }),
    );
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();

    const [open, first] = [await reader?.read(), await reader?.read()];
    await reader?.cancel();

    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(open?.value).toBe(": open\n\n");
    expect(first?.value).toMatch(/^id: \d+\nevent: overview\ndata: \{"at"/);
  });
});

describe("GET /v1/forecast", () => {
  it("forecasts a seeded weekly peak within its bounds, tells its error, and warns of slots that are missing", async () => {
    const own = await newTenant("forecast");
    const hour = Math.floor(Date.now() / 1_000 / HOUR_S) * HOUR_S;
    const peak = hour + 6 * HOUR_S;
    const weeks = Array.from({ length: 5 * 168 }, (_, index) => hour - (index + 1) * HOUR_S);
    await rollUp(
      "forecast",
      weeks.map((bucket, index) => ({
        step: HOUR_S,
        bucket,
        created: ((peak - bucket) % WEEK_S === 0 ? 3_000 : 100) + (index % 5),
      })),
    );
    // What shows how long the work takes: 3,000 tasks of 72 s keep 60 slots busy, and 75 are four fifths busy then.
    await seed("forecast", [
      endedView("measured", {
        task_type: "general",
        created_at: new Date(Date.now() - 60_000).toISOString(),
        usage: { duration_s: 72, cost_usd: 0, tokens: 0 },
      }),
    ]);

    const { body } = await own<Forecast>("GET", "/v1/forecast");
    const { body: insights } = await own<Insights>("GET", "/v1/insights");
    const { body: of } = await own<Forecast>("GET", "/v1/forecast?task_type=testing");
    const { expected, low, high, basis } = body.hours[5] ?? {};

    expect(body.hours).toHaveLength(24);
    expect(basis).toBe("hour_of_week");
    expect(Math.abs((expected ?? 0) - 3_000)).toBeLessThan(10);
    expect([(low ?? 0) < 3_000, (high ?? 0) > 3_000]).toEqual([true, true]);
    expect(body.hours.filter((one) => (one.expected ?? 0) > 200)).toHaveLength(1);
    expect(body.error).toMatchObject({ hours: 168, within_bounds: 1 });
    expect(body.error.wmape).toBeLessThan(0.05);
    expect(of.hours[5]).toMatchObject({ expected: null, basis: "none" });
    expect(Math.abs((body.hours[5]?.slots_needed ?? 0) - 75)).toBeLessThan(1);
    expect(body.hours.filter(({ is_short }) => is_short)).toHaveLength(1);
    expect(insights.items[0]).toMatchObject({
      rule: "capacity_ahead",
      evidence: { first_at: body.hours[5]?.at, hours: 1, slots: body.slots },
    });
  });
});

describe("GET /v1/insights", () => {
  it("names a webhook that flaps, from what the audit has of its levels", async () => {
    const own = await newTenant("flapping");
    const audit = new AuditStore(env.DB);
    const begin = Date.now() - 2 * HOUR_S * 1_000;
    for (let index = 0; index < 6; index += 1) {
      const [from, to] = index % 2 === 0 ? [0, 3] : [3, 0];
      // oxlint-disable-next-line no-await-in-loop
      await audit.add(
        levelRecord("flapping", "wh_flaps", {
          report_id: `lvl_whflaps_0_${index}`,
          at: new Date(begin + index * 600_000).toISOString(),
          from: from ?? 0,
          to: to ?? 0,
          why: "failures",
          evidence: {},
          version: 1,
        }),
      );
    }

    const { body } = await own<Insights>("GET", "/v1/insights");

    expect(body.items[0]).toMatchObject({
      rule: "flapping_endpoint",
      subject: { kind: "webhook", id: "wh_flaps" },
      evidence: { falls: 3, changes: 6, highest_level: 3, present_level: 0 },
    });
  });
});
