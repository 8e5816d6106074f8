import { describe, expect, it } from "vitest";

import { approvalOf } from "../../src/dispatch/request/analyse.ts";
import { fitOf, rosterOf, snapshotOf } from "../../src/dispatch/request/roster.ts";
import type { AgentView } from "../../src/protocol/agent.ts";
import { planRecordSchema } from "../../src/protocol/request.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import { NOW, executorOf, planned, requestOf } from "./request-fixture.ts";

const BUSY = executorOf("ann", { slots_in_use: 2 });
const AWAY = executorOf("ann", { state: "offline" });
const STEPS = ["collect the figures", "check the figures", "write it up"].map((description) => ({
  description,
}));
const at = (seconds: number): string => new Date(NOW + seconds * 1_000).toISOString();
const TAKES_AN_HOUR = new Map([
  ["research", { runs: 9, success_rate: 1, p50_s: 3_600, p95_s: 4_000 }] as const,
]);

/** As demanding as a request can be. */
const CRITICAL = {
  goal: `Deploy it: ${"x".repeat(9_980)}`,
  input_data: { text: "y".repeat(1_000_000) },
  steps: Array.from({ length: 12 }, (_, index) => ({
    description: `deploy part ${index} of the release`,
    task_type: "deployment",
    estimated_duration: 20_000,
    output_schema: {
      type: "object",
      properties: Object.fromEntries(
        Array.from({ length: 10 }, (__, key) => [`p${key}`, { type: "string" }]),
      ),
    },
  })),
  constraints: {
    requires: { labels: { a: "1", b: "2", c: "3", d: "4" }, agent_id: "ann" },
    budget: { max_cost_usd: 1, max_tokens: 12, max_children: 1 },
  },
};
const LABELS = { a: "1", b: "2", c: "3", d: "4" };
const ABLE = executorOf("ann", { agent: { ...executorOf("ann").agent, labels: LABELS } });

describe("the strategy for a request", () => {
  it.each([
    { name: "one step, somebody free", fields: {}, facts: {}, strategy: "direct" },
    { name: "one step, all busy", fields: {}, facts: { roster: [BUSY] }, strategy: "queue" },
    { name: "one step, all away", fields: {}, facts: { roster: [AWAY] }, strategy: "queue" },
    { name: "three steps", fields: { steps: STEPS }, facts: {}, strategy: "split" },
    {
      name: "three steps, all busy",
      fields: { steps: STEPS },
      facts: { roster: [BUSY] },
      strategy: "split",
    },
    { name: "nobody there", fields: {}, facts: { roster: [] }, strategy: "escalate" },
    {
      name: "nobody that fits",
      fields: { constraints: { requires: { capabilities: ["gpu"] } } },
      facts: {},
      strategy: "escalate",
    },
    {
      name: "one step of several that nobody fits",
      fields: { steps: [...STEPS, { description: "print it", requires: { agent_id: "printer" } }] },
      facts: {},
      strategy: "escalate",
    },
    {
      name: "a deadline that has passed",
      fields: { constraints: { deadline: at(-1) } },
      facts: {},
      strategy: "escalate",
    },
    {
      name: "a deadline sooner than it usually takes",
      fields: { constraints: { deadline: at(3_599) } },
      facts: { history: TAKES_AN_HOUR },
      strategy: "escalate",
    },
    {
      name: "a deadline that can be met",
      fields: { constraints: { deadline: at(3_600) } },
      facts: { history: TAKES_AN_HOUR },
      strategy: "direct",
    },
    {
      name: "more steps than attempts",
      fields: { steps: STEPS, constraints: { budget: { max_attempts: 2 } } },
      facts: {},
      strategy: "escalate",
    },
    {
      name: "less wall time than it usually takes",
      fields: { constraints: { budget: { max_duration_s: 60 } } },
      facts: { history: TAKES_AN_HOUR },
      strategy: "escalate",
    },
    {
      name: "critical complexity",
      fields: CRITICAL,
      facts: { roster: [ABLE] },
      strategy: "escalate",
    },
    {
      name: "critical complexity, autonomous",
      fields: {
        ...CRITICAL,
        constraints: { ...CRITICAL.constraints, autonomy_level: "autonomous" },
      },
      facts: { roster: [ABLE] },
      strategy: "split",
    },
  ])("is $strategy: $name", ({ fields, facts, strategy }) => {
    const { plan } = planned(requestOf(fields), facts);

    expect(plan.strategy).toBe(strategy);
    expect(plan.reasons).not.toEqual([]);
    expect(planRecordSchema.safeParse(plan).error).toBeUndefined();
  });

  it("keeps what it was made from: counts, complexity, time, snapshot", () => {
    const request = requestOf({ constraints: { deadline: at(7_200) } });

    const { plan } = planned(request, {
      history: TAKES_AN_HOUR,
      roster: [executorOf("ann"), BUSY],
    });

    expect(plan.inputs).toMatchObject({
      steps: 1,
      executors_known: 2,
      executors_fit: 2,
      slots_free: 2,
      estimated_s: 3_600,
      seconds_left: 7_200,
      contradictions: [],
    });
    expect(plan.inputs.complexity.features).toHaveProperty("duration");
    expect(plan.snapshot.snapshot_id).toBe("snap_1");
  });

  it("is the same for the same facts", () => {
    const request = requestOf({ steps: STEPS });

    expect(planned(request).plan).toEqual(planned(request).plan);
  });

  it("asks somebody about what was escalated, with the reasons, and about nothing else", () => {
    const { plan } = planned(requestOf(), { roster: [] });

    expect(approvalOf(plan)?.question).toContain(
      "no executor fits step 1: the pool has no executor",
    );
    expect(approvalOf(planned(requestOf()).plan)).toBeNull();
  });
});

