import { beforeAll, describe, expect, it } from "vitest";

import type { MemoryItem } from "../../src/protocol/memory.ts";
import type { Report, TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import { eventually } from "./batuta.ts";
import { newModelHost } from "./model-host.ts";
import { newTenant } from "./tenant.ts";

/* From POST /v1/tasks to the report, with models that are asked over HTTP. */

const SCHEMA = {
  type: "object",
  required: ["cause"],
  properties: { cause: { type: "string", minLength: 20 } },
};

const CAUSE = "The loop divides by the number of rows, which is zero for an empty table";

/** What a model answers; the contract wants a cause of some length. */
const said = (cause: string) => ({
  text: JSON.stringify({ result: { cause }, summary: cause, next_steps: [], lessons_learned: [] }),
  usage: { prompt_tokens: 200, completion_tokens: 50 },
});

const host = newModelHost();
const tenant = `models-${crypto.randomUUID().slice(0, 8)}`;
let call: Awaited<ReturnType<typeof newTenant>>;

beforeAll(async () => {
  call = await newTenant(tenant);
  for (const [model_id, tier] of [
    ["first", 2],
    ["second", 4],
  ] as const) {
    await call("PUT", `/v1/models/${model_id}`, {
      provider: "openai_compatible",
      base_url: host.base_url,
      locality: "api",
      capabilities: ["text", "json"],
      context_tokens: 32_000,
      tier,
      prior_quality: model_id === "first" ? 0.95 : 0.6,
      price: { input_usd_per_mtok: 1, output_usd_per_mtok: 2 },
    });
  }
});

async function submitted(more: Record<string, unknown> = {}): Promise<string> {
  const { body } = await call<TaskView>("POST", "/v1/tasks", {
    task_type: "code_debugging",
    description: "Say what makes this program stop when the table is empty: division by zero",
    execution_options: { quality_threshold: 0.5, objective: "quality" },
    contract: { output_schema: SCHEMA },
    ...more,
  });
  return body.task_id;
}

const view = async (task_id: string) => (await call<TaskView>("GET", `/v1/tasks/${task_id}`)).body;

async function over(task_id: string): Promise<TaskView> {
  return eventually(
    () => view(task_id),
    ({ phase }) => phase === "ended",
  );
}

async function askedOf(before: number): Promise<string[]> {
  return (await host.asked()).slice(before).map(({ model }) => model);
}

describe("the built-in executor with models over HTTP", () => {
  it("answers with the model that was chosen, and only executors have used tokens", async () => {
    await host.script({ "*": [said(CAUSE)] });

    const task_id = await submitted();
    const ended = await over(task_id);

    expect(ended).toMatchObject({ status: "completed", agent_id: "sam", result: { cause: CAUSE } });
    expect(await askedOf(0)).toEqual(["first"]);
    const { body: report } = await call<Report>("GET", `/v1/tasks/${task_id}/report`);
    expect(report.metrics).toMatchObject({ tokens_by_role: { orchestrator: 0, executor: 250 } });
    const decision = await call("GET", `/v1/model-decisions/${task_id}-1-1`);
    expect(decision).toMatchObject({ status: 200, body: { model_id: "first" } });
  });

  it("gives a breach of the contract back to the model, which mends it", async () => {
    const before = (await host.asked()).length;
    await host.script({ "*": [said("too short"), said(CAUSE)] });

    const task_id = await submitted();
    const ended = await over(task_id);

    expect(ended).toMatchObject({ status: "completed", result: { cause: CAUSE } });
    expect(await askedOf(before)).toEqual(["first", "first"]);
    const { body } = await call<{ items: TaskEvent[] }>("GET", `/v1/tasks/${task_id}/events`);
    expect(body.items.find(({ type }) => type === "task_completed")?.data).toMatchObject({
      metadata: { model_used: "first", rounds: 2 },
    });
  });

  it("goes on to another model when the first is down twice", async () => {
    const before = (await host.asked()).length;
    await host.script({ first: [{ status: 503 }], second: [said(CAUSE)] });

    const ended = await over(await submitted());

    expect(ended).toMatchObject({ status: "completed", attempt: 1 });
    expect(await askedOf(before)).toEqual(["first", "first", "second"]);
  });

  it("gives a result again that an equal task asked to keep, without a model and marked", async () => {
    const before = (await host.asked()).length;
    await host.script({ "*": [said(CAUSE)] });
    const more = {
      description: "Say what stops this program when its table is empty, and keep the answer",
      execution_options: { quality_threshold: 0.5, objective: "quality", reuse_result: true },
    };
    const completed = async (task_id: string) => {
      const ended = await over(task_id);
      const { body } = await call<{ items: TaskEvent[] }>("GET", `/v1/tasks/${task_id}/events`);
      return { ended, told: body.items.find(({ type }) => type === "task_completed")?.data };
    };
    const first = await completed(await submitted(more));
    await host.script({ "*": [said(`${CAUSE}, as another answer would say`)] });

    const again = await completed(await submitted(more));
    const other = await completed(
      await submitted({ ...more, tags: ["other"], parameters: { input_data: { text: "x" } } }),
    );

    expect(again.ended).toMatchObject({ status: "completed", result: { cause: CAUSE } });
    expect(again.ended.task_id).not.toBe(first.ended.task_id);
    expect(again.told).toMatchObject({
      metadata: { execution_mode: "cached", cached_from: first.ended.task_id },
      data: { metrics: { tokens_used: 0, cost: 0 } },
    });
    expect(first.told).not.toMatchObject({ metadata: { execution_mode: "cached" } });
    expect(other.ended.result).toEqual({ cause: `${CAUSE}, as another answer would say` });
    expect(await askedOf(before)).toHaveLength(2);
  });

  it("counts for a memory the task whose model was told it", async () => {
    await host.script({ "*": [said(CAUSE)] });
    const description = "Say what stops the loop over the rows of an empty table: division by zero";
    const { task_id } = await over(await submitted({ description }));
    const used = async () => {
      const { body } = await call<{ items: MemoryItem[] }>("GET", "/v1/memories");
      return body.items.find((memory) => memory.task_id === task_id)?.utility;
    };
    const unused = await used();

    const next = await over(await submitted({ description: `${description}, once more` }));

    expect(unused).toMatchObject({ used: 0 });
    expect(next.status).toBe("completed");
    expect(await used()).toMatchObject({ used: 1, helped: next.quality_assessment?.overall_score });
  });

  it("stops before its budget is overdrawn, whatever is not good enough yet", async () => {
    const before = (await host.asked()).length;
    const usage = { prompt_tokens: 9_000, completion_tokens: 600 };
    await host.script({ "*": [{ ...said("too short"), usage }] });
    const contract = { output_schema: SCHEMA, budget: { max_tokens: 10_000 } };

    const ended = await over(await submitted({ contract }));

    expect(ended).toMatchObject({ end_reason: "resource_exhausted", usage: { tokens: 9_600 } });
    expect(await askedOf(before)).toEqual(["first"]);
  });

  it("cancels while a model takes its time", async () => {
    await host.script({ "*": [{ ...said(CAUSE), delay_ms: 8_000 }] });
    const before = (await host.asked()).length;
    const task_id = await submitted({ heartbeat_timeout: 3 });
    await eventually(
      () => askedOf(before),
      (asked) => asked.length > 0,
    );

    await call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel" });
    const ended = await over(task_id);

    expect(ended).toMatchObject({ end_reason: "cancelled" });
  });
});
