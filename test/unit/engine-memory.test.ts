import { describe, expect, it } from "vitest";

import { execute } from "../../src/executor/engine.ts";
import type { RecalledMemory } from "../../src/executor/memory/memory-port.ts";
import { ASKED, MESSAGE, answer, found, model, remembering, withModels } from "../executor-desk.ts";

describe("what the engine does with memories", () => {
  it("puts memories before a model, avoids what failed in a like task, and tells of their use", async () => {
    const failed: RecalledMemory = {
      memory_id: "mem_1",
      kind: "lesson",
      text: "small failed",
      task_id: "task-0",
      task_type: "code_debugging",
      verdict: "failure",
      bounds: null,
      model_id: "small",
      is_blamed: true,
      score: 1,
      similarity: 0.7,
    };
    const distant = { ...failed, memory_id: "mem_2", model_id: "large", similarity: 0.3 };
    const noFault = { ...failed, memory_id: "mem_3", model_id: "large", is_blamed: false };
    const memory = remembering([failed, distant, noFault]);
    const ports = { ...withModels(() => answer(0.9)), memory };

    await execute(MESSAGE, ports);

    expect(ports.router.questions[0]?.avoided).toEqual([
      { model_id: "small", memory_ids: ["mem_1"] },
    ]);
    expect(ports.said[0]).toMatchObject({
      data: {
        model_selected: "large",
        required_resources: { memory_ids: ["mem_1", "mem_2", "mem_3"] },
      },
    });
    expect(found(ports, "quality_round")).toMatchObject([
      { memory_ids: ["mem_1", "mem_2", "mem_3"] },
    ]);
  });

  it("tells no model what comes from a task whose data may not go where it is", async () => {
    const told = ["free", "local", "eu"].map((memory_id): RecalledMemory => ({
      memory_id,
      kind: "outcome",
      text: memory_id,
      task_id: "task-0",
      task_type: "code_debugging",
      verdict: "success",
      bounds: {
        locality: memory_id === "local" ? "local" : null,
        region: memory_id === "eu" ? "eu" : null,
      },
      model_id: "x",
      is_blamed: false,
      score: 1,
      similarity: 0.7,
    }));
    const shown: string[][] = [];
    for (const where of [
      { locality: "api" },
      { locality: "api", region: "eu" },
      { locality: "local" },
      { locality: "local", region: "us" },
    ] as const) {
      const memory = remembering(told);
      const ports = withModels(() => answer(0.9), ASKED, [model("only", where)]);

      await execute(MESSAGE, {
        ...ports,
        memory,
        assist: (parts) => {
          shown.push(parts.memories.map(({ memory_id }) => memory_id));
          return ports.assist(parts);
        },
      });

      const memory_ids = shown.at(-1);
      expect(ports.said[0]).toMatchObject({ data: { required_resources: { memory_ids } } });
      expect(found(ports, "quality_round")).toMatchObject([{ memory_ids }]);
    }

    expect(shown).toEqual([["free"], ["free", "eu"], ["free", "local", "eu"], ["free", "local"]]);
  });

  it("says where its question may go when it asks what is remembered", async () => {
    const bounds = async (task: Record<string, unknown>) => {
      const memory = remembering();
      await execute(MESSAGE, { ...withModels(() => answer(0.9), { ...ASKED, ...task }), memory });
      return memory.questions.map((question) => question.bounds);
    };

    expect(await bounds({})).toEqual([{ locality: null, region: null }]);
    expect(
      await bounds({
        execution_options: { model_preference: "local" },
        requires: { labels: { region: "eu" } },
      }),
    ).toEqual([{ locality: "local", region: "eu" }]);
  });
});
