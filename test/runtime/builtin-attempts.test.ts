import { describe, expect, it } from "vitest";

import { createAttempts } from "../../src/dispatch/attempts.ts";
import { execute } from "../../src/executor/engine.ts";
import type { ExecutorPorts } from "../../src/executor/ports.ts";
import { ok } from "../../src/lib/result.ts";
import { answer, desk, fault, firstFit, MESSAGE, model, scripted } from "../executor-desk.ts";
import type { Script } from "../executor-desk.ts";
import { accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

/* The real engine before a task's real object: only models and their choice are the test's own. */

const ASKED = { task_type: "code_debugging", description: "Why does this program stop?" };

/** The doors of the built-in executor that lead to this task's object. */
function doors(subject: Subject, script: Script, more: Partial<ExecutorPorts> = {}) {
  const models = scripted([model("small", { tier: 2 }), model("large", { tier: 4 })], script);
  const attempts = createAttempts(() => subject.stub);
  const at = (token: string) => ({ tenant: "t", task_id: "task-1", token });
  const ports: ExecutorPorts = {
    ...desk({}),
    models,
    router: firstFit(),
    now: () => subject.now,
    sleep: async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      // A clock of its own goes on only while nothing else moves it.
      subject.now += Math.min(ms, 1_000);
    },
    notify: ({ lease }, notification) => attempts.notify(at(lease.token), notification),
    heartbeat: ({ lease }, beat) => attempts.heartbeat(at(lease.token), beat),
    end: ({ lease }, end) => attempts.end(at(lease.token), end),
    ...more,
  };
  return { ports, models };
}

/** Hands the task to the built-in executor, as a pool does, and has it done. */
async function attempt(subject: Subject, ports: ExecutorPorts, count = 1): Promise<void> {
  const task = JSON.stringify(await subject.assign(count, "sam"));
  const lease = { token: subject.token, attempt: count, expires_at: "2099-01-01T00:00:00.000Z" };
  await execute(MESSAGE, { ...ports, take: async () => ok({ task, lease }) });
}

async function submitted(changes: Record<string, unknown> = {}): Promise<Subject> {
  const subject = await newSubject();
  accepted(await subject.submit({ ...ASKED, ...changes }));
  return subject;
}

async function verdicts(subject: Subject): Promise<number> {
  return (await subject.types()).filter((type) => type === "verdict").length;
}

/** A model that answers only when it is told to stop. */
const untilAborted: Script = ({ signal }) =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(fault("aborted")));
  });

