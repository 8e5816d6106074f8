import { describe, expect, it } from "vitest";

import { judgeTenants, type JudgeSweepPorts } from "../../src/observe/alerts/sweep.ts";

const PATIENCE_MS = 10_000;
const NOW = Date.parse("2026-11-22T12:00:00.000Z");

/** A run over tenants; those named stuck never come to an end, and each sends some statements. */
async function sweep(tenants: string[], start: string | null = null, each = 1) {
  const judged: string[] = [];
  const lines: string[] = [];
  const cursors: (string | null)[] = [];
  let statements = 0;
  const ports: JudgeSweepPorts = {
    now: () => NOW,
    log: (_level, event) => lines.push(event),
    // So late that those that come to an end have done so.
    pause: (ms) =>
      new Promise((resolve) => void setTimeout(resolve, ms === PATIENCE_MS ? 20 : 500)),
    readStart: async () => start,
    writeStart: async (tenant) => void cursors.push(tenant),
    tenants: async (from, limit) => tenants.filter((name) => name >= from).slice(0, limit),
    judge: async (tenant) => {
      statements += each;
      if (tenant.startsWith("stuck")) await new Promise(() => {});
      if (tenant.startsWith("slow")) await new Promise((resolve) => void setTimeout(resolve, 100));
      if (tenant.startsWith("broken")) throw new Error("D1 is down");
      judged.push(tenant);
    },
    statements: () => statements,
  };
  await judgeTenants(ports);
  return { judged, lines, cursors };
}

describe("a run over tenants", () => {
  const many = Array.from({ length: 150 }, (_, index) => `t${String(index).padStart(3, "0")}`);

  it("judges all of them, whatever one of them does", async () => {
    const run = await sweep([
      "broken",
      "stuck-1",
      "stuck-2",
      "stuck-3",
      "stuck-4",
      "stuck-5",
      "well",
    ]);

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
    // Round and round.
    expect(second.judged).toEqual([...many.slice(100), ...many.slice(0, 50)]);
    expect(second.cursors).toEqual(["t050"]);
  });

  it("begins with no further tenant when it has asked D1 for much, and each has its turn", async () => {
    const few = many.slice(0, 10);
    const turns = new Map(few.map((name) => [name, 0]));
    let start: string | null = null;
    for (let minute = 0; minute < 15; minute += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const run = await sweep(few, start, 150);
      start = run.cursors.at(-1) ?? start;
      for (const name of run.judged) turns.set(name, (turns.get(name) ?? 0) + 1);
      // 700 at the beginning of the last one, and never 1,000.
      expect(run.judged.length).toBeLessThanOrEqual(5);
    }

    expect(Math.min(...turns.values())).toBeGreaterThan(6);
  });

  it("waits at its end for those that are late, because the platform ends them with it", async () => {
    const run = await sweep(["slow-1", "slow-2", "well"]);

    expect(run.lines).toEqual(["tenant_judged_slowly", "tenant_judged_slowly"]);
    expect(run.judged.toSorted()).toEqual(["slow-1", "slow-2", "well"]);
  });
});
