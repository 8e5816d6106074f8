import { describe, expect, it } from "vitest";

import { judgeTenants, type JudgeSweepPorts } from "../../src/observe/alerts/sweep.ts";

const NOW = Date.parse("2026-11-22T12:00:00.000Z");

/** A run over tenants; those named slow never come to an end. */
async function sweep(tenants: string[], start: string | null = null) {
  const judged: string[] = [];
  const lines: string[] = [];
  const cursors: (string | null)[] = [];
  const ports: JudgeSweepPorts = {
    now: () => NOW,
    log: (_level, event) => lines.push(event),
    // So late that those that come to an end have done so.
    pause: () => new Promise((resolve) => void setTimeout(resolve, 20)),
    readStart: async () => start,
    writeStart: async (tenant) => void cursors.push(tenant),
    tenants: async (from, limit) => tenants.filter((name) => name >= from).slice(0, limit),
    judge: async (tenant) => {
      if (tenant.startsWith("slow")) await new Promise(() => {});
      if (tenant.startsWith("broken")) throw new Error("D1 is down");
      judged.push(tenant);
    },
  };
  await judgeTenants(ports);
  return { judged, lines, cursors };
}

describe("a run over tenants", () => {
  const many = Array.from({ length: 150 }, (_, index) => `t${String(index).padStart(3, "0")}`);

  it("judges all of them, whatever one of them does", async () => {
    const run = await sweep(["broken", "slow-1", "slow-2", "slow-3", "slow-4", "slow-5", "well"]);

    expect(run.judged).toEqual(["well"]);
    expect(run.lines.toSorted()).toEqual([
      "tenant_judged_slowly",
      "tenant_judged_slowly",
      "tenant_judged_slowly",
      "tenant_judged_slowly",
      "tenant_judged_slowly",
      "tenant_not_judged",
    ]);
    expect(run.cursors).toEqual([]);
  });

  it("stops at its bound, and the next one goes on there", async () => {
    const first = await sweep(many);
    const second = await sweep(many, first.cursors[0]);

    expect(first.judged).toHaveLength(100);
    expect(first.cursors).toEqual(["t100"]);
    expect(second.judged).toEqual(many.slice(100));
    expect(second.cursors).toEqual([null]);
  });
});