describe("an attempt of the built-in executor", () => {
  it("that crashes mid-step is resumed by the next one at that step, paying no answer twice", async () => {
    const subject = await submitted();
    let isGone = false;
    const before = doors(subject, (_request, calls) => {
      isGone = calls === 2;
      if (isGone) throw new Error("the isolate is gone");
      return answer(0.5);
    });
    const dying: ExecutorPorts = {
      ...before.ports,
      notify: (to, said) =>
        isGone ? Promise.reject(new Error("gone")) : before.ports.notify(to, said),
    };
    await expect(attempt(subject, dying)).rejects.toThrow("gone");
    await subject.evict();
    await subject.pass(60_000 + 30_000);
    const after = doors(subject, () => answer(0.9));

    await attempt(subject, after.ports, 2);
    await subject.pass(60_000);

    expect([before.models.asked.length, after.models.asked.length]).toEqual([2, 1]);
    expect(after.models.asked[0]?.turns).toEqual(before.models.asked[1]?.turns);
    expect(await subject.view()).toMatchObject({
      phase: "ended",
      end_reason: "success",
      attempt: 2,
      usage: { tokens: 300 },
    });
  });

  it("under which something breaks is tried again at once, with what was done, and says why", async () => {
    const subject = await submitted({ execution_options: { retry_policy: { retry_delay: 5 } } });
    const before = doors(subject, (_request, calls) => {
      if (calls === 2) throw new Error("a bug");
      return answer(0.5);
    });
    await attempt(subject, before.ports);
    const waiting = await subject.view();
    await subject.pass(5_000);
    const after = doors(subject, () => answer(0.9));

    await attempt(subject, after.ports, 2);
    await subject.pass(60_000);

    expect(waiting).toMatchObject({ phase: "retry_wait" });
    expect(after.models.asked).toHaveLength(1);
    expect(await subject.view()).toMatchObject({ end_reason: "success", attempt: 2 });
  });

  it("rests while its task is paused, without being taken for stalled, and goes on once it is resumed", async () => {
    const subject = await submitted({ timeout: 3_600, stall_timeout: 30, heartbeat_timeout: 60 });
    let waits = 0;
    const { ports, models } = doors(subject, async (_request, calls) => {
      if (calls === 1) accepted(await subject.order("pause"));
      return answer(calls === 1 ? 0.5 : 0.9);
    });

    await attempt(subject, {
      ...ports,
      sleep: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (models.asked.length === 0) return;
        waits += 1;
        subject.now += 5_000;
        await subject.ring();
        if (waits === 20) accepted(await subject.order("resume"));
      },
    });
    await subject.pass(60_000);

    expect(await subject.view()).toMatchObject({ end_reason: "success", attempt: 1 });
    expect(waits).toBeGreaterThanOrEqual(20);
    expect(models.asked).toHaveLength(2);
  });

  it("that is paused for longer than it may take asks whether to go on, and costs no retry", async () => {
    const subject = await submitted({
      timeout: 60,
      execution_options: { retry_policy: { max_retries: 0 } },
    });
    const { ports } = doors(subject, async (_request, calls) => {
      if (calls === 1) accepted(await subject.order("pause"));
      return answer(0.5);
    });
    await attempt(subject, ports);
    const waiting = await subject.view();
    accepted(await subject.order("resume"));
    const after = doors(subject, () => answer(0.9));

    await attempt(subject, after.ports, 2);
    await subject.pass(60_000);

    expect(waiting).toMatchObject({ phase: "awaiting_input" });
    expect(after.models.asked).toHaveLength(1);
    expect(await subject.view()).toMatchObject({ end_reason: "success", usage: { tokens: 300 } });
  });

  it("recovers from a fault that passes, in the same attempt", async () => {
    const subject = await submitted();
    const { ports } = doors(subject, (_request, calls) =>
      calls === 1 ? fault("unavailable") : answer(0.9),
    );

    await attempt(subject, ports);
    await subject.pass(60_000);

    expect(await subject.view()).toMatchObject({ end_reason: "success", attempt: 1 });
  });

  it("is tried again after faults that may pass, and then succeeds", async () => {
    const subject = await submitted({ execution_options: { retry_policy: { retry_delay: 5 } } });
    await attempt(subject, doors(subject, () => fault("rate_limited")).ports);
    const waiting = await subject.view();
    await subject.pass(5_000);

    await attempt(subject, doors(subject, () => answer(0.9)).ports, 2);
    await subject.pass(60_000);

    expect(waiting).toMatchObject({ phase: "retry_wait" });
    expect(await subject.view()).toMatchObject({ end_reason: "success", attempt: 2 });
  });

  it("is not repeated after an error that stays", async () => {
    const subject = await submitted();
    const { ports, models } = doors(subject, () => fault("unauthorized"));

    await attempt(subject, ports);
    await subject.pass(60_000);

    expect(models.asked.map(({ model_id }) => model_id)).toEqual(["small", "large"]);
    expect(await subject.view()).toMatchObject({ end_reason: "failure", attempt: 1 });
  });

  it("ends the task once, as timeout, when the clock jumps past it while a model answers", async () => {
    const subject = await submitted({ timeout: 60 });
    const { ports } = doors(subject, async () => {
      subject.now += 3_600_000;
      await subject.ring();
      return answer(0.9);
    });

    await attempt(subject, ports);
    await subject.pass(60_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "timeout" });
    expect(await verdicts(subject)).toBe(1);
  });

  it("stops as resource_exhausted before its budget is overdrawn, and its slot is free", async () => {
    const subject = await submitted({ contract: { budget: { max_tokens: 500 } } });
    const { ports, models } = doors(subject, () => answer(0.5));

    await attempt(subject, ports);
    await subject.pass(60_000);

    const { usage, end_reason } = await subject.view();
    expect(end_reason).toBe("resource_exhausted");
    expect(usage.tokens).toBeLessThanOrEqual(500);
    expect(models.asked.length).toBeGreaterThan(0);
    expect(subject.neighbours.released).toEqual([1]);
  });

  it("speaks to no orchestrator between acceptance and end, and no orchestrator uses a token", async () => {
    const subject = await submitted({ execution_options: { autonomy_level: "autonomous" } });
    const { ports, models } = doors(subject, () => answer(0.9));

    await attempt(subject, ports);
    await subject.pass(60_000);

    const actors = (await subject.events()).slice(1).map(({ actor }) => actor.kind);
    expect(new Set(actors)).toEqual(new Set(["executor", "system"]));
    expect(models.asked).toHaveLength(1);
    const report = JSON.parse(accepted(await subject.stub.report()));
    expect(report.metrics).toMatchObject({
      tokens: 150,
      tokens_by_role: { orchestrator: 0, executor: 150 },
    });
  });
});

describe("a cancellation of a task of the built-in executor", () => {
  it("ends it while it is pending", async () => {
    const subject = await submitted();

    accepted(await subject.order("cancel"));
    await subject.pass(60_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "cancelled" });
  });

  it("stops it while it runs, within a model's answer", async () => {
    const subject = await submitted();
    const { ports } = doors(subject, async (request, calls) => {
      accepted(await subject.order("cancel"));
      return untilAborted(request, calls);
    });

    await attempt(subject, ports);
    await subject.pass(60_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "cancelled" });
    const confirmed = (await subject.events()).filter(
      ({ type, data }) => type === "command_acknowledged" && data["state"] === "confirmed",
    );
    expect(confirmed).toMatchObject([{ actor: { id: "sam" } }]);
  });

  it("ends it while it waits for an answer to its question", async () => {
    const subject = await submitted();
    const none = { ...doors(subject, () => answer(1)).ports, models: scripted([], untilAborted) };
    await attempt(subject, none);
    const waiting = await subject.view();

    accepted(await subject.order("cancel"));
    await subject.pass(60_000);

    expect(waiting).toMatchObject({ phase: "awaiting_input" });
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "cancelled" });
  });

  it("changes nothing any more while it is being finalised", async () => {
    const subject = await submitted();
    await attempt(subject, doors(subject, () => answer(0.9)).ports);
    const { phase } = await subject.view();

    const refused = codeOf(await subject.order("cancel"));
    await subject.pass(60_000);

    expect([phase, refused]).toEqual(["finalizing", "task_ended"]);
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "success" });
  });
});
