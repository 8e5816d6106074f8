import { describe, expect, it } from "vitest";

import { planned, requestOf } from "./request-fixture.ts";

const STEPS = ["collect the figures", "check the figures", "write it up"].map((description) => ({
  description,
}));

describe("the strategy for a budget that is shared out", () => {
  it.each([
    {
      name: "fewer tokens than steps",
      fields: { steps: STEPS, constraints: { budget: { max_tokens: 2 } } },
      strategy: "escalate",
    },
    {
      name: "fewer seconds than steps one after the other",
      fields: { steps: STEPS, constraints: { budget: { max_duration_s: 2 } } },
      strategy: "escalate",
    },
    {
      name: "a share of the seconds in which its step can't be done",
      fields: {
        steps: [{ description: "collect the figures", estimated_duration: 50 }, STEPS[1]],
        constraints: { budget: { max_duration_s: 90 } },
      },
      strategy: "escalate",
    },
    {
      name: "shares that work",
      fields: {
        steps: STEPS,
        constraints: { budget: { max_tokens: 3, max_duration_s: 3, max_attempts: 3 } },
      },
      strategy: "split",
    },
  ])("is $strategy: $name", ({ fields, strategy }) => {
    expect(planned(requestOf(fields)).plan).toMatchObject({ strategy });
  });
});