describe("the tasks of a plan", () => {
  it("is one for one step", () => {
    const { tasks } = planned(requestOf());

    expect(tasks).toMatchObject([
      { description: "Research the market for bicycles", task_type: "research", parameters: {} },
    ]);
  });

  it("are three linked ones for three steps", () => {
    const { tasks } = planned(
      requestOf({ goal: "First collect, then check, finally write it up" }),
    );

    expect(tasks.map(({ task_id, parameters }) => [task_id, parameters?.dependencies])).toEqual([
      ["task_0", undefined],
      ["task_1", ["task_0"]],
      ["task_2", ["task_1"]],
    ]);
    for (const task of tasks) expect(taskExecutionSchema.safeParse(task).success).toBe(true);
  });

  it("have what the request says of them", () => {
    const { tasks } = planned(
      requestOf({
        steps: [
          { ...STEPS[0], estimated_duration: 200, requires: { agent_id: "ann" } },
          { ...STEPS[1], output_schema: { type: "object" } },
        ],
        input_data: { csv: "a,b" },
        context: { user_preferences: { language: "es" } },
        constraints: {
          priority: "high",
          pool: "lab",
          autonomy_level: "manual",
          deadline: at(600),
          on_failed_dependency: "continue",
          requires: { capabilities: ["lab"] },
          budget: { max_cost_usd: 3, max_tokens: 5, max_duration_s: 100, max_depth: 2 },
        },
        metadata: { project: "p" },
        tags: ["q4"],
      }),
    );

    expect(tasks[0]).toMatchObject({
      priority: "high",
      pool: "lab",
      timeout: 400,
      estimated_duration: 200,
      total_timeout: 600,
      requires: { agent_id: "ann" },
      parameters: { input_data: { csv: "a,b" } },
      execution_options: { autonomy_level: "manual" },
      context: {
        user_preferences: { language: "es" },
        memory_context: "Goal: Research the market for bicycles",
      },
      contract: { budget: { max_cost_usd: 1.5, max_tokens: 2, max_duration_s: 50, max_depth: 2 } },
      metadata: { project: "p", request_id: "req_1", step: 0 },
      tags: ["q4"],
    });
    expect(tasks[1]).toMatchObject({
      requires: { capabilities: ["lab"] },
      parameters: { dependencies: ["task_0"], on_failed_dependency: "continue" },
      contract: { output_schema: { type: "object" } },
    });
    expect(tasks[1]?.parameters?.input_data).toBeUndefined();
  });
});

describe("the roster of a pool", () => {
  const view: AgentView = {
    ...executorOf("ann").agent,
    agent_id: "ann",
    pools: ["lab"],
    url: null,
    version: null,
    state: "online",
    slots_in_use: 1,
    last_seen_at: null,
    stats: null,
  };
  const presence = {
    agent_id: "ann",
    state: "stale",
    slots_in_use: 1,
  } as const;

  it("has who is registered for it, and the built-in executor, which is in every pool", () => {
    const sam = { ...view, agent_id: "sam", capabilities: ["builtin"], pools: ["default"] };
    const bob = { ...view, agent_id: "bob", pools: ["other"] };
    const there = [presence, { ...presence, agent_id: "sam", state: "online" as const }];

    const roster = rosterOf("lab", [sam, bob, view], there);

    expect(roster).toMatchObject([
      { agent: { agent_id: "ann" }, state: "stale", slots_in_use: 1 },
      { agent: { agent_id: "sam", isBuiltin: true }, state: "online" },
    ]);
  });

  it("knows who drains and who was never there", () => {
    expect(rosterOf("lab", [{ ...view, state: "draining" }], [presence])[0]?.state).toBe(
      "draining",
    );
    expect(rosterOf("lab", [view], [])[0]).toMatchObject({ state: "offline", slots_in_use: 0 });
  });

  it("says who fits a task, and why nobody does", () => {
    const task = taskExecutionSchema.parse({
      task_type: "testing",
      description: "test the parser",
      requires: { capabilities: ["gpu"] },
    });
    const able = executorOf("bob", {
      agent: { ...executorOf("bob").agent, capabilities: ["gpu"] },
    });

    expect(fitOf([executorOf("ann"), able], task)).toMatchObject({ fitting: 1, free: 2 });
    expect(fitOf([executorOf("ann")], task)).toMatchObject({
      fitting: 0,
      free: 0,
      why: "lacks capability gpu",
    });
  });

  it("has a snapshot whose id says whether anything has changed", async () => {
    const one = await snapshotOf("lab", [executorOf("ann")], NOW);
    const later = await snapshotOf("lab", [executorOf("ann")], NOW + 1);
    const busier = await snapshotOf("lab", [BUSY], NOW);

    expect(one.executors).toEqual([
      { agent_id: "ann", state: "online", slots: 2, slots_in_use: 0 },
    ]);
    expect(later.snapshot_id).toBe(one.snapshot_id);
    expect(busier.snapshot_id).not.toBe(one.snapshot_id);
  });
});
