import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { judge, writeOutcome } from "../../src/executor/router/outcome-store.ts";
import { readDecision, readModelStats } from "../../src/executor/router/routing-reads-store.ts";
import { readLearned } from "../../src/executor/router/routing-store.ts";
import { observed, ticksOf, type Cell } from "../../src/executor/router/rules/cell.ts";
import { randomId } from "../../src/lib/ports.ts";
import { decided, outcomeOf } from "./decided.ts";

const GAMMA = 0.99;
const AT = "2026-11-22T10:00:00.000Z";

const tenantOf = () => `routing-${randomId()}`;

const learnedOf = async (tenant: string, band: "low" | "medium" | "high" = "medium") =>
  (
    await readLearned(
      env.DB,
      { tenant, decision_id: "none", task_type: "research", band },
      Date.parse(AT),
    )
  ).known;

const learn = (tenant: string, outcome: ReturnType<typeof outcomeOf>) =>
  writeOutcome(env.DB, tenant, { outcome, at: AT, gamma: GAMMA });

const statsOf = async (tenant: string) =>
  (await readModelStats(env.DB, tenant, { query: {}, gamma: GAMMA })).items;

/** Chooses `ant` or `bee`, and learns a reward of it, in order. */
async function lived(tenant: string, rewards: readonly (readonly ["ant" | "bee", number])[]) {
  for (const [index, [model_id, reward]] of rewards.entries()) {
    const excluded = model_id === "ant" ? ["bee"] : ["ant"];
    // oxlint-disable-next-line no-await-in-loop
    await decided(tenant, `d-${index}`, { excluded });
    // oxlint-disable-next-line no-await-in-loop
    await learn(tenant, outcomeOf(`d-${index}`, { reward, is_success: reward > 0.5 }));
  }
}

/** What the rules make of the same rewards. */
function cellsOf(rewards: readonly (readonly [string, number])[]): Cell[] {
  let cells: Cell[] = [];
  for (const [model_id, reward] of rewards) {
    const cell = cells.find((one) => one.model_id === model_id);
    const next = observed(cell, { model_id, reward, ticks: ticksOf(cells) + 1 }, GAMMA);
    cells = [...cells.filter((one) => one !== cell), next];
  }
  return cells.toSorted((a, b) => (a.model_id < b.model_id ? -1 : 1));
}

const near = (cells: readonly Cell[]) =>
  cells.map((one) => ({
    ...one,
    weight: expect.closeTo(one.weight, 9),
    total: expect.closeTo(one.total, 9),
  }));

const REWARDS = [
  ["ant", 1],
  ["bee", 0.5],
  ["bee", 0],
  ["ant", 0.25],
  ["bee", 1],
] as const;

describe("what is learned in D1", () => {
  it("is what the rules say, for the task type and for all together", async () => {
    const tenant = tenantOf();

    await lived(tenant, REWARDS);

    const { cells, parents } = await learnedOf(tenant);
    expect(cells).toEqual(near(cellsOf(REWARDS)));
    expect(parents).toEqual(near(cellsOf(REWARDS)));
    expect((await learnedOf(tenant, "high")).cells).toEqual([]);
  });

  it("loses nothing of what several isolates learn at the same time", async () => {
    const tenant = tenantOf();
    const ids = Array.from({ length: 12 }, (_, index) => `d-${index}`);
    await Promise.all(ids.map((id) => decided(tenant, id)));

    await Promise.all(
      ids.flatMap((id) => [outcomeOf(id), outcomeOf(id)]).map((one) => learn(tenant, one)),
    );

    const { cells } = await learnedOf(tenant);
    expect(cells).toEqual(near(cellsOf(ids.map(() => ["ant", 1] as const))));
    expect(await statsOf(tenant)).toMatchObject([{ runs: 12, successes: 12, tokens: 1_200 }]);
  });

  it("equals a hand calculation after five runs", async () => {
    const tenant = tenantOf();
    const runs = [
      { reward: 1, is_success: true, quality: 0.9, latency_s: 2, cost_usd: 0.01, tokens: 100 },
      { reward: 0.8, is_success: true, quality: 0.8, latency_s: 4, cost_usd: 0.02, tokens: 200 },
      { reward: 0, is_success: false, quality: 0.4, latency_s: 12, cost_usd: 0.03, tokens: 600 },
      { reward: null, is_success: false, quality: null, latency_s: 6, cost_usd: 0.04, tokens: 0 },
      {
        source: "fault",
        provider: "failed",
        reward: null,
        is_success: false,
        quality: null,
        latency_s: 60,
        cost_usd: 0,
        tokens: 50,
      },
    ] as const;
    for (const [index, run] of runs.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      await decided(tenant, `d-${index}`, { excluded: ["bee"] });
      // oxlint-disable-next-line no-await-in-loop
      await learn(tenant, outcomeOf(`d-${index}`, run));
    }

    const [stat] = await statsOf(tenant);
    expect(stat).toEqual({
      model_id: "ant",
      task_type: "research",
      runs: 5,
      judged: 3,
      successes: 2,
      success_rate: expect.closeTo(2 / 3, 9),
      faults: 1,
      mean_quality: expect.closeTo(0.7, 9),
      latency: { mean_s: 6, p50_s: 4, p95_s: 12 },
      cost_usd: expect.closeTo(0.1, 9),
      mean_cost_usd: expect.closeTo(0.02, 9),
      tokens: 950,
      bands: [
        {
          band: "medium",
          // 1 × 0.99² + 0.8 × 0.99 + 0, over 0.99² + 0.99 + 1
          mean_reward: expect.closeTo((0.9801 + 0.792) / 2.9701, 9),
          n: expect.closeTo(2.9701, 9),
          updates: 3,
        },
      ],
    });
  });

  it.each([-5, 1.5, 1e17])("shows a tenant its figures where one is %d", async (tokens) => {
    const tenant = tenantOf();
    await lived(tenant, [
      ["ant", 1],
      ["bee", 1],
    ]);
    await env.DB.prepare(
      `UPDATE model_statistic SET tokens = ?, cost_usd = -3, recent = '[[2,-3],[null,1]]'
        WHERE tenant = ? AND model_id = 'ant'`,
    )
      .bind(tokens, tenant)
      .run();

    expect(await statsOf(tenant)).toMatchObject([
      { model_id: "ant", cost_usd: 0, mean_cost_usd: 0, latency: null },
      { model_id: "bee", tokens: 100, latency: { p50_s: 2 } },
    ]);
    expect((await learnedOf(tenant)).recent).toMatchObject([
      { model_id: "ant", runs: 0, mean_cost_usd: 0 },
      { model_id: "bee", runs: 1 },
    ]);
  });

  it("keeps the latencies of the last fifty runs, and no more", async () => {
    const tenant = tenantOf();
    for (let index = 0; index < 53; index += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await decided(tenant, `d-${index}`, { excluded: ["bee"] });
      // oxlint-disable-next-line no-await-in-loop
      await learn(tenant, outcomeOf(`d-${index}`, { latency_s: index, cost_usd: index }));
    }

    const [recent] = (await learnedOf(tenant)).recent;
    // 3 … 52: the mean is 27.5, and the 48th of fifty is 50.
    expect(recent).toEqual({
      model_id: "ant",
      runs: 50,
      mean_latency_s: 27.5,
      p95_latency_s: 50,
      mean_cost_usd: 27.5,
    });
  });
});

