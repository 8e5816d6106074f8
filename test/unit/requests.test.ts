import { describe, expect, it } from "vitest";

import { createRequests } from "../../src/dispatch/request/requests.ts";
import type { RequestsParts } from "../../src/dispatch/request/requests.ts";
import { refuse } from "../../src/lib/result.ts";
import { planSchema, requestSchema, requestViewSchema } from "../../src/protocol/request.ts";
import { contractFaults } from "../../src/task/machine/gates.ts";
import { outputFaults } from "../../src/task/machine/output-schema.ts";
import { BY, FakeBatches, sentOf } from "./fake-batches.ts";

const GOAL = "First collect the figures, then check them, finally write it up";

function subject(more: Partial<RequestsParts> = {}) {
  const fake = new FakeBatches();
  const requests = createRequests(fake.parts(more));
  const submit = (fields: Record<string, unknown>, key: string | null = null) => {
    const body = { goal: GOAL, ...fields };
    return requests.submit(BY, requestSchema.parse(body), sentOf(body, key));
  };
  return { fake, requests, submit };
}

describe("a request", () => {
  it("is planned by rules and becomes linked tasks", async () => {
    const { fake, submit } = subject();

    const done = await submit({});

    expect(done).toMatchObject({
      value: {
        isNew: true,
        view: {
          request_id: "req_new1",
          state: "running",
          plan: { strategy: "split", source: "words" },
          tasks: [{ status: "running" }, { status: "running" }, { status: "running" }],
          tokens: { orchestrator: 0, executor: 21 },
        },
      },
    });
    expect(done.ok && requestViewSchema.safeParse(done.value.view).error).toBeUndefined();
    const [first, second] = fake.plan.items;
    expect(second?.task.parameters?.dependencies).toEqual([first?.task_id]);
    expect(fake.plan.items.map(({ after }) => after)).toEqual([[], [0], [1]]);
    expect(fake.checked).toHaveLength(3);
  });

  it("is found again by its idempotency key, and refuses another body", async () => {
    const { fake, submit } = subject();

    await submit({}, "k");

    expect(await submit({}, "k")).toMatchObject({ value: { isNew: false } });
    expect(await submit({ tags: ["x"] }, "k")).toMatchObject({
      refusal: { code: "idempotency_conflict" },
    });
    expect(fake.records.size).toBe(1);
  });

  it("is only shown on a dry run: nothing is stored", async () => {
    const { fake, submit } = subject();

    const done = await submit({ dry_run: true });

    expect(done).toMatchObject({
      value: {
        isNew: false,
        view: { request_id: null, state: "planned", plan: { strategy: "split" }, tasks: [] },
      },
    });
    expect(fake.records.size).toBe(0);
  });

  it("asks somebody about an escalated plan before anything starts, and nothing starts after a no", async () => {
    const { fake, submit } = subject({ roster: async () => [] });

    await submit({
      goal: "In parallel:\n- Collect the figures\n- Read the sources\n- Ask the users",
      constraints: { on_failed_dependency: "continue" },
    });

    const [first, second, third] = fake.plan.items;
    expect(first?.approval?.question).toContain("no executor fits step 1");
    expect([second?.approval, third?.approval]).toEqual([null, null]);
    for (const item of [second, third]) {
      expect(item?.after).toEqual([0]);
      expect(item?.task.parameters).toMatchObject({
        dependencies: [first?.task_id],
        on_failed_dependency: "fail",
      });
    }
  });

  it.each([
    {
      name: "steps in a circle",
      steps: [
        { description: "one", depends_on: [1] },
        { description: "two", depends_on: [0] },
      ],
      refusal: { code: "dependency_cycle", errors: [{ pointer: "/steps/0/depends_on" }, {}] },
    },
    {
      name: "a step that is not there",
      steps: [{ description: "one", depends_on: [5] }],
      refusal: { code: "validation_failed", errors: [{ pointer: "/steps/0/depends_on" }] },
    },
  ])("is refused, and nothing stored: $name", async ({ steps, refusal }) => {
    const { fake, submit } = subject();

    expect(await submit({ steps })).toMatchObject({ refusal });
    expect(fake.records.size).toBe(0);
  });

  it("is refused where the goal's own list goes in a circle", async () => {
    const { submit } = subject();

    const done = await submit({ goal: "1. Write it using step 2\n2. Collect the figures" });

    expect(done).toMatchObject({
      refusal: { code: "dependency_cycle", errors: [{ pointer: "/goal" }, {}] },
    });
    // The list counts from 1, and so does what is said of it.
    expect(done.ok ? "" : done.refusal.detail).toContain("step 1 → step 2 → step 1");
  });

  it("is refused with more steps than a plan has before anything is looked at", async () => {
    const { fake, submit } = subject();

    const done = await submit({ goal: "- aaa\n".repeat(1_400), dry_run: true });

    expect(done).toMatchObject({ refusal: { code: "plan_rejected" } });
    expect(fake.checked).toEqual([]);
  });

  it.each([{ goal: " ".repeat(20) }, { steps: [{ description: "    " }] }])(
    "is no request when blank: %j",
    (fields) => {
      expect(requestSchema.safeParse({ goal: GOAL, ...fields }).success).toBe(false);
    },
  );

  it("names the step whose contract can't be checked", async () => {
    const { submit } = subject({
      check: async (_by, task) => {
        const errors = contractFaults(task);
        return errors.length === 0
          ? null
          : { code: "validation_failed", detail: "the contract", errors };
      },
    });

    const done = await submit({
      steps: [{ description: "one" }, { description: "two", output_schema: { type: "magic" } }],
    });

    expect(done).toMatchObject({
      refusal: {
        code: "validation_failed",
        errors: [{ pointer: expect.stringMatching(/^\/steps\/1\/output_schema/) }],
      },
    });
  });

  it("is not found under the id of a batch or of nothing", async () => {
    const { fake, requests, submit } = subject();
    await submit({}, "k");
    const [id = ""] = fake.records.keys();
    const record = fake.records.get(id);
    if (record) fake.records.set("b1", { ...record, plan: { ...record.plan, request: null } });

    for (const unknown of ["b1", "req_unknown"]) {
      const refused = { refusal: { code: "request_not_found" } };
      expect(await requests.view(BY, unknown)).toMatchObject(refused);
      expect(await requests.cancel(BY, unknown, null)).toMatchObject(refused);
    }
    expect(fake.records.get("b1")?.stop).toBeNull();
    expect(await requests.cancel(BY, id, null)).toMatchObject({
      value: { stop: { message: "The request was cancelled" } },
    });
  });
});

