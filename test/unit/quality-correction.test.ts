import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { unreadable } from "../../src/executor/quality/assess.ts";
import type { Assessment, Finding } from "../../src/executor/quality/assessment.ts";
import {
  CORRECTION_DEFAULTS,
  isAcceptable,
  nextMove,
  type Round,
} from "../../src/executor/quality/correction.ts";
import { rewardOf } from "../../src/executor/quality/reward.ts";

const LIMITS = { ...CORRECTION_DEFAULTS, threshold: 0.8, has_other_model: true };

const finding = (code: string, is_blocking = true): Finding => ({
  check: "semantic",
  code,
  location: "/answer",
  detail: code,
  is_blocking,
});

function assessmentOf(overall_score: number, codes: string[] = []): Assessment {
  return { ...unreadable(codes.map((code) => finding(code))), overall_score };
}

const round = (model_id: string, score: number, ...codes: string[]): Round => ({
  model_id,
  assessment: assessmentOf(score, codes),
});

describe("after a round", () => {
  it("an output at the threshold without blocking findings is accepted", () => {
    expect(nextMove([round("small", 0.8)], LIMITS)).toEqual({ kind: "accept", best: 0 });
  });

  it("first bad, second good: accepted in two rounds, with the findings given back in between", () => {
    const rounds = [round("small", 0.6, "off_topic"), round("small", 0.9)];

    expect(nextMove(rounds.slice(0, 1), LIMITS)).toMatchObject({
      kind: "correct",
      best: 0,
      findings: [{ code: "off_topic" }],
    });
    expect(nextMove(rounds, LIMITS)).toEqual({ kind: "accept", best: 1 });
  });

  it("never good: given up with findings after the rounds of all models, the best one kept", () => {
    const rounds = [
      round("small", 0.5, "a"),
      round("small", 0.7, "b"),
      round("small", 0.6, "c"),
      round("large", 0.65, "d"),
    ];
    const kinds = rounds.map((_, index) => nextMove(rounds.slice(0, index + 1), LIMITS).kind);

    expect(kinds).toEqual(["correct", "correct", "escalate_model", "give_up"]);
    expect(nextMove(rounds, LIMITS)).toMatchObject({ best: 1, findings: [{ code: "b" }] });
  });

  it("a blocking finding is not outweighed by the score", () => {
    expect(nextMove([round("small", 1, "contract")], LIMITS)).toMatchObject({ kind: "correct" });
    expect(nextMove([round("small", 0.79)], LIMITS)).toMatchObject({
      kind: "correct",
      findings: [{ code: "quality_threshold", is_blocking: false }],
    });
  });

  it("blocking findings come first in what goes back, and no more than twenty do", () => {
    const assessment = {
      ...assessmentOf(0.5),
      findings: [
        ...Array.from({ length: 30 }, (_, at) => finding(`advice-${at}`, false)),
        finding("block"),
      ],
    };
    const move = nextMove([{ model_id: "small", assessment }], LIMITS);

    expect(move).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ code: "block" })]),
    });
    expect(move.kind === "correct" && [move.findings.length, move.findings[0]?.code]).toEqual([
      20,
      "block",
    ]);
  });

  it("the same findings again lead to another model, or to the end where there is none", () => {
    const rounds = [round("small", 0.5, "a", "b"), round("small", 0.6, "b", "a")];

    expect(nextMove(rounds, LIMITS)).toMatchObject({ kind: "escalate_model", findings: [{}, {}] });
    expect(nextMove(rounds, { ...LIMITS, has_other_model: false }).kind).toBe("give_up");
  });

  it("two rounds without a better score end the tries of a model", () => {
    const limits = { ...LIMITS, corrections_per_model: 5, rounds: 9 };
    const rounds = [round("small", 0.6, "a"), round("small", 0.6, "b"), round("small", 0.5, "c")];

    expect(nextMove(rounds.slice(0, 2), limits).kind).toBe("correct");
    expect(nextMove(rounds, limits).kind).toBe("escalate_model");
    expect(nextMove([...rounds.slice(0, 2), round("small", 0.7, "c")], limits).kind).toBe(
      "correct",
    );
  });

  it("a skill is not asked twice for what it computes", () => {
    expect(nextMove([round("builtin", 0.5, "a")], LIMITS).kind).toBe("escalate_model");
    expect(nextMove([round("builtin", 0.5, "a")], { ...LIMITS, has_other_model: false }).kind).toBe(
      "give_up",
    );
  });

  it("a new model has corrections of its own", () => {
    const rounds = [round("builtin", 0.5, "a"), round("small", 0.6, "a")];

    expect(nextMove(rounds, LIMITS)).toMatchObject({ kind: "correct" });
  });

  it("there is an end, whatever the rounds bring", () => {
    const anyRound = fc.record({
      model_id: fc.constantFrom("builtin", "small", "large"),
      score: fc.float({ min: 0, max: 1, noNaN: true }),
      code: fc.constantFrom("a", "b"),
    });
    fc.assert(
      fc.property(
        fc.array(anyRound, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (made, has_other_model) => {
          const rounds = made.map(({ model_id, score, code }) => round(model_id, score, code));
          const move = nextMove(rounds, { ...LIMITS, has_other_model });

          expect(move.kind).not.toBe("accept");
          expect(rounds.length < 4 || move.kind === "give_up").toBe(true);
          expect(has_other_model || move.kind !== "escalate_model").toBe(true);
          expect(rounds[move.best]?.assessment.overall_score).toBe(
            Math.max(...rounds.map(({ assessment }) => assessment.overall_score)),
          );
        },
      ),
    );
  });

  it("without a round there is no move", () => {
    expect(() => nextMove([], LIMITS)).toThrow(RangeError);
  });
});

