import { describe, expect, it } from "vitest";

import { missingCapability } from "../../src/executor/skills/missing-capability.ts";

const TASK_TYPES = [
  "code_generation",
  "code_debugging",
  "documentation",
  "testing",
  "deployment",
  "configuration",
  "monitoring",
  "research",
  "data_analysis",
  "general",
];

describe("missing capabilities", () => {
  it.each(TASK_TYPES)("says what %s lacks and how to get it", (task_type) => {
    const failure = missingCapability(task_type);

    expect(failure.root_cause.class).toBe("missing_capability");
    expect(failure.error_message).toContain(task_type);
    expect(failure.recovery_suggestions.join(" ")).toContain("README.md#write-an-executor");
    expect(failure.retry_recommended).toBe(false);
  });

  it("names a different lack for each task type", () => {
    const details = TASK_TYPES.map((task_type) =>
      missingCapability(task_type).root_cause.detail.replace(task_type, ""),
    );

    expect(new Set(details).size).toBe(TASK_TYPES.length);
  });

  it("says what a skill itself says that it lacks", () => {
    const { error_message } = missingCapability("documentation", "prose needs a model.");

    expect(error_message).toContain("without a model: prose needs a model.");
  });

  it("answers for a type it has never heard of", () => {
    expect(missingCapability("constructor").root_cause.class).toBe("missing_capability");
  });
});
