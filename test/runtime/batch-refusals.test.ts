import { describe, expect, it } from "vitest";

import type { BatchView } from "../../src/protocol/batch.ts";
import { submitFor } from "./batch-submission.ts";
import { Executor, call } from "./batuta.ts";

describe("a batch over REST", () => {
  it("answers a repeated submission with the same batch, and refuses another body", async () => {
    const tasks = [
      {
        task_type: "research",
        description: "one task of a batch",
        requires: { agent_id: "nobody" },
      },
    ];
    const headers = { "idempotency-key": "batch-key" };

    const first = await call<BatchView>("POST", "/v1/batches", { tasks }, headers);
    const again = await call<BatchView>("POST", "/v1/batches", { tasks }, headers);
    const other = await call("POST", "/v1/batches", { tasks: [...tasks, ...tasks] }, headers);

    expect([first.status, again.status, other.status]).toEqual([202, 200, 409]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body.batch_id).toBe(first.body.batch_id);
    expect(other.body).toMatchObject({
      code: "idempotency_conflict",
      existing_batch_id: first.body.batch_id,
    });
  });

  it.each([
    {
      name: "a task that breaks its schema",
      tasks: [{ task_id: "bad-1" }, { priority: "utmost" }],
      status: 400,
      code: "validation_failed",
      pointer: "/tasks/1/priority",
    },
    {
      name: "a prerequisite that does not exist",
      tasks: [{ task_id: "bad-2" }, { parameters: { dependencies: ["nowhere"] } }],
      status: 422,
      code: "dependency_not_found",
      pointer: "/tasks/1/parameters/dependencies/0",
    },
    {
      name: "a circle",
      tasks: [
        { task_id: "bad-3", parameters: { dependencies: ["bad-4"] } },
        { task_id: "bad-4", parameters: { dependencies: ["bad-3"] } },
      ],
      status: 422,
      code: "dependency_cycle",
      pointer: "/tasks/0/parameters/dependencies",
    },
    {
      name: "a contract that can't be checked",
      tasks: [{ task_id: "bad-5" }, { contract: { output_schema: { type: "magic" } } }],
      status: 400,
      code: "validation_failed",
      pointer: "/tasks/1/contract/output_schema/type",
    },
    {
      name: "an id that comes twice",
      tasks: [{ task_id: "bad-6" }, { task_id: "bad-6" }],
      status: 400,
      code: "validation_failed",
      pointer: "/tasks/1/task_id",
    },
    {
      name: "a parent that does not exist",
      tasks: [{ task_id: "bad-7" }, { parent_task_id: "nobody" }],
      status: 422,
      code: "parent_refused",
      pointer: "/tasks/1/parent_task_id",
    },
  ])("is refused as a whole, and nothing is created: $name", async ({ tasks, ...expected }) => {
    const agent = new Executor("batch-refused");
    const { status, body } = await submitFor(agent, {
      tasks,
      batch_id: `refused-${expected.code}`,
      batch_options: { execution_mode: "parallel" },
    });

    expect(status).toBe(expected.status);
    expect(body).toMatchObject({ code: expected.code });
    expect(JSON.stringify(body)).toContain(`"pointer":"${expected.pointer}"`);
    const id = tasks[0]?.task_id ?? "";
    expect((await call("GET", `/v1/tasks/${id}`)).status).toBe(404);
    expect((await call("GET", `/v1/batches/refused-${expected.code}`)).status).toBe(404);
  });

  it("refuses the id of a task that exists", async () => {
    const agent = new Executor("batch-taken");
    await call("POST", "/v1/tasks", {
      task_id: "taken-1",
      task_type: "research",
      description: "a task that is there already",
      requires: { agent_id: "nobody" },
    });

    const { status, body } = await submitFor(agent, { tasks: [{ task_id: "taken-1" }] });

    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "idempotency_conflict",
      errors: [{ pointer: "/tasks/0/task_id" }],
    });
  });

  it("is nobody else's, and unknown ones are not found", async () => {
    for (const [method, path] of [
      ["GET", "/v1/batches/unknown"],
      ["POST", "/v1/batches/unknown/cancel"],
    ] as const) {
      const { status, body } = await call(method, path, method === "POST" ? {} : undefined);
      expect([status, body["code"]]).toEqual([404, "batch_not_found"]);
    }
  });
});
