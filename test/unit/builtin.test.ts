import { describe, expect, it } from "vitest";

import { BUILTIN_AGENT, BUILTIN_SKILLS } from "../../src/dispatch/builtin.ts";
import { misfit } from "../../src/dispatch/choice/fit.ts";
import { poolAgentSchema } from "../../src/dispatch/pool/pool.ts";
import { dataAnalysis } from "../../src/executor/skills/data-analysis.ts";
import { general } from "../../src/executor/skills/general.ts";
import { taskTypeSchema } from "../../src/protocol/enums.ts";

describe("the built-in executor", () => {
  it("is an executor like any other, named sam", () => {
    expect(poolAgentSchema.parse(BUILTIN_AGENT)).toMatchObject({
      agent_id: "sam",
      isBuiltin: true,
    });
  });

  it("is known by the skills that it has", () => {
    expect(BUILTIN_SKILLS).toEqual([dataAnalysis, general].map(({ task_type }) => task_type));
  });

  it.each(taskTypeSchema.options)(
    "fits %s, also when a task asks for the skill by name",
    (task_type) => {
      const item = {
        task_id: "t",
        attempt: 1,
        priority: "normal" as const,
        task_type,
        declined_by: [],
        ready_at: 0,
        slot_seconds: 60,
        retry_delay: 30,
        objective: "balanced" as const,
        affinity: [],
      };

      expect(misfit(BUILTIN_AGENT, { ...item, requires: null })).toBeNull();
      expect(
        misfit(BUILTIN_AGENT, { ...item, requires: { capabilities: ["builtin", task_type] } }),
      ).toBeNull();
      expect(misfit(BUILTIN_AGENT, { ...item, requires: { capabilities: ["gpu"] } })).toBe(
        "lacks capability gpu",
      );
    },
  );
});
