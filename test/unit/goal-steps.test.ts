import { describe, expect, it } from "vitest";

import { referencesIn, stepsInGoal } from "../../src/dispatch/request/goal-steps.ts";

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
      goal: "Do 1) collect the figures; 2) check them; 3) write it up",
      source: "list",
      texts: ["collect the figures", "check them", "write it up"],
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
  ])("are found in $name", ({ goal, source, texts }) => {
    expect(stepsInGoal(goal)).toEqual({ source, texts, isParallel: false });
  });

  it.each([
    "Summarise the first quarter of the year",
    "Compare version 2.0 with version 1. Both are there",
    "If the build fails, then write down why",
    "- only one item in this list",
    "Write a report about what happened then",
  ])("are not seen where there is one thing to do: %s", (goal) => {
    expect(stepsInGoal(goal)).toBeNull();
  });

  it.each(["Do these in parallel:", "At the same time:", "In any order, do this"])(
    "may go on at the same time when the list says so: %s",
    (preamble) => {
      const goal = `${preamble}\n- Collect the figures\n- Check the sources`;

      expect(stepsInGoal(goal)).toMatchObject({ isParallel: true });
    },
  );

  it.each([
    { text: "Write it up using the results of steps 1 and 3", steps: [0, 2] },
    { text: "Check the output of step 2 against the findings from step 1", steps: [1, 0] },
    { text: "Based on step 2, draw a chart", steps: [1] },
    { text: "Prepare everything for step 3", steps: [] },
    { text: "Walk down 12 steps", steps: [] },
  ])("name the steps whose results they use: $text", ({ text, steps }) => {
    expect(referencesIn(text)).toEqual(steps);
  });
});
