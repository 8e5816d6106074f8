import { describe, expect, it } from "vitest";

import {
  behindFirst,
  firstStep,
  settled,
  stepsOf as tryStepsOf,
} from "../../src/dispatch/request/find-steps.ts";
import { inferTaskType } from "../../src/dispatch/request/task-type.ts";
import { templateSteps } from "../../src/dispatch/request/templates.ts";
import { templateSchema } from "../../src/protocol/request.ts";

const stepsOf = (request: Parameters<typeof tryStepsOf>[0]) => {
  const found = tryStepsOf(request);
  if (!found.ok) throw new Error(found.refusal.detail);
  return found.value;
};
const links = (request: Parameters<typeof stepsOf>[0]) =>
  stepsOf(request).steps.map(({ depends_on }) => depends_on);

describe("the steps to a goal", () => {
  it("are one when the goal speaks of one thing", () => {
    const found = stepsOf({ goal: "Research the market for bicycles" });

    expect(found.source).toBe("goal");
    expect(found.steps).toMatchObject([
      { description: "Research the market for bicycles", task_type: "research", depends_on: [] },
    ]);
  });

  it("are valid descriptions, counted as the contract counts", () => {
    const { steps } = stepsOf({ goal: "1. 📊📈📉🗂️🧾\n2. Write it all up" });

    expect(steps[0]?.description).toBe("Step 1 of 2: 📊📈📉🗂️🧾");
  });

  it("follow each other unless the list says otherwise", () => {
    expect(links({ goal: "First collect, then check, finally write it up" })).toEqual([
      [],
      [0],
      [1],
    ]);
    expect(
      links({ goal: "In parallel:\n1. Collect data\n2. Read sources\n3. Write using step 1" }),
    ).toEqual([[], [], [0]]);
  });

  it("also wait for those whose results they name, and say why", () => {
    const { steps } = stepsOf({
      goal: "1. Collect the figures\n2. Read the sources\n3. Write a report from step 1",
    });

    expect(steps[2]?.depends_on).toEqual([0, 1]);
    expect(steps[2]?.because).toContain("waits for step 1, whose result it names");
    expect(steps[2]?.because).toContain("follows step 2");
  });

  it("name each other as their list numbers them", () => {
    const { steps } = stepsOf({
      goal: "In parallel:\n4. Collect the figures\n2. Read the sources\n7. Write it up using step 4",
    });

    expect(steps.map(({ depends_on }) => depends_on)).toEqual([[], [], [0]]);
    expect(steps[2]?.because).toContain("waits for step 4, whose result it names");
  });

  it("each have what the goal says of all of them", () => {
    const { steps } = stepsOf({ goal: "Analyse the history of 1) Rome 2) Paris" });

    expect(steps).toMatchObject([
      { description: "Analyse the history of Rome", task_type: "data_analysis" },
      { description: "Analyse the history of Paris", task_type: "data_analysis" },
    ]);
  });

  it("are refused when there are more than a plan has, and as many as that are not", () => {
    expect(stepsOf({ goal: "- aaa\n".repeat(100) }).steps).toHaveLength(100);
    expect(tryStepsOf({ goal: "- aaa\n".repeat(1_428) })).toMatchObject({
      refusal: {
        code: "plan_rejected",
        errors: [{ pointer: "/goal", code: "too_many_steps", expected: "at most 100 steps" }],
      },
    });
  });

  it("wait for whom they say when they are given", () => {
    const steps = [
      { description: "collect the figures" },
      { description: "read the sources", depends_on: [] },
      { description: "write it up", depends_on: [1, 0, 1] },
    ];

    expect(links({ goal: "Make a report", steps })).toEqual([[], [], [0, 1]]);
  });

  it("have descriptions long enough to be tasks", () => {
    const { steps } = stepsOf({ goal: "1. Build\n2. Test\n3. Ship" });

    expect(steps.map(({ description }) => description)).toEqual([
      "Step 1 of 3: Build",
      "Step 2 of 3: Test",
      "Step 3 of 3: Ship",
    ]);
    expect(steps.map(({ task_type }) => task_type)).toEqual(["general", "testing", "deployment"]);
  });

  it.each(templateSchema.options)("come from the template %s, one after the other", (template) => {
    const goal = "Find out why $& sales fell";
    const found = stepsOf({ goal, template });

    expect(found.source).toBe("template");
    expect(found.steps.every(({ description }) => description.includes(goal))).toBe(true);
    expect(found.steps.map(({ depends_on }) => depends_on)).toEqual(
      found.steps.map((_, index) => (index === 0 ? [] : [index - 1])),
    );
  });

  it("fit into a task although the goal is as long as can be", () => {
    const [step] = templateSteps("code_change", "g".repeat(10_000));

    expect(step?.description).toHaveLength(10_000);
  });

  it("are put behind the first one when somebody is asked about it", () => {
    const steps = settled([
      { description: "write it up", depends_on: [1, 2] },
      { description: "collect the figures", depends_on: [] },
      { description: "read the sources", depends_on: [] },
    ]);

    expect(firstStep(steps)).toBe(1);
    expect(behindFirst(steps).map(({ depends_on }) => depends_on)).toEqual([[1, 2], [], [1]]);
  });
});

describe("the type of a task", () => {
  it.each([
    ["Fix the bug in the parser that makes it crash", "code_debugging"],
    ["Write unit tests for the parser", "testing"],
    ["Deploy the release to production", "deployment"],
    ["Configure the build server and install node", "configuration"],
    ["Monitor the uptime of the shop", "monitoring"],
    ["Write a report from the findings", "documentation"],
    ["Analyse the csv for outliers and trends", "data_analysis"],
    ["Implement a function that sorts names", "code_generation"],
    ["Research which sources speak of whales", "research"],
    ["Analiza los datos de ventas", "data_analysis"],
    ["Redacta un informe con las cifras", "documentation"],
    ["Busca fuentes sobre ballenas", "research"],
    ["Comprueba el programa con casos raros", "testing"],
    ["Plan a birthday party for ten", "general"],
  ])("is inferred from its words: %s", (description, task_type) => {
    expect(inferTaskType(description)).toMatchObject({ task_type });
  });

  it("says by which words", () => {
    expect(inferTaskType("Deploy the release").words).toEqual(["deploy", "release"]);
    expect(inferTaskType("Plan a party").words).toEqual([]);
  });
});
