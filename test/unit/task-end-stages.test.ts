import { describe, expect, it, vi } from "vitest";

import { endPhaseLimitMs } from "../../src/protocol/end-phases.ts";
import { adviceOf, debtsOf } from "../../src/task/finish/debts.ts";
import { StageRegistry } from "../../src/task/finish/stage.ts";
import type { EndStage } from "../../src/task/finish/stage.ts";
import { endStages } from "../../src/task/finish/stages.ts";
import { SYSTEM, hasVerdict } from "../../src/task/machine/state.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import { IN_PHASE, START, end, live, stateOf } from "../task-life.ts";

const done = async () => "done" as const;

function settled(state: TaskState = stateOf(live(IN_PHASE.executing(), end("failure")))) {
  if (!hasVerdict(state)) throw new Error("no verdict yet");
  return state;
}

function stageOf(name: string, more: Partial<EndStage> = {}): EndStage {
  return { name, phase: "cleanup", check: `${name} checked`, run: done, ...more };
}

const said = (stages: StageRegistry) => ({ stages, failed: () => {} });

describe("the stages of an end", () => {
  it("are those of the phase that serve the task's type and have something to do", () => {
    const registry = new StageRegistry();
    registry.register(stageOf("every"));
    registry.register(stageOf("deployments", { task_types: ["deployment"] }));
    registry.register(stageOf("idle", { concerns: () => false }));
    registry.register(stageOf("later", { phase: "reporting" }));
    const names = (task_type: TaskState["task"]["task_type"]) => {
      const state = settled();
      const task = { ...state.task, task_type };
      return registry.of({ ...state, task }, "cleanup").map(({ name }) => name);
    };

    expect(names("research")).toEqual(["every"]);
    expect(names("deployment")).toEqual(["every", "deployments"]);
  });

  it("that cannot say whether they have something to do are run", () => {
    const registry = new StageRegistry();
    registry.register(
      stageOf("broken", {
        concerns: () => {
          throw new Error("broken");
        },
      }),
    );

    expect(registry.of(settled(), "cleanup").map(({ name }) => name)).toEqual(["broken"]);
  });

  it("have names and checks of their own, and can be taken away", () => {
    const registry = new StageRegistry();
    const remove = registry.register(stageOf("one"));

    expect(() => registry.register(stageOf("one", { check: "another" }))).toThrow(RangeError);
    expect(() => registry.register(stageOf("two", { check: "one checked" }))).toThrow(RangeError);
    remove();
    expect(registry.find("one")).toBeNull();
    expect(() => registry.register(stageOf("one"))).not.toThrow();
  });

  it("of a plain task are the memory and the slot, the report and the outbox", () => {
    const state = settled();

    expect(
      (["cleanup", "reporting", "notification"] as const).map((phase) =>
        endStages.of(state, phase).map(({ name }) => name),
      ),
    ).toEqual([["short_term_memory", "slot"], ["report"], ["outbox"]]);
  });
});

describe("what an end leaves undone", () => {
  const record = (check: string, passed: boolean) => ({
    name: "cleanup" as const,
    outcome: "fallback" as const,
    started_at: new Date(START).toISOString(),
    ended_at: new Date(START).toISOString(),
    attempts: 1,
    checks: [{ name: check, passed, detail: "" }],
  });

  it("is named with stage, owner and expiry, and counted from 1", () => {
    expect(debtsOf(settled(), [record("slot released", false)], said(endStages))).toMatchObject([
      {
        debt_id: "debt_1_task-1",
        kind: "slot",
        stage: "slot",
        what: "the slot of attempt 1",
        owner: "pool default",
      },
    ]);
    expect(debtsOf(settled(), [record("slot released", true)], said(endStages))).toEqual([]);
  });

  it("of a stage that does not say it is its check, owed by the system for a day", () => {
    const registry = new StageRegistry();
    registry.register(stageOf("bucket"));
    const state = settled();

    expect(debtsOf(state, [record("bucket checked", false)], said(registry))).toEqual([
      {
        debt_id: "debt_1_task-1",
        kind: "stage",
        stage: "bucket",
        what: "bucket checked",
        owner: "batuta",
        expires_at: new Date(state.updated_at + 86_400_000).toISOString(),
      },
    ]);
  });

  it("names cleanup actions that came too late for the phase, clipped", () => {
    const action = "x".repeat(5_000);
    const command = {
      command_id: "cleanup_1_task-1",
      command: "cleanup" as const,
      state: "unresponsive" as const,
      reason: null,
      action,
      requested_at: START,
      actor: SYSTEM,
    };
    const state = { ...settled(), commands: [command] };

    const [debt] = debtsOf(state, [record("slot released", true)], said(endStages));

    expect(debt).toMatchObject({ kind: "action", stage: "cleanup_actions", owner: "agent ann" });
    expect(debt?.what).toHaveLength(1_000);
  });

  it("is the check, where a stage cannot say what it owes; its silence is told", () => {
    const registry = new StageRegistry();
    const failed = vi.fn();
    const broken = () => {
      throw new Error("broken");
    };
    registry.register(stageOf("bucket", { debts: broken, advice: broken }));
    const parts = { stages: registry, failed };

    expect(debtsOf(settled(), [record("bucket checked", false)], parts)).toMatchObject([
      { kind: "stage", what: "bucket checked", owner: "batuta" },
    ]);
    expect(adviceOf(settled(), [record("bucket checked", true)], parts)).toEqual([]);
    expect(failed).toHaveBeenCalledTimes(2);
  });

  it("has the advice of the stages that took part", () => {
    const registry = new StageRegistry();
    registry.register(stageOf("target", { advice: () => ["Verify the target"] }));

    expect(adviceOf(settled(), [record("target checked", true)], said(registry))).toEqual([
      "Verify the target",
    ]);
    expect(adviceOf(settled(), [], said(registry))).toEqual([]);
  });
});

describe("the limit of an end phase", () => {
  const task = (cleanup?: number) => ({
    task_type: "deployment" as const,
    execution_options: cleanup === undefined ? {} : { end_phase_limits: { cleanup } },
  });

  it("is the task's, else its type's, else the installation's, else 30 s", () => {
    const installed = { cleanup: 60, types: { deployment: { cleanup: 120 } } };

    expect([
      endPhaseLimitMs("cleanup", task(10), installed),
      endPhaseLimitMs("cleanup", task(), installed),
      endPhaseLimitMs("cleanup", { ...task(), task_type: "research" }, installed),
      endPhaseLimitMs("reporting", task(10), installed),
    ]).toEqual([10_000, 120_000, 60_000, 30_000]);
  });
});
