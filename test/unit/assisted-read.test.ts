import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { brief } from "../../src/executor/assisted/brief.ts";
import type { ModelAnswer } from "../../src/executor/models/model-port.ts";
import type { Finding } from "../../src/executor/quality/assessment.ts";
import type { JsonValue } from "../../src/executor/skills/skill.ts";
import type { TaskType } from "../../src/protocol/enums.ts";
import { answerOf, partsOf } from "./assisted-parts.ts";

function read(given: Partial<ModelAnswer>, task_type: TaskType = "general") {
  return brief(partsOf({ task_type })).read(answerOf(given));
}

function codes(given: Partial<ModelAnswer>, task_type?: TaskType): string[] {
  const answer = read(given, task_type);
  return answer.ok ? [] : answer.refusal.map(({ code }: Finding) => code);
}

const RESULT = { answer: "The pump lost pressure because a valve stuck." };

describe("an answer is read", () => {
  it("as a result with its summary, next steps and lessons", () => {
    const value = {
      result: RESULT,
      summary: " Done. ",
      next_steps: ["Replace the valve", "", 7],
      lessons_learned: ["Valves stick"],
    };

    expect(read({ value: value as JsonValue })).toEqual({
      ok: true,
      value: {
        output: RESULT,
        summary: "Done.",
        next_steps: ["Replace the valve"],
        lessons_learned: ["Valves stick"],
      },
    });
  });

  it.each<[string, string]>([
    ["bare JSON", JSON.stringify({ result: RESULT, summary: "s" })],
    [
      "in a fence",
      `Here it is:\n\n\`\`\`json\n${JSON.stringify({ result: RESULT, summary: "s" })}\n\`\`\`\n`,
    ],
    ["amid words", `Sure! ${JSON.stringify({ result: RESULT })} Anything else?`],
    ["without envelope", JSON.stringify(RESULT)],
  ])("from text: %s", (_, text) => {
    expect(read({ text })).toMatchObject({
      ok: true,
      value: { output: RESULT, summary: expect.stringMatching(/./) },
    });
  });
});

describe("an answer that can't be read comes back as findings", () => {
  it.each<[string, Partial<ModelAnswer>, string]>([
    ["nothing", { text: " " }, "empty_output"],
    ["prose", { text: "The pump lost pressure." }, "no_json"],
    ["an empty result", { value: { result: { answer: " " }, summary: "s" } }, "empty_output"],
    ["no result", { value: { summary: "s" } }, "missing_field"],
    ["a result without its fields", { value: { result: { text: "x" } } }, "missing_field"],
    ["a list", { value: { result: [1] } }, "wrong_type"],
    ["a refusal in prose", { text: "I'm sorry, but I can't help with that." }, "refusal"],
    [
      "a refusal in JSON",
      { value: { result: { answer: "I cannot assist with this request." }, summary: "" } },
      "refusal",
    ],
    ["a refusal in Spanish", { text: "Lo siento, no puedo ayudar con eso." }, "refusal"],
    ["a filter", { text: "", finish_reason: "content_filter" }, "refusal"],
    ["a cut", { text: '{"result": {"answer": "The pu', finish_reason: "length" }, "cut_off"],
  ])("%s", (_, given, code) => {
    expect(codes(given)).toEqual([code]);
  });

  it("but not for a word that refusals use too", () => {
    expect(
      codes({
        value: {
          result: {
            answer: "The guard says: I can't open the gate. That is why the pump stopped.",
          },
        },
      }),
    ).toEqual([]);
  });

  it("unless the contract wants a list", () => {
    const output_schema = { type: "array", items: { type: "number" } };
    const readList = (value: JsonValue) =>
      brief(partsOf({ output_schema })).read(answerOf({ value }));

    expect(readList({ result: [1, 2], summary: "Two." })).toMatchObject({
      ok: true,
      value: { output: [1, 2] },
    });
    expect(readList({ result: { a: 1 }, summary: "One." })).toMatchObject({
      ok: false,
      refusal: [{ code: "wrong_type" }],
    });
  });

  it("naming every field that is missing", () => {
    expect(
      codes({ value: { result: { note: "x" }, summary: "s" } }, "code_debugging").length,
    ).toBeGreaterThan(3);
  });

  it("and never as an exception", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, text) => {
        const answer = read({ value: value as JsonValue, text });
        expect(answer.ok || answer.refusal.length > 0).toBe(true);
      }),
    );
  });
});
