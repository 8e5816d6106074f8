import { describe, expect, it } from "vitest";

import { monitoring } from "../../src/executor/skills/monitoring.ts";
import type { JsonObject, JsonValue } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult } from "./skill-run.ts";
import { always, runWaiting, scriptedTools } from "./skill-tools.ts";
import type { Server } from "./skill-tools.ts";

const URL_A = "https://a.example/health";

async function watch(server: Server, input_data: JsonObject, configuration: JsonObject = {}) {
  const tools = scriptedTools(server);
  const { outcome } = await runWaiting(monitoring, { input_data, configuration }, tools);
  return { outcome, tools };
}

describe("measurements at hand", () => {
  const judge = async (input_data: JsonObject) => {
    const { outcome } = await watch(always({}), input_data);
    return expectResult(outcome).output;
  };

  it("are judged by bounds, for anomalies and for a trend", async () => {
    // MAD by hand: the median is 11, the distances 1 0 1 0 1 0 1 0 1 39 with the median 1 (of 0 0 0 0 1 1 1 1 1 39).
    const measurements = [10, 11, 12, 11, 10, 11, 12, 11, 10, 50];

    const output = await judge({ measurements, thresholds: { max: 40, p95: 20, mean: 20 } });

    expect(output).toMatchObject({
      mode: "measurements",
      state: "degraded",
      figures: { count: 10, mean: 14.8, p50: 11, max: 50 },
      breaches: [{ bound: "max", limit: 40, from: 10, to: 10, count: 1, worst: 50 }],
      breached_share: 0.1,
      is_breached_now: true,
      verdicts: [
        { bound: "p95", limit: 20, measured: 32.9, is_met: false },
        { bound: "mean", limit: 20, measured: 14.8, is_met: true },
      ],
      anomalies: [{ measurement: 10, value: 50, robust_z: 26.3055 }],
      trend: { direction: "none" },
    });
  });

  it("with instants are put in their order, and breaches next to each other make one", async () => {
    const at = (minute: number) => `2026-01-05T10:${String(minute).padStart(2, "0")}:00Z`;
    const values = [1, 2, 3, 4, 5, 6, 7, 8];
    const measurements = values.map((value, index) => ({ at: at(index * 6), value })).toReversed();

    const output = await judge({ measurements, thresholds: { max: 6, min: 2 } });

    expect(output).toMatchObject({
      breaches: [
        { bound: "max", from: 7, to: 8, from_at: "2026-01-05T10:36:00.000Z", count: 2, worst: 8 },
        { bound: "min", from: 1, to: 1, count: 1, worst: 1 },
      ],
      trend: { direction: "rising", rank_correlation: 1, slope: 10, per: "hour" },
      anomalies: [],
    });
  });

  it("that never change are no cause for alarm", async () => {
    const output = await judge({ measurements: Array.from({ length: 30 }, () => 5) });

    expect(output).toMatchObject({ state: "ok", anomalies: [], trend: null });
  });

  it("with one spike on a flat line show it", async () => {
    const measurements: JsonValue[] = Array.from({ length: 30 }, () => 5);
    measurements[9] = 60;

    expect(await judge({ measurements })).toMatchObject({
      anomalies: [{ measurement: 10, value: 60 }],
    });
  });
});

describe("what cannot be monitored", () => {
  it("is told before anything is sent, with its place", async () => {
    const targets = [{ url: URL_A, expect: { status: "20x" } }];

    const { outcome, tools } = await watch(always({}), { targets }, { samples: 99 });

    const { error_type, root_cause } = expectFailure(outcome);
    expect(error_type).toBe("input_invalid_parameters");
    expect(root_cause.evidence).toContain("/input_data/targets/0/expect/status");
    expect(root_cause.evidence).toContain("/configuration/samples");
    expect(tools.sent).toEqual([]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["no address", {}, {}],
    ["an address and measurements", { url: URL_A, measurements: [1] }, {}],
    [
      "ten thousand targets",
      { targets: Array.from({ length: 10_000 }, () => ({ url: URL_A })) },
      {},
    ],
    ["a probe that changes something", { targets: [{ url: URL_A, method: "POST" }] }, {}],
    [
      "a header with a line break",
      { targets: [{ url: URL_A, headers: { "x-a": "1\r\nx-b: 2" } }] },
      {},
    ],
    ["an unknown field", { targets: [{ url: URL_A, expects: {} }] }, {}],
    ["words for measurements", { measurements: [1, "two"] }, {}],
    [
      "pauses without an end",
      { targets: Array.from({ length: 50 }, () => ({ url: URL_A })) },
      { samples: 20, interval_ms: 60_000 },
    ],
  ])("is refused: %s", async (_what, input, configuration) => {
    const { outcome, tools } = await watch(always({}), input, configuration);

    expect(expectFailure(outcome)).toMatchObject({
      error_type: "input_invalid_parameters",
      retry_recommended: false,
    });
    expect(tools.sent).toEqual([]);
  });

  it("needs a model when there is nothing to probe or to judge", () => {
    const lack = (input_data: JsonObject) =>
      monitoring.lack?.({ description: "Watch the shop", input_data, configuration: {} });

    expect(lack({})).toContain("input_data.targets");
    expect(lack({ url: URL_A })).toBeNull();
    expect(lack({ measurements: [] })).toBeNull();
  });
});
