import { describe, expect, it } from "vitest";

import { BUILTIN_AGENT, BUILTIN_SKILLS } from "../../src/dispatch/builtin.ts";
import { misfit } from "../../src/dispatch/choice/fit.ts";
import { poolAgentSchema } from "../../src/dispatch/pool/pool.ts";
import { SKILLS } from "../../src/executor/skills/registry.ts";
import { taskTypeSchema } from "../../src/protocol/enums.ts";

describe("the built-in executor", () => {
  it("is an executor like any other, named sam", () => {
    expect(poolAgentSchema.parse(BUILTIN_AGENT)).toMatchObject({
      agent_id: "sam",
      isBuiltin: true,
    });
  });

  it("is known to do every type but those of which its skills do only a part", () => {
    const partly = ["code_generation", "code_debugging"];
    const skilled = SKILLS.map(({ task_type }) => task_type);

    expect(BUILTIN_SKILLS).toEqual(taskTypeSchema.options.filter((type) => !partly.includes(type)));
    expect(skilled.filter((type) => !taskTypeSchema.options.some((one) => one === type))).toEqual(
      [],
    );
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
