import { describe, expect, it } from "vitest";

import { call, log } from "./batuta.ts";

describe("the complexity of a submitted task", () => {
  it("is shown with its features and the caller's own word, which the view prefers", async () => {
    const { body } = await call("POST", "/v1/tasks", {
      task_id: "complexity-1",
      task_type: "deployment",
      description: `Deploy the release to production. ${"x".repeat(1_500)}`,
      complexity: "high",
    });
    const plain = await call("POST", "/v1/tasks", {
      task_id: "complexity-2",
      task_type: "deployment",
      description: `Deploy the release to production. ${"x".repeat(1_500)}`,
    });

    expect(body["complexity"]).toBe("high");
    expect(plain.body["complexity"]).toBe("medium");
    const [submitted] = await log("complexity-1");
    expect(submitted?.data["complexity"]).toMatchObject({
      score: 0.3093,
      band: "medium",
      features: { type: 1 },
      version: expect.any(String),
      caller: "high",
    });
  });
});
