import { describe, expect, it } from "vitest";

import { Executor, call, ended, eventually, submit, view } from "./batuta.ts";

interface Claimed {
  tasks: { task: { task_id: string }; lease: { token: string } }[];
}

describe("slots of an executor", () => {
  it("are never exceeded by fifty submits and twenty claims at one time", async () => {
    const slots = 5;
    await call("PUT", "/v1/agents/narrow", { capabilities: ["narrow"], slots });
    const requires = { capabilities: ["narrow"] };
    const submitted = await Promise.all(Array.from({ length: 50 }, () => submit({ requires })));

    const claims = await Promise.all(
      Array.from({ length: 20 }, () =>
        call<Claimed>("POST", "/v1/agents/narrow/claim", { max_tasks: 10 }),
      ),
    );

    const taken = claims.flatMap(({ body }) => body.tasks.map(({ task }) => task.task_id));
    const views = await Promise.all(submitted.map(({ task_id }) => view(task_id)));
    expect(new Set(taken).size).toBe(slots);
    expect(taken).toHaveLength(slots);
    expect(views.filter(({ phase }) => phase === "assigned")).toHaveLength(slots);
  });

  it("are free again when a budget is used up, which ends the task as resource_exhausted", async () => {
    const executor = await new Executor("spender").register();
    await call("PUT", "/v1/agents/spender", { capabilities: ["spender"], slots: 1 });
    const requires = { capabilities: ["spender"] };
    const contract = { budget: { max_tokens: 1_000 } };
    const { task_id } = await submit({ requires, contract });
    const next = await submit({ requires });
    await executor.claim();
    await executor.start();

    const usage = (tokens: number) =>
      call("POST", `/v1/tasks/${task_id}/heartbeat`, { usage: { tokens } }, executor.lease);
    const within = await usage(900);
    const beyond = await usage(1_001);
    await executor.end("success");

    const over = await ended(task_id);
    expect([within.status, beyond.status]).toEqual([200, 200]);
    expect(over).toMatchObject({ end_reason: "resource_exhausted", usage: { tokens: 1_001 } });
    const claimed = await eventually(
      () => call<Claimed>("POST", "/v1/agents/spender/claim", {}),
      ({ body }) => body.tasks.length > 0,
    );
    expect(claimed.body.tasks[0]?.task.task_id).toBe(next.task_id);
  });
});
