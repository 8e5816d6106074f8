import { describe, expect, it } from "vitest";

import { beginAttempt, questionKey } from "../../src/executor/attempt/attempt.ts";
import { completeFrom, storedResult } from "../../src/executor/attempt/reuse.ts";
import { execute } from "../../src/executor/engine.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { assignedTaskSchema } from "../../src/protocol/agent.ts";
import {
  answer,
  desk,
  MESSAGE,
  LEASE,
  model,
  remembering,
  scripted,
  taskText,
  typesOf,
} from "../executor-desk.ts";

describe("the reuse of results", () => {
  const TABLE = {
    task_type: "data_analysis",
    parameters: { input_data: { csv: "a,b\n1,2\n2,4\n3,5\n" } },
    execution_options: { reuse_result: true },
  };

  it("hit: the same result for another task, without a model call, marked as cached", async () => {
    const memory = remembering();
    const task = { ...TABLE, task_type: "code_debugging" };
    const first = desk(task, {
      memory,
      models: scripted([model("small")], () => answer(0.9)),
    });
    const unused = scripted([model("small")], () => answer(0.1));
    const second = desk(task, { memory, models: unused });

    await execute(MESSAGE, first);
    await execute(MESSAGE, second);

    expect(unused.asked).toEqual([]);
    expect(typesOf(second)).toEqual(["task_started", "task_completed"]);
    expect(second.said.at(-1)).toMatchObject({
      data: { result: { score: 0.9 }, metrics: { tokens_used: 0, cost: 0 } },
      metadata: { execution_mode: "cached", cached_from: "task-1" },
    });
    expect(second.ends).toMatchObject([{ reason: "success" }]);
  });

  it.each([
    ["nobody asked for it", { execution_options: {} }],
    [
      "nothing of the task is to be kept",
      { execution_options: { reuse_result: true, keep_memory: "never" } },
    ],
    ["the task looks at the world", { task_type: "monitoring" }],
    ["the input is at an address", { parameters: { input_data: { url: "https://x.example/t" } } }],
  ])("stores nothing when %s", async (_why, change) => {
    const memory = remembering();
    const ports = desk(
      { ...TABLE, ...change },
      { memory, models: scripted([model("small")], () => answer(0.9)) },
    );

    await execute(MESSAGE, ports);

    expect(typesOf(ports).at(-1)).toBe("task_completed");
    expect(memory.stored.size).toBe(0);
  });

  it("stores nothing that was not good enough", async () => {
    const memory = remembering();
    const task = { ...TABLE, task_type: "code_debugging" };
    const ports = desk(task, { memory, models: scripted([model("s")], () => answer(0.5)) });

    await execute(MESSAGE, ports);

    expect(typesOf(ports).at(-1)).toBe("task_failed");
    expect(memory.stored.size).toBe(0);
  });

  it("does the work after all when the task's own gates refuse what was stored", async () => {
    const memory = remembering();
    await execute(MESSAGE, desk(TABLE, { memory }));
    const said: string[] = [];
    const ports = desk(TABLE, {
      memory,
      notify: async (_to, { notification_type }) => {
        said.push(notification_type);
        const isFirst = said.filter((type) => type === "task_completed").length === 1;
        return notification_type === "task_completed" && isFirst
          ? refuse({ code: "result_rejected", detail: "no" })
          : ok(null);
      },
    });

    await execute(MESSAGE, ports);

    expect(said.filter((type) => type === "task_completed")).toHaveLength(2);
    expect(said).toContain("task_progress");
  });

  it("says nothing of what was stored once that was refused", async () => {
    const memory = remembering();
    await execute(MESSAGE, desk(TABLE, { memory }));
    const refusing = desk(TABLE, {
      memory,
      notify: async () => refuse({ code: "result_rejected", detail: "no" }),
    });
    const to = { tenant: "t", task_id: "task-1", lease: LEASE };
    const attempt = await beginAttempt(taskText(TABLE), to, refusing);
    const stored = await storedResult(attempt);

    expect(stored).not.toBeNull();
    expect(stored && (await completeFrom(attempt, stored))).toBeNull();
    expect(attempt.session.facts).toEqual({ execution_mode: "builtin" });
  });

  const key = (change: Record<string, unknown>) =>
    questionKey(assignedTaskSchema.parse(JSON.parse(taskText({ ...TABLE, ...change }))));

  it("has equal keys for equal questions, whatever names or schedules the task", async () => {
    const plain = await key({});

    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(await key({ priority: "high", tags: ["x"], timeout: 20, metadata: { a: 1 } })).toBe(
      plain,
    );
    expect(await key({ parameters: { input_data: { csv: "a\n1" } } })).not.toBe(plain);
    expect(await key({ contract: { acceptance: [] } })).not.toBe(plain);
    expect(await key({ execution_options: { quality_threshold: 0.9 } })).not.toBe(plain);
    expect(await key({ context: { memory_context: "also this" } })).not.toBe(plain);
    expect(await key({ metadata: { escalation_answers: [{ answer: "A" }] } })).not.toBe(plain);
  });
});
