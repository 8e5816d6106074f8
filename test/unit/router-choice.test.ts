import { describe, expect, it } from "vitest";

import type { RoutingQuestion } from "../../src/executor/router/router-port.ts";
import { observed, ticksOf, type Cell } from "../../src/executor/router/rules/cell.ts";
import { decide, type RoutingAnswer } from "../../src/executor/router/rules/choose.ts";
import {
  armsOf,
  askedOf,
  nothingKnown,
  type Known,
} from "../../src/executor/router/rules/question.ts";
import { TUNING } from "../../src/executor/router/rules/tuning.ts";
import { modelOf, questionOf } from "../router-question.ts";

function choose(question: RoutingQuestion, known: Partial<Known> = {}): RoutingAnswer {
  return decide(
    {
      asked: askedOf(question),
      arms: armsOf(question),
      known: { ...nothingKnown(true), ...known },
    },
    TUNING,
  );
}

const chosen = (question: RoutingQuestion, known: Partial<Known> = {}) =>
  choose(question, known).model_id;

/** Cells after so many equal rewards of one model. */
function after(model_id: string, rewards: readonly number[], before: readonly Cell[] = []): Cell[] {
  let cells = [...before];
  for (const reward of rewards) {
    const cell = cells.find((one) => one.model_id === model_id);
    const next = observed(cell, { model_id, reward, ticks: ticksOf(cells) + 1 }, TUNING.gamma);
    cells = [...cells.filter((one) => one !== cell), next];
  }
  return cells;
}

const times = (count: number, reward: number) => Array.from({ length: count }, () => reward);

describe("the choice of a model flips when one factor changes", () => {
  const twins = (changes: Parameters<typeof modelOf>[1]) =>
    questionOf({ models: [modelOf("ant"), modelOf("bee", changes)] });

  it("its expected quality for the task type", () => {
    const better = { strengths: { research: 0.9 } };

    expect(chosen(twins({}))).toBe("ant");
    expect(chosen(twins(better))).toBe("bee");
    expect(chosen({ ...twins(better), task_type: "testing" })).toBe("ant");
  });

  it("its cost", () => {
    expect(chosen(twins({}))).toBe("ant");
    expect(chosen(twins({ price: { input_usd_per_mtok: 0.5, output_usd_per_mtok: 1 } }))).toBe(
      "bee",
    );
  });

  it("its latency", () => {
    expect(chosen(twins({}))).toBe("ant");
    expect(chosen(twins({ typical_latency_s: 5 }))).toBe("bee");
  });

  it("the task's complexity", () => {
    const price = { input_usd_per_mtok: 10, output_usd_per_mtok: 10 };
    const large = modelOf("large", { tier: 5, prior_quality: 0.85, price });
    const models = [large, modelOf("small", { tier: 2, prior_quality: 0.75 })];

    expect(chosen(questionOf({ models, complexity: "low" }))).toBe("small");
    expect(chosen(questionOf({ models, complexity: "high" }))).toBe("large");
  });
});

describe("what was learned", () => {
  const cheap = { price: { input_usd_per_mtok: 0.05, output_usd_per_mtok: 0.05 } };
  const models = [modelOf("ant"), modelOf("bee", cheap)];

  it("demotes a model after two runs of no quality, and lets it come back after as much good", () => {
    const failed = (count: number) => {
      const cells = after("bee", times(count, 0));
      return chosen(questionOf({ models }), { cells, parents: cells });
    };
    const recovered = after("bee", [...times(6, 0), ...times(60, 1)]);

    expect(chosen(questionOf({ models }))).toBe("bee");
    expect([failed(1), failed(2), failed(3)]).toEqual(["bee", "ant", "ant"]);
    expect(chosen(questionOf({ models }), { cells: recovered, parents: recovered })).toBe("bee");
  });

  it("blends with the prior by the number of observations", () => {
    const means = [0, 1, 8, 80].map((count) => {
      const cells = after("bee", times(count, 0));
      const { candidates } = choose(questionOf({ models }), { cells });
      return candidates.find(({ model_id }) => model_id === "bee")?.mean;
    });

    // (0.8 × 8 + 0 × n) / (8 + n), n discounted by 0.99 for each later one.
    const n = (count: number) => (1 - 0.99 ** count) / 0.01;
    expect(means).toEqual([0, 1, 8, 80].map((count) => expect.closeTo(6.4 / (8 + n(count)), 5)));
  });

  it("of other task types stands in for what was not seen of this one", () => {
    const parents = after("bee", times(20, 0));

    expect(chosen(questionOf({ models }), { parents })).toBe("ant");
  });

  it("is forgotten as others are observed, so that a model comes back towards its prior", () => {
    const bad = after("bee", times(3, 0));
    const later = after("ant", times(300, 0.8), bad);

    expect(chosen(questionOf({ models }), { cells: bad })).toBe("ant");
    expect(chosen(questionOf({ models }), { cells: later })).toBe("bee");
  });
});

