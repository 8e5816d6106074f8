import { describe, expect, it } from "vitest";

import { inputOf, surroundingsOf } from "../../src/executor/attempt/surroundings.ts";
import { execute } from "../../src/executor/engine.ts";
import { answer, ASKED, desk, MESSAGE, withModels } from "../executor-desk.ts";

const PREVIOUS = [
  "bare-id",
  {
    task_id: "a",
    task_type: "general",
    result: { summary_text: "The pump lost pressure at night." },
  },
  {
    task_id: "b",
    task_type: "testing",
    result: { cases: [{ name: "x", note: "The valve was left open." }] },
  },
  { task_id: "c", task_type: "testing", result: { state: "passed" } },
  { task_id: "d", status: "failed", note: "it has no result" },
];

describe("what comes with a task beside its input", () => {
  it("is told apart by what it is, and absent where nothing came", () => {
    const answers = [{ question: "Which?", answer: "The EU figures", decision: "resume" }];

    expect(surroundingsOf({})).toBeUndefined();
    expect(
      surroundingsOf({
        context: { previous_tasks: ["a"], memory_context: "m", user_preferences: { tone: "dry" } },
        parameters: { environment: { region: "eu" } },
        metadata: { escalation_answers: answers, other: 1 },
      }),
    ).toEqual({
      previous_tasks: ["a"],
      memory_context: "m",
      user_preferences: { tone: "dry" },
      environment: { region: "eu" },
      escalation_answers: answers,
    });
  });

  it("gives a reader without texts those of the tasks before, by their ids", () => {
    const around = { previous_tasks: PREVIOUS };

    expect(inputOf("research", { style: "brief" }, around)).toEqual({
      style: "brief",
      documents: [
        { id: "a", title: "general", text: "The pump lost pressure at night." },
        { id: "b", title: "testing", text: "The valve was left open." },
      ],
    });
    expect(inputOf("general", { text: "own" }, around)).toEqual({ text: "own" });
    expect(inputOf("general", {}, { previous_tasks: ["a"] })).toEqual({});
    expect(inputOf("data_analysis", {}, around)).toEqual({});
  });

  it("is enough for the executor's own skill to work on", async () => {
    const ports = desk({ task_type: "general", context: { previous_tasks: PREVIOUS } });

    await execute(MESSAGE, ports);

    expect(ports.said.at(-1)).toMatchObject({ notification_type: "task_completed" });
    expect(JSON.stringify(ports.said.at(-1)?.data)).toContain("The pump lost pressure at night.");
  });

  it("is put before a model, and counts where one is chosen", async () => {
    const plain = withModels(() => answer(0.9));
    const ports = withModels(() => answer(0.9), {
      ...ASKED,
      context: { previous_tasks: PREVIOUS },
      metadata: { escalation_answers: [{ question: "Q", answer: "the EU figures" }] },
    });

    await execute(MESSAGE, plain);
    await execute(MESSAGE, ports);

    expect(ports.models.asked[0]?.turns[0]?.text).toContain("The valve was left open.");
    expect(ports.models.asked[0]?.turns[0]?.text).toContain("the EU figures");
    const [before, after] = [plain, ports].map(({ router }) => router.questions[0]?.input_tokens);
    expect(after).toBeGreaterThan(before ?? Infinity);
  });
});
