import { describe, expect, it } from "vitest";

import { execute } from "../../src/executor/engine.ts";
import type { ExecutorPorts } from "../../src/executor/ports.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import {
  answer,
  desk,
  fault,
  firstFit,
  found,
  MESSAGE,
  scripted,
  typesOf,
  ASKED,
  SMALL,
  withModels,
} from "../executor-desk.ts";
import type { Script } from "../executor-desk.ts";

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
      "small",
      "small",
      "large",
      "large",
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

    await execute(MESSAGE, {
      ...ports,
      sleep: (ms, signal) => {
        waits.push(ms);
        return ports.sleep(ms, signal);
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
      { source: "fault", provider: "failed", reward: null, is_success: false },
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

  it("chooses by the text that an address names, and puts all else of the input before the model", async () => {
    const task = {
      task_type: "general",
      parameters: { input_data: { url: "https://a.example/x", style: "brief" } },
    };
    const order: string[] = [];
    const fetchInput = async () => {
      order.push("fetched");
      return ok({ text: "word ".repeat(2_000) });
    };
    const ports = withModels(() => answer(0.9), task);
    const hurried = withModels(() => answer(0.9), { ...task, heartbeat_timeout: 10 });
    const notify: ExecutorPorts["notify"] = async (_to, { notification_type }) =>
      ok(order.push(notification_type));

    await execute(MESSAGE, { ...ports, fetchInput, notify });
    const waited = order.splice(0);
    await execute(MESSAGE, { ...hurried, fetchInput, notify });

    expect(ports.router.questions[0]?.input_characters).toBeGreaterThan(10_000);
    expect(ports.models.asked[0]?.turns[0]?.text).toMatch(/"style":"brief","text":"word word/);
    expect(waited.slice(0, 2)).toEqual(["fetched", "task_started"]);
    expect(order.slice(0, 2)).toEqual(["task_started", "fetched"]);
  });

  it("asks what to do when no model is left for what its skills can't do", async () => {
    const router = {
      ...firstFit(),
      choose: async () =>
        refuse({
          decision_id: "d",
          removed: [{ model_id: "small", filter: "preference", reason: "not local" }],
          record: {},
        }),
    };
    const ports = desk(ASKED, { models: scripted([SMALL], () => answer(1)), router });

    await execute(MESSAGE, ports);

    expect(typesOf(ports)).toEqual(["task_started", "task_escalated"]);
    expect(JSON.stringify(ports.said.at(-1))).toContain("small: not local");
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