describe("a later verdict in D1", () => {
  const verdict = (
    tenant: string,
    decision_id: string,
    reward: number,
    by: "orchestrator" | "human" = "orchestrator",
  ) =>
    judge(
      env.DB,
      {
        tenant,
        decision_id,
        source: by,
        reward,
        is_success: reward > 0.5,
        at: AT,
        verdict: JSON.stringify({ accepted: reward > 0.5, score: reward, by, comment: null }),
      },
      GAMMA,
    );

  it("leaves the cells as if it had come in place of the first reward, then", async () => {
    const tenant = tenantOf();
    await lived(tenant, REWARDS);

    await verdict(tenant, "d-0", 0.1);
    await verdict(tenant, "d-0", 0.1);

    const { cells, parents } = await learnedOf(tenant);
    const as = cellsOf([["ant", 0.1], ...REWARDS.slice(1)]);
    expect(cells).toEqual(near(as));
    expect(parents).toEqual(near(as));
    expect((await statsOf(tenant)).map(({ judged, successes }) => [judged, successes])).toEqual([
      [2, 0],
      [3, 1],
    ]);
  });

  it("that comes before the outcome is not overwritten by it, and the run is counted once", async () => {
    const tenant = tenantOf();
    await decided(tenant, "d-0");

    await verdict(tenant, "d-0", 0);
    await learn(tenant, outcomeOf("d-0"));
    await learn(tenant, outcomeOf("d-0"));

    expect((await learnedOf(tenant)).cells).toEqual(near(cellsOf([["ant", 0]])));
    expect(await statsOf(tenant)).toMatchObject([{ runs: 1, judged: 1, successes: 0 }]);
  });

  it("weighs by who says it: the contract over the scorer, a human over an orchestrator", async () => {
    const tenant = tenantOf();
    await decided(tenant, "d-0");
    const rewards: unknown[] = [];
    const note = async () => {
      const { view } = (await readDecision(env.DB, tenant, "d-0")) ?? {};
      rewards.push([view?.reward_source, view?.reward]);
    };

    for (const say of [
      () => learn(tenant, outcomeOf("d-0", { reward: 0.9 })),
      () => learn(tenant, outcomeOf("d-0", { reward: 0.2, source: "contract", is_success: false })),
      () => learn(tenant, outcomeOf("d-0", { reward: 0.7 })),
      () => verdict(tenant, "d-0", 1, "human"),
      () => verdict(tenant, "d-0", 0),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await say();
      // oxlint-disable-next-line no-await-in-loop
      await note();
    }

    expect(rewards).toEqual([
      ["quality", 0.9],
      ["contract", 0.2],
      ["contract", 0.2],
      ["human", 1],
      ["human", 1],
    ]);
    expect(await statsOf(tenant)).toMatchObject([{ runs: 1, judged: 1, successes: 1 }]);
  });

  it("of another tenant's decision, or of one that is none, changes nothing", async () => {
    const tenant = tenantOf();
    await decided(tenant, "d-0");
    const other = tenantOf();

    await verdict(other, "d-0", 0);
    await learn(other, outcomeOf("d-0"));

    expect((await learnedOf(other)).cells).toEqual([]);
    expect((await learnedOf(tenant)).cells).toEqual([]);
  });
});