describe("a request of which a task was removed", () => {
  it("does not know what its executors used, which is not nothing", async () => {
    const gone = refuse({ code: "task_gone" as const, detail: "It was removed." });
    const { submit } = subject({ view: async () => gone });

    const done = await submit({});

    expect(done).toMatchObject({
      value: { view: { tokens: { orchestrator: 0, executor: null } } },
    });
    expect(done.ok && requestViewSchema.safeParse(done.value.view).error).toBeUndefined();
  });
});

describe("a request that an executor plans", () => {
  it("waits for a task whose result must be a plan", async () => {
    const { fake, submit } = subject();

    const done = await submit({ planning: "executor", planner_requires: { agent_id: "ann" } });

    expect(done).toMatchObject({
      value: { view: { state: "planning", plan: null, tasks: [], tokens: { executor: 7 } } },
    });
    const planner = fake.plan.request?.planner;
    expect(planner?.task.requires).toEqual({ agent_id: "ann" });
    expect(planner?.approval).toBeNull();
    const schema = planner?.task.contract?.output_schema ?? {};
    expect(outputFaults(schema, { steps: [{ description: "one", depends_on: [] }] })).toEqual([]);
    expect(outputFaults(schema, { steps: [] })).not.toEqual([]);
    expect(planner && contractFaults(planner.task)).toEqual([]);
  });

  it("asks whether the planning may wait when nobody can plan", async () => {
    const { fake, submit } = subject();

    await submit({ planning: "executor" });

    expect(fake.plan.request?.planner?.task.requires).toEqual({ capabilities: ["planning"] });
    expect(fake.plan.request?.planner?.approval?.question).toContain("lacks capability planning");
  });

  async function expanded(result: unknown, more: Partial<RequestsParts> = {}) {
    const { fake, requests, submit } = subject(more);
    await submit({ planning: "executor" });
    return requests.expand(fake.plan, result);
  }

  it("becomes the tasks of the plan", async () => {
    const plan = planSchema.parse({
      steps: [{ description: "research it" }, { description: "write it", depends_on: [0] }],
    });

    expect(await expanded(plan)).toMatchObject({
      value: {
        plan: { source: "executor", strategy: "split" },
        items: [{ after: [] }, { after: [0] }],
      },
    });
  });

  it.each([
    { name: "no plan", result: "do this, then that", pointer: "" },
    { name: "no steps", result: { steps: [] }, pointer: "/steps" },
    {
      name: "too many steps",
      result: { steps: Array.from({ length: 101 }, () => ({ description: "one" })) },
      pointer: "/steps",
    },
    {
      name: "a circle",
      result: { steps: [{ description: "one", depends_on: [0] }] },
      pointer: "/steps/0/depends_on",
    },
    {
      name: "a step that is not there",
      result: { steps: [{ description: "one", depends_on: [7] }] },
      pointer: "/steps/0/depends_on",
    },
  ])("is rejected where the result is none: $name", async ({ result, pointer }) => {
    const refusal = { code: "plan_rejected", errors: [{ pointer }] };

    expect(await expanded(result)).toMatchObject({ ok: false, refusal });
  });

  it("is rejected when one of its tasks can't be created", async () => {
    let checks = 0;
    const check: RequestsParts["check"] = async () => {
      checks += 1;
      return checks === 1 ? null : { code: "endpoint_refused", detail: "not this one" };
    };

    expect(await expanded({ steps: [{ description: "one" }] }, { check })).toMatchObject({
      refusal: { code: "plan_rejected", detail: "not this one" },
    });
  });
});
