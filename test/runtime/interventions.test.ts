import { describe, expect, it } from "vitest";

import type { CommandEntry } from "../../src/protocol/agent.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { Executor, call, ended, log, submit, view } from "./batuta.ts";
import { running } from "./stepping-in.ts";
import type { Page } from "./stepping-in.ts";
import { accepted, newSubject } from "./task-world.ts";

const QUICK_RETRIES = { max_retries: 2, retry_delay: 1, backoff_multiplier: 1 };

describe("a failed attempt that suggests a change", () => {
  it("is retried with the suggested timeout, and succeeds", async () => {
    const executor = await running("rules-56", {
      timeout: 60,
      execution_options: { retry_policy: QUICK_RETRIES },
    });
    await executor.fail({
      error_type: "timeout",
      root_cause: { class: "timeout", detail: "60 s are not enough", evidence: "" },
      suggested_modifications: { timeout: 600, priority: "critical" },
    });
    const retry = await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();

    expect(retry).toMatchObject({ timeout: 600, priority: "normal", attempt: 2 });
    expect(await ended(executor.task_id)).toMatchObject({ status: "completed" });
    const planned = (await log(executor.task_id)).find(({ type }) => type === "retry_scheduled");
    expect(planned?.data).toMatchObject({
      patch: { timeout: 600 },
      ignored_suggestions: [{ pointer: "/priority" }],
    });
  });
});

describe("a command over HTTP", () => {
  const order = (task_id: string, body: unknown) =>
    call("POST", `/v1/tasks/${task_id}/commands`, body);

  it("set_priority lets a waiting task overtake another", async () => {
    const requires = { capabilities: ["rules-21a"] };
    const first = await submit({ requires });
    const second = await submit({ requires });

    await order(second.task_id, { command: "set_priority", priority: "critical" });
    const executor = await new Executor("rules-21a").register();
    await executor.claim();

    expect(executor.task_id).toBe(second.task_id);
    expect((await view(first.task_id)).phase).toBe("queued");
  });

  it("grant_resources raises the budget and the timeout of a running task", async () => {
    const beat = (executor: Executor, tokens: number) =>
      call(
        "POST",
        `/v1/tasks/${executor.task_id}/heartbeat`,
        { usage: { tokens } },
        executor.lease,
      );
    const task = { timeout: 100, contract: { budget: { max_tokens: 1_000 } } };
    const poor = await running("rules-21b", task);
    const rich = await running("rules-21c", task);
    const before: TaskView = await view(rich.task_id);

    await order(rich.task_id, {
      command: "grant_resources",
      grant: { tokens: 500, duration_s: 200 },
    });
    await beat(poor, 1_200);
    await beat(rich, 1_200);

    const after = await view(rich.task_id);
    expect((await view(poor.task_id)).end_reason).toBe("resource_exhausted");
    expect(after.phase).toBe("executing");
    expect(Date.parse(after.deadline_at ?? "") - Date.parse(before.deadline_at ?? "")).toBe(
      200_000,
    );
  });

  it("is listed with who gave it, why, and what was spent until it was confirmed", async () => {
    const executor = await running("rules-cmd");
    await order(executor.task_id, { command: "cancel", reason: "No longer needed" });
    const cancelling = await call<Page<CommandEntry>>(
      "GET",
      `/v1/tasks/${executor.task_id}/commands`,
    );
    await executor.end("cancelled");
    const confirmed = await call<Page<CommandEntry>>(
      "GET",
      `/v1/tasks/${executor.task_id}/commands`,
    );

    expect(cancelling.body.items).toMatchObject([
      { command: "cancel", state: "requested", reason: "No longer needed", spent_since: null },
    ]);
    expect(confirmed.body.items).toMatchObject([
      { state: "confirmed", actor: { kind: "operator" }, spent_since: { tokens: 0, cost_usd: 0 } },
    ]);
    expect((await call("GET", "/v1/tasks/unknown/commands")).status).toBe(404);
  });
});

describe("a silent executor", () => {
  it("is asked for news exactly once, and its progress is the answer", async () => {
    const subject = await newSubject();
    await subject.execute({ timeout: 3_600 });
    for (let part = 0; part < 5; part += 1) {
      await subject.pass(50_000);
      accepted(await subject.beat());
    }

    const asked = accepted(await subject.beat()).commands;
    accepted(await subject.notify("task_progress", { progress_percentage: 20 }));
    const afterwards = accepted(await subject.beat()).commands;

    expect(asked).toMatchObject([{ command: "request_update" }]);
    expect(asked[0]?.reason).toMatch(/^rule overrun|^rule stalled/);
    expect(afterwards).toEqual([]);
    const types = await subject.types();
    expect(types.filter((type) => type === "command_issued")).toHaveLength(1);
    expect(types.filter((type) => type === "command_acknowledged")).toHaveLength(1);
  });

  it("is not disturbed by an eviction: the rule is remembered with the log", async () => {
    const subject = await newSubject();
    await subject.execute({ timeout: 3_600, heartbeat_timeout: 3_600, progress_interval: 20 });
    await subject.pass(70_000);
    await subject.evict();
    await subject.pass(60_000);

    expect((await subject.types()).filter((type) => type === "command_issued")).toHaveLength(1);
    const plan = JSON.parse(accepted(await subject.stub.explain())).waiting_for;
    expect(plan).toContainEqual(expect.objectContaining({ kind: "plan" }));
  });
});
