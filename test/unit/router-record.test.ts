import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { recordOf, replay } from "../../src/executor/router/record.ts";
import { armsOf, askedOf, nothingKnown } from "../../src/executor/router/rules/question.ts";
import { TUNING } from "../../src/executor/router/rules/tuning.ts";
import { canonicalJson } from "../../src/lib/ports.ts";
import { modelOf, questionOf } from "../router-question.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });

const cell = fc.record({
  model_id: fc.constantFrom("ant", "bee", "builtin"),
  weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
  total: share,
  updates: fc.nat(1_000),
  seen: fc.nat(2_000),
});

const question = fc.record({
  objective: fc.constantFrom("quality", "balanced", "cheap", "fast"),
  complexity: fc.constantFrom(null, "low", "critical"),
  description: fc.string({ maxLength: 300 }),
  is_explorable: fc.boolean(),
  builtin_lack: fc.constantFrom(null, "it can't"),
  budget_usd: fc.option(share),
  time_left_ms: fc.integer({ min: -5, max: 1e6 }),
  above_tier: fc.option(fc.integer({ min: 0, max: 5 })),
});

describe("the record of a choice", () => {
  it("gives the same record byte for byte when it is made again", () => {
    fc.assert(
      fc.property(
        question,
        fc.uniqueArray(cell, { selector: (one) => one.model_id }),
        (asked, cells) => {
          const models = [modelOf("ant"), modelOf("bee", { tier: 5, prior_quality: 0.9 })];
          const full = questionOf({ ...asked, models });
          const inputs = {
            asked: askedOf(full),
            arms: armsOf(full),
            known: { ...nothingKnown(true), cells, parents: cells },
          };
          const stored = canonicalJson(recordOf(inputs, TUNING));

          expect(replay(stored, TUNING.version)).toBe(stored);
        },
      ),
    );
  });

  it("holds what was counted in a description, and not the description", () => {
    const asked = questionOf({ models: [modelOf("ant")], description: "a secret of the bees" });
    const inputs = { asked: askedOf(asked), arms: armsOf(asked), known: nothingKnown(true) };

    expect(canonicalJson(recordOf(inputs, TUNING))).not.toMatch(/secret/);
  });

  it("is made again by its own numbers, and not at all under other rules", () => {
    const asked = questionOf({ models: [modelOf("ant")] });
    const inputs = { asked: askedOf(asked), arms: armsOf(asked), known: nothingKnown(true) };
    const stored = canonicalJson(recordOf(inputs, { ...TUNING, c: 0.3, gamma: 0.5 }));

    expect(replay(stored, TUNING.version)).toBe(stored);
    expect(replay(stored, "2027-01")).toBeNull();
    expect(replay("{}", TUNING.version)).toBeNull();
  });

  it("that somebody has changed is not what making it again gives", () => {
    const asked = questionOf({ models: [modelOf("ant"), modelOf("bee")] });
    const inputs = { asked: askedOf(asked), arms: armsOf(asked), known: nothingKnown(true) };
    const record = recordOf(inputs, TUNING);
    const forged = canonicalJson({ ...record, answer: { ...record.answer, model_id: "bee" } });

    expect(replay(forged, TUNING.version)).not.toBe(forged);
  });
});
