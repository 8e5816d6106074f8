import { describe, expect, it } from "vitest";

import { createBatches } from "../../src/dispatch/batch/batches.ts";
import type { RequestsParts } from "../../src/dispatch/request/requests.ts";
import { taskBatchSchema } from "../../src/protocol/batch.ts";
import { BY, FakeBatches, sentOf } from "./fake-batches.ts";

const TASK = { task_type: "general", description: "one task of a batch" };
const BODY = { tasks: [TASK, { ...TASK, task_id: "mine" }] };

function subject(more: Partial<RequestsParts> = {}) {
  const fake = new FakeBatches();
  const batches = createBatches(fake.parts(more));
  const submit = (body: Record<string, unknown>, key: string | null = null) =>
    batches.submit(BY, taskBatchSchema.parse(body), sentOf(body, key));
  return { fake, batches, submit };
}

describe("a submitted batch", () => {
  it("gives each task its own id or one that follows from the batch's", async () => {
    const { fake, submit } = subject();

    const done = await submit(BODY);

    expect(done).toMatchObject({
      ok: true,
      value: {
        isNew: true,
        view: {
          batch_id: "batch_new1",
          state: "running",
          outcomes: [{ index: 0 }, { index: 1, task_id: "mine", status: "pending" }],
          counts: { total: 2, running: 1, pending: 1 },
        },
      },
    });
    expect(fake.plan.items[0]?.task_id).toMatch(/^task_\w{22}$/);
    expect(fake.plan.items.map(({ after }) => after)).toEqual([[], [0]]);
    expect(fake.plan.items[0]?.assessment.band).toBe("low");
  });

  it("asks only those tasks whose status it can't know", async () => {
    const { fake, submit } = subject();

    await submit({ ...BODY, batch_options: { execution_mode: "sequential" } });

    expect(fake.viewed).toEqual([fake.plan.items[0]?.task_id]);
  });

  it("asks a task that may wait for an answer although it was not let go", async () => {
    const { fake, submit } = subject();
    const manual = { ...TASK, execution_options: { autonomy_level: "manual" }, task_id: "m" };

    await submit({ tasks: [TASK, manual] });

    expect(fake.viewed).toContain("m");
  });

  it("is found again by its idempotency key or its id, and refuses another body", async () => {
    const { fake, submit } = subject();
    const named = { ...BODY, batch_id: "b1" };

    const [first, again, other] = [
      await submit(BODY, "k"),
      await submit(BODY, "k"),
      await submit({ tasks: [TASK] }, "k"),
    ];

    expect(first).toMatchObject({ value: { isNew: true } });
    expect(again).toMatchObject({ value: { isNew: false } });
    expect(other).toMatchObject({ refusal: { code: "idempotency_conflict" } });
    await submit(named);
    expect(await submit(named)).toMatchObject({
      value: { isNew: false, view: { batch_id: "b1" } },
    });
    expect(fake.records.size).toBe(2);
  });

  it("is refused as a whole with every fault of its tasks, and nothing is created", async () => {
    const { fake, submit } = subject();
    const missing = {
      code: "dependency_not_found",
      detail: "no such task",
      errors: [{ pointer: "/parameters/dependencies/0", code: "x", detail: "no such task" }],
    } as const;
    fake.refusals.set("a", { ...missing, errors: [...missing.errors] });
    fake.refusals.set("c", { code: "idempotency_conflict", detail: "another request" });

    const done = await submit({ tasks: ["a", "b", "c"].map((task_id) => ({ ...TASK, task_id })) });

    expect(done).toMatchObject({
      ok: false,
      refusal: {
        errors: [
          { pointer: "/tasks/0/parameters/dependencies/0" },
          {
            pointer: "/tasks/2/task_id",
            detail: "There is a task c already; give another id, or none.",
          },
        ],
      },
    });
    expect(fake.checked).toEqual(["a", "b", "c"]);
    expect(fake.records.size).toBe(0);
  });

  it("is refused as a whole when a parent can't have all of its tasks together", async () => {
    const asked: unknown[] = [];
    const { fake, submit } = subject({
      checkChildren: async (_by, parent, children) => {
        asked.push([parent, children.map(({ task_id }) => task_id)]);
        return {
          code: "budget_exceeded",
          detail: "too many",
          errors: [{ pointer: "/parent_task_id", code: "budget_exceeded", detail: "too many" }],
        };
      },
    });
    const child = (task_id: string, parent_task_id: string) => ({
      ...TASK,
      task_id,
      parent_task_id,
    });

    const done = await submit({
      tasks: [
        child("a", "p"),
        child("b", "p"),
        child("c", "other"),
        child("d", "a"),
        child("e", "a"),
      ],
    });

    // One child alone has been asked about already; a parent in the batch is not there to be asked.
    expect(asked).toEqual([["p", ["a", "b"]]]);
    expect(done).toMatchObject({
      refusal: {
        code: "budget_exceeded",
        errors: [{ pointer: "/tasks/0/parent_task_id" }, { pointer: "/tasks/1/parent_task_id" }],
      },
    });
    expect(fake.records.size).toBe(0);
  });

  it("is refused before any task is looked at when they wait for each other", async () => {
    const { fake, submit } = subject();
    const waiting = (task_id: string, other: string) => ({
      ...TASK,
      task_id,
      parameters: { dependencies: [other] },
    });

    const done = await submit({ tasks: [waiting("a", "b"), waiting("b", "a")] });

    expect(done).toMatchObject({ refusal: { code: "dependency_cycle" } });
    expect(fake.checked).toEqual([]);
  });

  it("is shown and cancelled by its id", async () => {
    const { batches, submit } = subject();
    await submit({ ...BODY, batch_id: "b1" });

    expect(await batches.view(BY, "b1")).toMatchObject({ value: { stop: null } });
    expect(await batches.cancel(BY, "b1", null)).toMatchObject({
      value: { stop: { reason: "cancelled", message: "The batch was cancelled" } },
    });
    expect(await batches.view(BY, "b2")).toMatchObject({ refusal: { code: "batch_not_found" } });
    expect(await batches.cancel(BY, "b2", "x")).toMatchObject({
      refusal: { code: "batch_not_found" },
    });
  });
});
