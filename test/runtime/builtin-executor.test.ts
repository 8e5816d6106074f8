import { describe, expect, it } from "vitest";

import { call, ended, eventually, log, submit, view } from "./batuta.ts";

describe("the built-in executor", () => {
  it("does the work of the built-in executor to the end, on a real table", async () => {
    const rows = Array.from({ length: 40 }, (_, day) => ({ day, sales: 10 + day * 2 }));
    const { task_id } = await submit({
      task_type: "data_analysis",
      parameters: { input_data: { rows } },
    });

    const over = await ended(task_id);

    expect(over).toMatchObject({ status: "completed", agent_id: "sam", progress_percentage: 100 });
    expect(JSON.stringify(over.result)).toContain("sales");
  });

  it("does an accepted task to its end while its orchestrator can't be reached", async () => {
    const { task_id } = await submit({
      task_type: "data_analysis",
      orchestrator_info: { callback_url: "https://manus.gone.example/callback" },
      parameters: { input_data: { csv: "day,sales\n1,10\n2,12\n3,14\n4,16\n" } },
      execution_options: { quality_threshold: 0.5, autonomy_level: "autonomous" },
    });

    const over = await ended(task_id);

    const actors = (await log(task_id)).slice(1).map(({ actor }) => actor.kind);
    expect(over).toMatchObject({ status: "completed", agent_id: "sam" });
    expect(actors).not.toContain("orchestrator");
  });

  it("tells with a root cause why the built-in executor's own result was not good enough", async () => {
    const { task_id } = await submit({
      task_type: "data_analysis",
      parameters: { input_data: { csv: "name,age\nAna,\n,\nBob,x\n" } },
      execution_options: { quality_threshold: 1, retry_policy: { max_retries: 0 } },
    });

    const over = await ended(task_id);

    expect(over).toMatchObject({ status: "failed", error: { root_cause: { class: "contract" } } });
    expect((await log(task_id)).map(({ type }) => type)).toContain("task_failed");
  });

  it("asks what to do, and says what is missing, when the built-in executor lacks what a task needs", async () => {
    const { task_id } = await submit({ task_type: "code_debugging" });
    const asked = await eventually(
      () => view(task_id),
      ({ phase }) => phase === "awaiting_input",
    );
    const events = await log(task_id);

    await call("POST", `/v1/escalations/esc_1_${task_id}/resolve`, { decision: "cancel" });
    const over = await ended(task_id);

    expect(asked).toMatchObject({ status: "escalated" });
    expect(JSON.stringify(events.at(-1))).toContain("PUT /v1/models/");
    expect(over).toMatchObject({ end_reason: "cancelled" });
  });
});

describe("the slots of the built-in executor", () => {
  it("are never exceeded by sixteen tasks at one time, and all of them are done", async () => {
    const slots = async () =>
      (
        await call<{ items: { agent_id: string; slots_in_use: number; slots: number }[] }>(
          "GET",
          "/v1/agents",
        )
      ).body.items.find(({ agent_id }) => agent_id === "sam");
    const used: number[] = [];
    const submitted = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        submit({
          task_type: "general",
          parameters: {
            input_data: { text: `Task ${index} is here. It is short. It is done soon.` },
          },
          execution_options: { quality_threshold: 0 },
        }),
      ),
    );

    const done = await eventually(
      async () => {
        used.push((await slots())?.slots_in_use ?? 0);
        return Promise.all(submitted.map(({ task_id }) => view(task_id)));
      },
      (views) => views.every(({ status }) => status === "completed"),
    );

    expect(done).toHaveLength(16);
    expect(Math.max(...used)).toBeLessThanOrEqual(4);
  });
});
