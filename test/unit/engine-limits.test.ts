import { describe, expect, it } from "vitest";

import { execute } from "../../src/executor/engine.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { OpenCommand } from "../../src/protocol/agent.ts";
import { answer, fault, MESSAGE, taskText, typesOf, ASKED, withModels } from "../executor-desk.ts";

describe("the limits of an attempt with models", () => {
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

  it("ends by the budget where that alone keeps every model away, asking nobody what to do", async () => {
    const removed = [
      { model_id: "builtin", filter: "ability", reason: "can't" },
      { model_id: "small", filter: "budget", reason: "may cost $1, and $0.1 are left" },
    ];
    const ports = withModels(() => answer(0.9));
    const router = {
      ...ports.router,
      choose: async () => refuse({ decision_id: "d", removed, record: {} }),
    };

    await execute(MESSAGE, { ...ports, router });

    expect(typesOf(ports)).toEqual(["task_started"]);
    expect(ports.ends).toMatchObject([
      {
        reason: "resource_exhausted",
        error_information: {
          error_code: "budget_exhausted",
          error_message: expect.stringContaining("small may cost $1"),
        },
      },
    ]);
  });

  it("chooses by as long an answer as some model can give for what is left", async () => {
    const of = async (budget: Record<string, number>) => {
      const ports = withModels(() => answer(0.9), { ...ASKED, contract: { budget } });
      await execute(MESSAGE, ports);
      const { input_tokens = 0, output_tokens = 0 } = ports.router.questions[0] ?? {};
      return { input_tokens, output_tokens };
    };
    const { input_tokens } = await of({});

    expect((await of({})).output_tokens).toBe(2_048);
    expect((await of({ max_tokens: input_tokens + 500 })).output_tokens).toBe(500);
    expect((await of({ max_tokens: input_tokens - 500 })).output_tokens).toBe(256);
    // A million tokens of an answer cost two dollars, of a question one.
    expect((await of({ max_cost_usd: (input_tokens + 1_000) / 1e6 })).output_tokens).toBe(500);
  });

  it("asks under another key when the answer has to be shorter", async () => {
    const keyOf = async (max_tokens: number) => {
      const ports = withModels(() => answer(0.9), {
        ...ASKED,
        contract: { budget: { max_tokens } },
      });
      await execute(MESSAGE, ports);
      return ports.models.asked[0]?.idempotency_key;
    };

    const [plain, same, short] = [await keyOf(9_000), await keyOf(9_000), await keyOf(600)];

    expect(same).toBe(plain);
    expect(short).not.toBe(plain);
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

  it("asks no second time what a fault has left nothing for", async () => {
    const usage = { input_tokens: 300, output_tokens: 100, cost_usd: 0 };
    const task = { ...ASKED, contract: { budget: { max_tokens: 600 } } };
    const ports = withModels(() => fault("timeout", { usage }), task);

    await execute(MESSAGE, ports);

    expect(ports.models.asked).toHaveLength(1);
    expect(ports.ends).toMatchObject([{ reason: "resource_exhausted" }]);
  });

  it("tells a call what it may use, and takes an answer that is paid for with nothing left", async () => {
    const task = { ...ASKED, contract: { budget: { max_tokens: 600, max_cost_usd: 1 } } };
    const first = withModels(() => answer(0.9), task);
    await execute(MESSAGE, first);
    const spent = { cost_usd: 1, tokens: 600 };
    const next = withModels(() => fault("unavailable"), task);

    await execute(MESSAGE, again(next, task, { ...checkpointOf(first), spent }));

    expect(first.models.asked[0]?.limit).toEqual({ tokens: 600, cost_usd: 1 });
    expect(next.models.asked).toEqual([]);
    expect(typesOf(next).at(-1)).toBe("task_completed");
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
      heartbeat: async (_to, { acknowledged = [] }) =>
        ok({ commands: acknowledged.length > 0 ? [] : [command] }),
    });

    expect(isAborted).toBe(true);
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

    await execute(MESSAGE, {
      ...ports,
      sleep: (ms, signal) => {
        waits.push(ms);
        return ports.sleep(ms, signal);
      },
    });

    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
    expect(typesOf(ports).filter((type) => type === "task_progress").length).toBeGreaterThan(4);
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
