import { describe, expect, it } from "vitest";

import { ValidationSampling } from "../../src/history/validation-sampling.ts";

/** Draws that are spread evenly, always the same ones. */
function evenly(): () => number {
  let turn = 0;
  return () => (turn += 0.618_033_988_75) % 1;
}

describe("sampling", () => {
  it("keeps all that was refused and one in so many that passed", () => {
    const sampling = new ValidationSampling(10, evenly());

    const bad = Array.from({ length: 20 }, () => sampling.weightOf("refused", 0));
    const good = Array.from({ length: 200 }, () => sampling.weightOf("passed", 0));

    expect(bad).toEqual(Array.from({ length: 20 }, () => 1));
    expect(new Set(good)).toEqual(new Set([0, 10]));
    expect(good.reduce((sum, weight) => sum + weight, 0)).toBeGreaterThan(150);
    expect(good.reduce((sum, weight) => sum + weight, 0)).toBeLessThan(250);
  });

  it.each([
    [0, new Set([0])],
    [1, new Set([1])],
  ])("keeps none of what passed with 0 and all with 1 (%i)", (oneIn, weights) => {
    const sampling = new ValidationSampling(oneIn, evenly());

    const good = Array.from({ length: 50 }, () => sampling.weightOf("passed", 0));

    expect(new Set(good)).toEqual(weights);
  });

  it("keeps some hundred of a flood, whose weights still add up to it", () => {
    const sampling = new ValidationSampling(100, evenly());

    const weights = Array.from({ length: 100_000 }, () => sampling.weightOf("refused", 0));

    const kept = weights.filter((weight) => weight > 0);
    const estimate = kept.reduce((sum, weight) => sum + weight, 0);
    expect(kept.length).toBeLessThan(300);
    expect(Math.abs(estimate / 100_000 - 1)).toBeLessThan(0.2);
  });

  it("begins anew with each minute, and counts each outcome apart", () => {
    const sampling = new ValidationSampling(1, evenly());
    for (let turn = 0; turn < 60; turn += 1) sampling.weightOf("refused", 0);

    const [good, withheld, later] = [
      sampling.weightOf("passed", 59_999),
      Array.from({ length: 5 }, () => sampling.weightOf("withheld", 59_999)),
      sampling.weightOf("refused", 60_000),
    ];

    expect([good, later]).toEqual([1, 1]);
    expect(withheld).toEqual([1, 1, 1, 1, 1]);
  });
});
