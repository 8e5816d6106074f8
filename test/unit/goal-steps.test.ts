import { describe, expect, it } from "vitest";

import { referencesIn, stepsInGoal } from "../../src/dispatch/request/goal-steps.ts";
import { clausesOf } from "../../src/dispatch/request/order-words.ts";

describe("the steps that a goal speaks of", () => {
  it.each([
    {
      name: "a numbered list",
      goal: "Please do this:\n1. Collect the figures\n2. Check them\n   against last year\n3. Write it up",
      source: "list",
      texts: ["Collect the figures", "Check them against last year", "Write it up"],
    },
    {
      name: "a list with brackets and bullets",
      goal: "- Collect the figures\n- Check them",
      source: "list",
      texts: ["Collect the figures", "Check them"],
    },
    {
      name: "steps by their name",
      goal: "Step 1: collect the figures\nStep 2: check them",
      source: "list",
      texts: ["collect the figures", "check them"],
    },
    {
      name: "a list within a line",
      goal: "Do this: 1) collect the figures; 2) check them; and 3) write it up",
      source: "list",
      texts: ["collect the figures", "check them", "write it up"],
    },
    {
      name: "a list with parts of its items further in",
      goal: "1. Collect the figures\n   - of last year\n   - of this year\n2. Check them\n- twice",
      source: "list",
      texts: ["Collect the figures - of last year - of this year", "Check them - twice"],
    },
    {
      name: "first, then, finally",
      goal: "First collect the figures, then check them, and finally write it up.",
      source: "words",
      texts: ["collect the figures", "check them", "write it up"],
    },
    {
      name: "what comes before then",
      goal: "Collect the figures. Then check them; after that, write it up.",
      source: "words",
      texts: ["Collect the figures", "check them", "write it up"],
    },
    {
      name: "Spanish words",
      goal: "Primero reúne las cifras, luego revísalas y finalmente escribe el informe",
      source: "words",
      texts: ["reúne las cifras", "revísalas", "escribe el informe"],
    },
    {
      name: "more Spanish words",
      goal: "Reúne las cifras; a continuación, escribe el informe.",
      source: "words",
      texts: ["Reúne las cifras", "escribe el informe"],
    },
  ])("are found in $name", ({ goal, source, texts }) => {
    const numbers = texts.map((_, index) => index + 1);

    expect(stepsInGoal(goal)).toEqual({ source, texts, numbers, preamble: "", isParallel: false });
  });

  it.each([
    "Summarise the first quarter of the year",
    "Compare version 2.0 with version 1. Both are there",
    "If the build fails, then write down why",
    "- only one item in this list",
    "Write a report about what happened then",
    "Compare these editions: 1. the first one 2. the second one",
    "Say whether 1) and 2) below are the same",
    "Explain how ice first melts, then boils, and finally condenses",
    "Explain how to boil eggs and then peel them",
    "Sales rose in May, then the market fell. Say why",
    "Write about our plans: first quarter, second quarter, next year",
    "Describe the night. Then, the morning",
  ])("are not seen where there is one thing to do: %s", (goal) => {
    expect(stepsInGoal(goal)).toBeNull();
  });

  it("have what stands before first apart from them", () => {
    expect(clausesOf("It is late. First collect the figures, then check them.")).toEqual({
      preamble: "It is late. ",
      texts: ["collect the figures", "check them"],
    });
  });

  it("keep the numbers that a list gives itself, unless they say nothing", () => {
    const numbers = (goal: string) => stepsInGoal(goal)?.numbers;

    expect(numbers("3. Collect the figures\n5. Check them")).toEqual([3, 5]);
    expect(numbers("1. Collect the figures\n1. Check them")).toEqual([1, 2]);
  });

  it.each([
    { goal: "Explain what happened in 1) Rome 2) Paris", preamble: "Explain what happened in" },
    { goal: "Translate into French:\n- Good morning\n- Hello", preamble: "Translate into French:" },
    {
      goal: "Think of the poor. First collect ideas, then rank them",
      preamble: "Think of the poor.",
    },
    { goal: "Por favor, haz lo siguiente:\n- Reúne\n- Escribe", preamble: "" },
  ])("keep what is said of all of them: $goal", ({ goal, preamble }) => {
    expect(stepsInGoal(goal)?.preamble.trim()).toBe(preamble);
    expect(stepsInGoal(goal)?.texts).toHaveLength(2);
  });

  it("are found in a goal of marks alone as fast as in any other", () => {
    const goals = ["first, then collect ", "1) ab ", ". then, use x", "\n- aaa", "if then use "];
    const started = performance.now();

    for (const goal of goals) stepsInGoal(goal.repeat(2_000).slice(0, 10_000));

    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each(["Do these in parallel:", "At the same time:", "In any order, do this"])(
    "may go on at the same time when the list says so: %s",
    (preamble) => {
      const goal = `${preamble}\n- Collect the figures\n- Check the sources`;

      expect(stepsInGoal(goal)).toMatchObject({ isParallel: true });
    },
  );

  it.each([
    { text: "Write it up using the results of steps 1 and 3", steps: [1, 3] },
    { text: "Check the output of step 2 against the findings from step 1", steps: [2, 1] },
    { text: "Based on step 2, draw a chart", steps: [2] },
    { text: "Escribe el informe usando los resultados de los pasos 1 y 2", steps: [1, 2] },
    { text: "Compara con los resultados del paso 4", steps: [4] },
    { text: "Prepare everything for step 3", steps: [] },
    { text: "Walk down 12 steps", steps: [] },
  ])("name the steps whose results they use: $text", ({ text, steps }) => {
    expect(referencesIn(text)).toEqual(steps);
  });
});