describe("the reward of a model", () => {
  const facts = {
    assessment: assessmentOf(0.9),
    threshold: 0.8,
    has_contract: false,
    corrections: 0,
    verdict: null,
  };
  const unmet = {
    ...facts,
    assessment: {
      ...assessmentOf(1),
      findings: [{ ...finding("contract"), check: "contract" as const }],
    },
  };

  it.each([
    ["the quality of what was accepted", facts, 0.9, "quality", true],
    ["lifted by a contract that is met", { ...facts, has_contract: true }, 0.95, "contract", true],
    [
      "at most 0.3 where the contract is not met",
      { ...unmet, has_contract: true },
      0.3,
      "contract",
      false,
    ],
    [
      "even when the orchestrator likes it",
      { ...unmet, verdict: "accepted" as const },
      0.3,
      "contract",
      false,
    ],
    [
      "at most 0.6 where something blocks",
      { ...facts, assessment: assessmentOf(0.7, ["off_topic"]) },
      0.6,
      "quality",
      false,
    ],
    ["less for each correction", { ...facts, corrections: 2 }, 0.8, "quality", true],
    [
      "half of it when rejected",
      { ...facts, verdict: "rejected" as const },
      0.45,
      "orchestrator",
      false,
    ],
    ["more when accepted", { ...facts, verdict: "accepted" as const }, 0.95, "orchestrator", true],
    [
      "nothing for what could not be read",
      { ...facts, assessment: unreadable([finding("no_json")]) },
      0,
      "quality",
      false,
    ],
  ])("is %s", (_, given, reward, ...[source, is_success]) => {
    expect(rewardOf(given)).toEqual({
      reward,
      source,
      is_success,
      quality: given.assessment.overall_score,
    });
  });

  it("is a share, and never higher with a blocking finding than without", () => {
    fc.assert(
      fc.property(
        fc.float({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        fc.nat(4),
        (score, has_contract, corrections) => {
          const given = { ...facts, has_contract, corrections };
          const clean = rewardOf({ ...given, assessment: assessmentOf(score) }).reward ?? -1;
          const blocked =
            rewardOf({ ...given, assessment: assessmentOf(score, ["x"]) }).reward ?? -1;

          expect(clean).toBeLessThanOrEqual(1);
          expect(blocked).toBeGreaterThanOrEqual(0);
          expect(blocked).toBeLessThanOrEqual(clean);
        },
      ),
    );
  });

  it("agrees with the gate", () => {
    expect(isAcceptable(assessmentOf(0.8), 0.8)).toBe(true);
    expect(rewardOf({ ...facts, assessment: assessmentOf(0.799) })).toMatchObject({
      reward: 0.6,
      is_success: false,
    });
  });
});
