import { describe, expect, it } from "vitest";

import { execute } from "../../src/executor/engine.ts";
import type { RecalledMemory } from "../../src/executor/memory/memory-port.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { OpenCommand } from "../../src/protocol/agent.ts";
import {
  answer,
  desk,
  fault,
  firstFit,
  found,
  MESSAGE,
  model,
  remembering,
  scripted,
  taskText,
  typesOf,
} from "../executor-desk.ts";
import type { Script } from "../executor-desk.ts";

const ASKED = { task_type: "code_debugging", description: "Why does this program stop?" };
const SMALL = model("small", { tier: 2 });
const LARGE = model("large", { tier: 4 });

function withModels(
  script: Script,
  task: Record<string, unknown> = ASKED,
  models = [SMALL, LARGE],
) {
  const router = firstFit();
  const door = scripted(models, script);
  return { ...desk(task, { models: door, router }), router, models: door };
}

describe("the engine with models", () => {
  it("has the router choose, and says who did it, why, and what it cost", async () => {
    const ports = withModels(() => answer(0.9));

    await execute(MESSAGE, ports);

    expect(ports.said[0]).toMatchObject({
      notification_type: "task_started",
      data: { model_selected: "small", required_resources: { decision_id: "task-1-1-1" } },
    });
    expect(found(ports, "model_decision")).toHaveLength(1);
    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_completed",
      data: { result: { score: 0.9 }, metrics: { tokens_used: 150, cost: 0.001 } },
      metadata: { execution_mode: "model", model_used: "small", rounds: 1 },
    });
    expect(ports.beats.at(-1)?.usage).toEqual({ cost_usd: 0.001, tokens: 150 });
    expect(ports.ends).toMatchObject([
      { reason: "success", execution_metrics: { tokens_consumed: 150, api_calls_made: 1 } },
    ]);
    expect(ports.router.learned).toMatchObject([
      { decision_id: "task-1-1-1", reward: 0.9, source: "quality", is_success: true },
    ]);
  });

  it("first try bad, second good: completed with two rounds, both recorded", async () => {
    const ports = withModels((_request, calls) => answer(calls === 1 ? 0.5 : 0.9));

    await execute(MESSAGE, ports);

    expect(found(ports, "quality_round")).toMatchObject([
      {
        quality_round: 1,
        model_id: "small",
        score: 0.5,
        findings: [{ code: "quality_threshold" }],
      },
      { quality_round: 2, model_id: "small", score: 0.9, findings: [] },
    ]);
    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_completed",
      metadata: { rounds: 2 },
    });
    expect(ports.models.asked[1]?.turns[0]?.text).toContain("quality_threshold");
  });

  it("never good: goes on to a stronger model, then fails with the findings and the best result", async () => {
    const ports = withModels(({ model_id }) => answer(model_id === "large" ? 0.7 : 0.4));

    await execute(MESSAGE, ports);

    expect(ports.models.asked.map(({ model_id }) => model_id)).toEqual([
      ...["small", "small"],
      ...["large", "large"],
    ]);
    expect(ports.router.questions[1]).toMatchObject({ excluded: ["small"], above_tier: 2 });
    expect(typesOf(ports)).not.toContain("task_completed");
    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_failed",
      data: {
        retry_recommended: false,
        root_cause: { evidence: [{ code: "quality_threshold" }] },
        partial_results: { output: { score: 0.7 }, score: 0.7 },
      },
    });
    expect(ports.router.learned.map(({ reward, is_success }) => [reward, is_success])).toEqual([
      [0.35, false],
      [0.55, false],
    ]);
  });

  it.each([
    [0.79, "task_failed"],
    [0.8, "task_completed"],
  ])("a score of %s leads to %s with the default threshold", async (score, type) => {
    const ports = withModels(() => answer(score), ASKED, [SMALL]);

    await execute(MESSAGE, ports);

    expect(typesOf(ports).at(-1)).toBe(type);
  });

  it("asks the same model once more after a fault that may pass, as late as it was told to", async () => {
    const waits: number[] = [];
    const script: Script = (_request, calls) =>
      calls === 1 ? fault("rate_limited", { retry_after_ms: 7_000 }) : answer(0.9);
    const ports = withModels(script);
    const { sleep } = ports;

    await execute(MESSAGE, {
      ...ports,
      sleep: (ms, signal) => {
        waits.push(ms);
        return sleep(ms, signal);
      },
    });

    expect(waits).toContain(7_000);
    expect(ports.models.asked.map(({ model_id }) => model_id)).toEqual(["small", "small"]);
    expect(new Set(ports.models.asked.map(({ idempotency_key }) => idempotency_key)).size).toBe(1);
    expect(typesOf(ports).at(-1)).toBe("task_completed");
  });

  it("takes another model on the second fault in a row, and teaches only that the first was down", async () => {
    const ports = withModels(({ model_id }) =>
      model_id === "small" ? fault("unavailable", { status: 503 }) : answer(0.9),
    );

    await execute(MESSAGE, ports);

    expect(ports.models.asked.map(({ model_id }) => model_id)).toEqual(["small", "small", "large"]);
    expect(ports.router.questions[1]).toMatchObject({ excluded: ["small"], above_tier: null });
    expect(ports.router.learned).toMatchObject([
      { source: "fault", reward: null, is_success: false },
      { source: "quality", reward: 0.9, is_success: true },
    ]);
    expect(typesOf(ports).at(-1)).toBe("task_completed");
  });

  it("does not repeat a question that the provider refuses, and recommends no retry when none is left", async () => {
    const ports = withModels(() => fault("unauthorized", { status: 401 }), ASKED, [SMALL]);

    await execute(MESSAGE, ports);

    expect(ports.models.asked).toHaveLength(1);
    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_failed",
      data: { error_type: "model_unavailable", retry_recommended: false },
    });
  });

  it("recommends a retry when what kept the last model from answering may pass", async () => {
    const ports = withModels(() => fault("timeout"), ASKED, [SMALL]);

    await execute(MESSAGE, ports);

    expect(ports.models.asked).toHaveLength(2);
    expect(ports.said.at(-1)).toMatchObject({ data: { retry_recommended: true } });
    expect(ports.ends).toEqual([]);
  });

  it("gives a model its own bad output back to mend", async () => {
    const script: Script = (_request, calls) =>
      calls === 1 ? fault("bad_output", { text: "{oops" }) : answer(0.9);
    const ports = withModels(script);

    await execute(MESSAGE, ports);

    expect(ports.models.asked[1]?.turns[0]?.text).toContain("bad_output");
    expect(ports.models.asked[1]?.turns[0]?.text).toContain("{oops");
    expect(typesOf(ports).at(-1)).toBe("task_completed");
  });

  it("shortens an answer to what the budget pays, and stops when not even the shortest fits", async () => {
    const budget = (max_tokens: number) => ({ ...ASKED, contract: { budget: { max_tokens } } });
    const short = withModels(() => answer(0.9), budget(600));
    const none = withModels(() => answer(0.9), budget(200));

    await execute(MESSAGE, short);
    await execute(MESSAGE, none);

    expect(short.models.asked[0]?.max_output_tokens).toBeLessThan(600);
    expect(typesOf(short).at(-1)).toBe("task_completed");
    expect(none.models.asked).toEqual([]);
    expect(none.ends).toMatchObject([
      { reason: "resource_exhausted", error_information: { error_code: "budget_exhausted" } },
    ]);
  });

  it("counts what attempts before this one have used", async () => {
    const budget = { max_cost_usd: 0.0015 };
    const used = { cost_usd: 0.0014, tokens: 10 };
    const task = { ...ASKED, contract: { budget } };
    const ports = withModels(() => answer(0.9), task);
    await execute(MESSAGE, ports);
    const checkpoint = { ...checkpointOf(ports), spent: used };

    const next = withModels(() => answer(0.9), { ...task, description: "Something else then" });
    await execute(
      MESSAGE,
      again(next, { ...task, description: "Something else then" }, checkpoint),
    );

    expect(next.ends).toMatchObject([{ reason: "resource_exhausted" }]);
  });

  it("begins no call that could not end before the attempt's timeout", async () => {
    const ports = withModels(() => answer(0.9), { ...ASKED, timeout: 3 });

    await execute(MESSAGE, ports);

    expect(ports.models.asked).toEqual([]);
    expect(ports.ends).toMatchObject([{ reason: "timeout" }]);
  });

  it("goes on with a budget that is raised while a model answers", async () => {
    const grant: OpenCommand = {
      command_id: "cmd_1",
      command: "grant_resources",
      reason: null,
      grant: { tokens: 10_000 },
    };
    const ports = withModels(
      async (_request, calls) => {
        if (calls === 1) await new Promise((resolve) => setTimeout(resolve, 20));
        return answer(calls === 1 ? 0.5 : 0.9);
      },
      { ...ASKED, contract: { budget: { max_tokens: 450 } } },
    );
    let isGiven = false;

    await execute(MESSAGE, {
      ...ports,
      heartbeat: async (_to, { acknowledged = [] }) => {
        isGiven ||= acknowledged.length > 0;
        return ok({ commands: isGiven || ports.models.asked.length === 0 ? [] : [grant] });
      },
    });

    expect(typesOf(ports).at(-1)).toBe("task_completed");
    expect(ports.models.asked[1]?.max_output_tokens).toBe(1_000);
  });

  it("aborts a model's answer when the task is cancelled, and ends as cancelled", async () => {
    const command: OpenCommand = { command_id: "cmd_1", command: "cancel", reason: null };
    const ports = withModels(
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(fault("aborted")));
        }),
    );

    await execute(MESSAGE, {
      ...ports,
      heartbeat: async (_to, { acknowledged = [] }) =>
        ok({ commands: acknowledged.length > 0 ? [] : [command] }),
    });

    expect(ports.ends).toMatchObject([{ reason: "cancelled" }]);
    expect(ports.models.asked).toHaveLength(1);
    expect(ports.router.learned).toEqual([]);
  });

  it("aborts a model's answer at once when the lease is lost, and says nothing more", async () => {
    let isAborted = false;
    const ports = withModels(
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            isAborted = true;
            resolve(fault("aborted"));
          });
        }),
    );

    await execute(MESSAGE, {
      ...ports,
      heartbeat: async () => refuse({ code: "lease_lost", detail: "gone" }),
    });

    expect(isAborted).toBe(true);
    expect(ports.ends).toEqual([]);
    expect(typesOf(ports)).not.toContain("task_failed");
  });

  it("beats at a third of the lease and tells news by the task's interval while a model answers", async () => {
    const waits: number[] = [];
    const ports = withModels(
      async () => {
        for (let turns = 0; turns < 20; turns += 1)
          await new Promise((next) => setTimeout(next, 1));
        return answer(0.9);
      },
      { ...ASKED, heartbeat_timeout: 15, progress_interval: 4 },
    );
    const { sleep } = ports;

    await execute(MESSAGE, {
      ...ports,
      sleep: (ms, signal) => {
        waits.push(ms);
        return sleep(ms, signal);
      },
    });

    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
    expect(typesOf(ports).filter((type) => type === "task_progress").length).toBeGreaterThan(4);
  });

  it("goes to a model with what its own skill could not make good enough", async () => {
    const task = {
      task_type: "data_analysis",
      parameters: { input_data: { csv: "name,age\nAna,\n,\nBob,x\n" } },
      execution_options: { quality_threshold: 0.95 },
    };
    const router = firstFit();
    const door = scripted([SMALL], () => answer(0.96));
    const ports = desk(task, {
      models: door,
      router: {
        ...router,
        choose: (tenant, question) =>
          router.choose(tenant, question.round === 1 ? { ...question, models: [] } : question),
      },
    });

    await execute(MESSAGE, ports);

    expect(ports.said[0]).toMatchObject({ data: { model_selected: "builtin" } });
    expect(router.questions[1]?.builtin_lack).toContain("quality gate");
    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_completed",
      metadata: { model_used: "small" },
    });
  });

  it("asks what to do when no model is left for what its skills can't do", async () => {
    const router = {
      ...firstFit(),
      choose: async () =>
        refuse({
          decision_id: "d",
          removed: [{ model_id: "small", reason: "not local" }],
          record: {},
        }),
    };
    const ports = desk(ASKED, { models: scripted([SMALL], () => answer(1)), router });

    await execute(MESSAGE, ports);

    expect(typesOf(ports)).toEqual(["task_started", "task_escalated"]);
    expect(JSON.stringify(ports.said.at(-1))).toContain("small: not local");
  });

  it("puts memories before a model, avoids what failed in a like task, and tells of their use", async () => {
    const failed: RecalledMemory = {
      memory_id: "mem_1",
      kind: "outcome",
      text: "small failed",
      task_id: "task-0",
      task_type: "code_debugging",
      verdict: "failure",
      model_id: "small",
      score: 1,
      similarity: 0.7,
    };
    const distant = { ...failed, memory_id: "mem_2", model_id: "large", similarity: 0.3 };
    const memory = remembering([failed, distant]);
    const ports = { ...withModels(() => answer(0.9)), memory };

    await execute(MESSAGE, ports);

    expect(ports.router.questions[0]?.avoided).toEqual([
      { model_id: "small", memory_ids: ["mem_1"] },
    ]);
    expect(ports.said[0]).toMatchObject({
      data: { model_selected: "large", required_resources: { memory_ids: ["mem_1", "mem_2"] } },
    });
    expect(memory.settled).toEqual([
      { task_id: "task-1", memory_ids: ["mem_1", "mem_2"], score: 0.9 },
    ]);
  });

  it("completes whatever becomes of what it teaches", async () => {
    const logged: string[] = [];
    const ports = withModels(() => answer(0.9));
    const broken = { ...ports.router, learn: () => Promise.reject(new Error("down")) };

    await execute(MESSAGE, {
      ...ports,
      router: broken,
      log: (_level, event) => void logged.push(event),
    });

    expect(ports.ends).toMatchObject([{ reason: "success" }]);
    expect(logged).toContain("outcome_not_learned");
  });
});

/** The newest checkpoint that a run has written. */
function checkpointOf({ beats }: { beats: { checkpoint?: unknown }[] }): Record<string, unknown> {
  const written = beats.flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [checkpoint]));
  return JSON.parse(JSON.stringify(written.at(-1) ?? {}));
}

function again(
  ports: ReturnType<typeof withModels>,
  task: Record<string, unknown>,
  checkpoint: unknown,
): ReturnType<typeof withModels> {
  const lease = { token: "token-2", attempt: 2, expires_at: "2026-11-22T10:10:00.000Z" };
  return { ...ports, take: async () => ok({ task: taskText(task, checkpoint, 2), lease }) };
}
