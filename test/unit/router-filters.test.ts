import { describe, expect, it } from "vitest";

import type { RoutingQuestion } from "../../src/executor/router/router-port.ts";
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

const reasonOf = ({ removed }: RoutingAnswer, model_id: string) =>
  removed.find((one) => one.model_id === model_id)?.filter;

describe("the hard filters", () => {
  const models = [modelOf("ant"), modelOf("bee", { capabilities: ["text", "code"] })];
  const only = (changes: Partial<RoutingQuestion>, bee: Parameters<typeof modelOf>[1]) =>
    choose(questionOf({ models: [modelOf("ant"), modelOf("bee", bee)], ...changes }));

  it.each<[string, Partial<RoutingQuestion>, Parameters<typeof modelOf>[1]]>([
    ["capability", { needs: ["code"] }, { capabilities: ["text", "code"] }],
    ["preference", { model_preference: "local" }, { locality: "local" }],
    ["region", { region: "eu" }, { region: "eu" }],
    ["region", { region: "eu" }, { locality: "local" }],
    ["context", { input_tokens: 99_500 }, { context_tokens: 200_000 }],
    ["budget", { budget_usd: 0.001 }, { price: { input_usd_per_mtok: 0, output_usd_per_mtok: 0 } }],
    ["tokens", { budget_tokens: 1_500 }, { max_output_tokens: 500 }],
    ["deadline", { time_left_ms: 19_000 }, { typical_latency_s: 9 }],
    ["excluded", { excluded: ["ant"] }, {}],
    ["tier", { above_tier: 3 }, { tier: 4 }],
  ])("%s takes out what no score can make up for: %o", (filter, question, bee) => {
    const answer = only(question, bee);

    expect(answer.model_id).toBe("bee");
    expect(reasonOf(answer, "ant")).toBe(filter);
    expect(answer.reasons.join(" ")).toMatch(/ant is out: /);
  });

  it("the breaker leaves a model alone while it is open, and lets a probe through", () => {
    const open = choose(questionOf({ models }), { breakers: [{ model_id: "ant", state: "open" }] });
    const probe = choose(questionOf({ models }), {
      breakers: [{ model_id: "ant", state: "probe" }],
    });

    expect([open.model_id, reasonOf(open, "ant")]).toEqual(["bee", "breaker"]);
    expect([probe.model_id, probe.is_probe]).toEqual(["ant", true]);
  });

  it("the region leaves out a local model that the catalogue places elsewhere", () => {
    const answer = only({ region: "eu", excluded: ["ant"] }, { locality: "local", region: "us" });

    expect([answer.model_id, reasonOf(answer, "bee")]).toEqual([null, "region"]);
  });

  it("a tier is asked for only where there is a higher one", () => {
    expect(chosen(questionOf({ models, above_tier: 5 }))).toBe("ant");
  });

  it("what was seen of a model's latency outweighs what the catalogue says", () => {
    const recent = [
      { model_id: "ant", runs: 50, mean_latency_s: 30, p95_latency_s: 80, mean_cost_usd: 0.002 },
    ];
    const answer = choose(questionOf({ models, time_left_ms: 60_000 }), { recent });

    expect([answer.model_id, reasonOf(answer, "ant")]).toEqual(["bee", "deadline"]);
  });

  it("nothing that is left is told as such, with a reason for each", () => {
    const answer = choose(questionOf({ models, needs: ["vision"] }));

    expect(answer.model_id).toBeNull();
    expect(answer.removed.map(({ model_id, filter }) => [model_id, filter])).toEqual([
      ["ant", "capability"],
      ["bee", "capability"],
      ["builtin", "ability"],
    ]);
  });
});

describe("model_preference", () => {
  const models = [modelOf("hosted", { prior_quality: 0.9 }), modelOf("own", { locality: "local" })];

  it.each([
    ["local", "own"],
    ["api", "hosted"],
    ["hybrid", "hosted"],
  ] as const)("%s takes %s", (model_preference, expected) => {
    expect(chosen(questionOf({ models, model_preference }))).toBe(expected);
  });

  it("never takes out the executor's own skills, which are local and no model", () => {
    const question = questionOf({ models: [], builtin_lack: null, model_preference: "api" });

    expect(chosen(question)).toBe("builtin");
  });
});
