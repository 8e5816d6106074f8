import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Allowance } from "../../src/executor/models/allowance.ts";
import { createRoom } from "../../src/executor/models/provider/room.ts";
import { createTally } from "../../src/executor/models/provider/usage.ts";
import { tokensOf } from "../../src/executor/text-tokens.ts";

const MODEL = {
  context_tokens: 32_000,
  price: { input_usd_per_mtok: 3, output_usd_per_mtok: 15 },
};
const WISH = { max_output_tokens: 4_096, may_call: true };

/** What a model does in a round, as shares of what it may: its answer, and what its tools say. */
interface Turn {
  counted: number;
  answered: number;
  results: string[];
}

/** Plays a question whose model goes on calling tools as long as it may, and keeps all rules of its server. */
function played(limit: Allowance, prompt: string, turns: Turn[]) {
  const tally = createTally(MODEL.price);
  const turn = { role: "user" as const, text: prompt };
  const question = { system: "Do it.", turns: [turn], output_schema: null, tools: [], limit };
  const room = createRoom(MODEL, question, tally);
  const endings: string[] = [];
  let longest = 0;
  let said = "";
  let input = tokensOf(prompt) + 10;
  for (const { counted, answered, results } of turns) {
    const size = room.next(said, WISH);
    if ("short" in size) {
      endings.push(`short of ${size.short}`);
      break;
    }
    const output = Math.floor(answered * size.max_output_tokens);
    const sent = Math.floor(counted * (input + tokensOf(said)));
    longest = Math.max(longest, sent + output);
    tally.open(0);
    tally.close({ input: sent, output });
    room.close();
    endings.push(size.may_call ? "call" : "answer");
    if (!size.may_call) break;
    said = JSON.stringify(["x".repeat(3 * output), ...results.map((text) => room.fit(text))]);
    input = sent;
  }
  const { input_tokens, output_tokens, cost_usd } = tally.usage();
  return { tokens: input_tokens + output_tokens, cost_usd, endings, longest };
}

const turns = fc.array(
  fc.record({
    counted: fc.double({ min: 0.6, max: 1, noNaN: true }),
    answered: fc.double({ min: 0, max: 1, noNaN: true }),
    results: fc.array(
      fc
        .tuple(fc.constantFrom('{"a":"b"}\n', "text ", "汉字"), fc.integer({ min: 0, max: 5_000 }))
        .map(([text, times]) => text.repeat(times)),
      { maxLength: 8 },
    ),
  }),
  { minLength: 1, maxLength: 6 },
);
const some = (most: number) => fc.option(fc.double({ min: 0, max: most, noNaN: true }));

describe("the room of a question", () => {
  it("is never left, whatever a model calls and its tools answer", () => {
    fc.assert(
      fc.property(
        fc.record({ tokens: some(100_000), cost_usd: some(0.5) }),
        fc.integer({ min: 1, max: 20_000 }),
        turns,
        (limit, characters, course) => {
          const { tokens, cost_usd, longest } = played(limit, "x".repeat(characters), course);

          expect(tokens).toBeLessThanOrEqual(limit.tokens ?? Infinity);
          expect(cost_usd).toBeLessThanOrEqual((limit.cost_usd ?? Infinity) + 1e-9);
          expect(longest).toBeLessThanOrEqual(MODEL.context_tokens);
        },
      ),
    );
  });

  it("keeps an answer's worth as long as tools are called", () => {
    fc.assert(
      fc.property(
        fc.record({ tokens: some(100_000), cost_usd: some(0.5) }),
        turns,
        (limit, course) => {
          const { endings } = played(limit, "x".repeat(4_500), course);

          expect(endings.slice(1).filter((ending) => ending.startsWith("short"))).toEqual([]);
        },
      ),
    );
  });

  it("pays for tools only where an answer can follow, and says what is short where none can", () => {
    const once = (tokens: number) => {
      const turn = { counted: 1, answered: 1, results: [] };
      return played({ tokens, cost_usd: null }, "x".repeat(2_985), [turn]).endings;
    };

    // The question has 1,000 tokens and is sent twice; between are 256 for the call and 100 for marks, then 1,024.
    expect(once(1_255)).toEqual(["short of tokens"]);
    expect(once(1_300)).toEqual(["answer"]);
    expect(once(3_600)).toEqual(["answer"]);
    expect(once(3_700)).toEqual(["call"]);
  });
});