describe("the guard rails", () => {
  const free = { price: { input_usd_per_mtok: 0, output_usd_per_mtok: 0 } };
  const large = modelOf("large", { tier: 5, prior_quality: 0.9, is_default: true });
  const unproven = modelOf("unproven", { tier: 1, prior_quality: 0.7, ...free });
  const question = questionOf({ models: [large, unproven], objective: "cheap" });

  it("hold back what is little known and expected too far below the default", () => {
    const poor = { ...unproven, prior_quality: 0.45 };
    const answer = choose({ ...question, models: [large, poor] });

    expect(answer.candidates[0]?.model_id).toBe("unproven");
    expect(answer.model_id).toBe("large");
    expect(answer.reasons.join(" ")).toMatch(/unproven is held back/);
    expect(chosen(question)).toBe("unproven");
  });

  it("let a cell speak for itself from twenty observations on", () => {
    const poor = { ...unproven, prior_quality: 0.45 };
    const ask = (count: number) =>
      chosen(
        { ...question, models: [large, poor] },
        { cells: after("unproven", times(count, 0.48)) },
      );

    expect([ask(19), ask(20)]).toEqual(["large", "unproven"]);
  });

  it("explore only where the task allows it and a retry is left", () => {
    const cells = after("ant", times(60, 0.82));
    const models = [modelOf("ant"), modelOf("bee")];
    const ask = (changes: Partial<RoutingQuestion>) =>
      choose(questionOf({ models, ...changes }), { cells });
    const bonuses = (answer: RoutingAnswer) => answer.candidates.map(({ bonus }) => bonus);

    expect(ask({ is_explorable: true }).model_id).toBe("bee");
    expect(ask({ is_explorable: false }).model_id).toBe("ant");
    expect(ask({ is_explorable: true, retries_left: 0 }).model_id).toBe("ant");
    expect(bonuses(ask({ is_explorable: false }))).toEqual([0, 0]);
  });

  it("never hold back the default itself", () => {
    const cells = after("large", times(10, 0));

    expect(chosen(questionOf({ models: [large] }), { cells })).toBe("large");
  });
});

describe("a choice", () => {
  const models = [modelOf("ant"), modelOf("bee"), modelOf("cicada", { is_enabled: false })];

  it("is the same whatever the order of the catalogue, and equals go by id", () => {
    const one = choose(questionOf({ models }));
    const other = choose(questionOf({ models: models.toReversed() }));

    expect(one).toEqual(other);
    expect(one.candidates.map(({ model_id }) => model_id)).toEqual(["ant", "bee"]);
  });

  it("takes the executor's own skills where they are able and nothing is worth its price", () => {
    const able = questionOf({ models, builtin_lack: null, builtin_prior_quality: 0.75 });

    expect(chosen(able)).toBe("builtin");
    expect(chosen({ ...able, builtin_prior_quality: 0.5 })).toBe("ant");
  });

  it("leaves what memory advises against, unless it is much better, and names the memories", () => {
    const avoided = [{ model_id: "ant", memory_ids: ["mem-1", "mem-2"] }];
    const answer = choose(questionOf({ models, avoided }));
    const best = [modelOf("ant", { prior_quality: 0.95 }), modelOf("bee")];

    expect(answer.model_id).toBe("bee");
    expect(answer.reasons).toContain("Memory advises against ant: mem-1, mem-2.");
    expect(chosen(questionOf({ models: best, avoided }))).toBe("ant");
  });

  it("follows the objective", () => {
    const price = { input_usd_per_mtok: 10, output_usd_per_mtok: 10 };
    const all = [
      modelOf("good", { prior_quality: 0.85, price, typical_latency_s: 30 }),
      modelOf("thrifty", { prior_quality: 0.7, typical_latency_s: 30 }),
      modelOf("quick", { prior_quality: 0.72, price, typical_latency_s: 1 }),
    ];
    const of = (objective: RoutingQuestion["objective"]) =>
      chosen(questionOf({ models: all, objective, time_left_ms: 100_000 }));

    expect([of("quality"), of("cheap"), of("fast")]).toEqual(["good", "thrifty", "quick"]);
  });

  it("says first what was chosen and by what figures", () => {
    const { reasons } = choose(questionOf({ models }));

    expect(reasons[0]).toBe(
      "Best for the objective balanced is ant: score 0.616, expected quality 0.8 (0 observations), $0.002, 10 s.",
    );
    expect(reasons).toContain("The caller says that the task is of medium complexity.");
  });

  it("says that nothing learned could be read", () => {
    const { reasons } = choose(questionOf({ models }), { is_complete: false });

    expect(reasons.join(" ")).toMatch(/could not be read/);
  });
});
