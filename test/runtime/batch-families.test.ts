import { describe, expect, it } from "vitest";

import type { BatchView } from "../../src/protocol/batch.ts";
import { Executor, call, ended, eventually, submit, view } from "./batuta.ts";

/* Families whose parents belong to a batch, from outside, over REST, with real alarms. */

const newId = (): string => `f${crypto.randomUUID()}`;
const item = (more: object) => ({
  task_type: "research",
  description: "one task of a batch",
  ...more,
});
const wants = (capability: string) => ({ requires: { capabilities: [capability] } });

async function submitBatch(tasks: object[], execution_mode: string, max_concurrent = 3) {
  const batch_options = { execution_mode, max_concurrent };
  const made = await call<BatchView>("POST", "/v1/batches", { batch_options, tasks });
  expect(made.status).toBe(202);
  return made.body;
}

/** Has an executor claim a task and do it at once. */
async function doOne(executor: Executor): Promise<string> {
  await executor.claim();
  await executor.start();
  await executor.complete([executor.task_id]);
  await executor.end();
  return executor.task_id;
}

describe("a parent in a batch", () => {
  it("gets the children that come with it, whatever their order and the places there are", async () => {
    const executor = await new Executor("bf-order").register();
    const parent = newId();
    const child = item({ parent_task_id: parent, ...wants("bf-order") });
    const tasks = [child, item({ task_id: parent, subtasks: { expected: 2 } }), child];

    const made = await submitBatch(tasks, "parallel", 1);
    const first = await doOne(executor);
    const second = await doOne(executor);
    const done = await ended(parent);

    expect(made.outcomes).toHaveLength(3);
    expect(made.outcomes.every((outcome) => "task_id" in outcome)).toBe(true);
    expect(done).toMatchObject({ end_reason: "success", result: [first, second] });
  });

  it("ends after its children in mode sequential, and before whoever comes next", async () => {
    const executor = await new Executor("bf-turns").register();
    const [parent, child, next] = [newId(), newId(), newId()];
    await submitBatch(
      [
        item({ task_id: parent, subtasks: { expected: 1 } }),
        item({ task_id: child, parent_task_id: parent, ...wants("bf-turns") }),
        item({ task_id: next, ...wants("bf-turns") }),
      ],
      "sequential",
    );

    const order = [await doOne(executor), await doOne(executor)];

    expect(order).toEqual([child, next]);
    const [before, after] = [await ended(parent), await ended(next)];
    expect(before.end_reason).toBe("success");
    expect(Date.parse(before.ended_at ?? "")).toBeLessThanOrEqual(Date.parse(after.ended_at ?? ""));
  });

  it("that its batch holds back holds back a child that comes later, and lets it go", async () => {
    const executor = await new Executor("bf-held").register();
    const [first, parent] = [newId(), newId()];
    await submitBatch(
      [
        item({ task_id: first, ...wants("bf-held") }),
        item({ task_id: parent, subtasks: { expected: 1 } }),
      ],
      "sequential",
    );
    const child = await submit({ parent_task_id: parent, ...wants("bf-held") });
    const { body: why } = await call("GET", `/v1/tasks/${child.task_id}/explain`);

    await doOne(executor);
    await eventually(
      () => view(child.task_id),
      ({ phase }) => phase === "queued",
    );

    expect(child.phase).toBe("waiting_dependencies");
    expect(why).toMatchObject({ waiting_for: [{ kind: "parent" }, { kind: "clock" }] });
    expect(await doOne(executor)).toBe(child.task_id);
    expect((await ended(parent)).end_reason).toBe("success");
  });
});
