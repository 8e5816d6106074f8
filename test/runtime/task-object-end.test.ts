import { describe, expect, it } from "vitest";

import { endReasonSchema } from "../../src/protocol/enums.ts";
import { reportSchema } from "../../src/protocol/task-view.ts";
import { accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

async function reportOf(subject: Subject) {
  return reportSchema.parse(JSON.parse(accepted(await subject.stub.report())));
}

/** How often the one door to the end was passed. */
async function endings(subject: Subject): Promise<number> {
  return (await subject.types()).filter((type) => type === "agent_end_task").length;
}

describe("the end of a task", () => {
  it.each(endReasonSchema.options)("is reached with reason %s by the executor", async (reason) => {
    const subject = await newSubject();
    await subject.execute();

    const first = accepted(await subject.end(reason));
    await subject.pass(1_000);

    expect(first).toMatchObject({ isNew: true, receipt: { end_reason: reason } });
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: reason });
    expect(await reportOf(subject)).toMatchObject({ reason, cleanup_debt: [] });
    expect(await endings(subject)).toBe(1);
  });

  it("gives the same answer to the same last word before and after, and happens once", async () => {
    const subject = await newSubject();
    await subject.execute();

    const first = accepted(await subject.end("failure"));
    const second = accepted(await subject.end("failure"));
    await subject.pass(1_000);
    const third = accepted(await subject.end("failure"));
    const contrary = accepted(await subject.end("success"));
    await subject.pass(600_000);

    expect([second.receipt, third.receipt]).toEqual([first.receipt, first.receipt]);
    expect([second.isNew, third.isNew, contrary.isNew]).toEqual([false, false, false]);
    expect(contrary.receipt).toEqual({ ...first.receipt, reason_ignored: true });
    expect(await endings(subject)).toBe(1);
  });

  it("is success 30 s after the completion when the executor died then", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.notify("task_completed"));
    await subject.evict();

    await subject.pass(29_999);
    const before = await subject.view();
    await subject.pass(1_000);

    expect(before).toMatchObject({ phase: "finalizing", status: "completed" });
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "success" });
    expect(await endings(subject)).toBe(1);
  });

  it("is failure when the executor died after its last failure", async () => {
    const subject = await newSubject();
    await subject.execute({ execution_options: { retry_policy: { max_retries: 0 } } });
    const steps = { steps: ["one", "two"] };
    accepted(await subject.notify("task_failed", { partial_results: steps }));

    await subject.pass(31_000);

    expect(await subject.view()).toMatchObject({
      phase: "ended",
      end_reason: "failure",
      completion_status: "partial",
      error: { root_cause: { class: "input" } },
    });
    const failure = (await subject.events()).find(({ type }) => type === "task_failed");
    expect(failure?.data).toMatchObject({ data: { partial_results: steps } });
    expect((await reportOf(subject)).post_mortem).not.toHaveLength(0);
  });

  it("is timeout, once, when the clock has jumped past the attempt's limit", async () => {
    const subject = await newSubject();
    await subject.execute({ timeout: 300, heartbeat_timeout: 3_600, stall_timeout: 3_600 });
    subject.now += 7_200_000;

    await subject.ring();
    await subject.pass(60_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "timeout" });
    expect((await subject.types()).filter((type) => type === "verdict")).toHaveLength(1);
    expect(await endings(subject)).toBe(1);
  });

  it("is timeout when every executor dies, by the alarm alone", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());
    for (const attempt of [1, 2, 3]) {
      await subject.assign(attempt);
      await subject.pass(60_000);
      if (attempt < 3) await subject.pass(30_000 * 2 ** (attempt - 1));
    }
    await subject.pass(1_000);

    expect(await subject.view()).toMatchObject({
      phase: "ended",
      end_reason: "timeout",
      attempt: 3,
    });
    expect(subject.neighbours.released).toHaveLength(3);
  });

  it("comes at the total timeout at the latest, whatever state the task waits in", async () => {
    const subject = await newSubject();
    await subject.execute({ total_timeout: 600 });
    accepted(await subject.notify("task_escalated"));

    await subject.pass(601_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "timeout" });
  });
});

describe("a cancellation", () => {
  it("of a pending task ends it at once", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());

    const command = accepted(await subject.order("cancel"));
    await subject.pass(1_000);

    expect(command).toMatchObject({ command: "cancel", state: "confirmed" });
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "cancelled" });
    expect(subject.neighbours.released).toEqual([1]);
  });

  it("of a running task is told at the next heartbeat and done when the executor says so", async () => {
    const subject = await newSubject();
    await subject.execute();

    const command = accepted(await subject.order("cancel"));
    const { commands } = accepted(await subject.beat());
    accepted(await subject.beat(subject.token, { acknowledged: [command.command_id] }));
    accepted(await subject.end("cancelled"));
    await subject.pass(1_000);

    expect(command.state).toBe("requested");
    expect(commands).toMatchObject([{ command_id: command.command_id, command: "cancel" }]);
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "cancelled" });
  });

  it("of a running task whose executor is dead ends it after the grace", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.order("cancel"));

    await subject.pass(29_000);
    const waiting = await subject.view();
    await subject.pass(2_000);

    expect(waiting).toMatchObject({ phase: "executing", end_reason: null });
    expect(await subject.view()).toMatchObject({ phase: "ended", status: "cancelled" });
    const answers = (await subject.events()).filter(({ type }) => type === "command_acknowledged");
    expect(answers.map(({ data }) => data["state"])).toEqual(["unresponsive"]);
  });

  it("of a task that waits for an answer ends it and closes the question", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.notify("task_escalated"));

    accepted(await subject.order("cancel"));
    await subject.pass(1_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "cancelled" });
    const resolved = (await subject.events()).find(({ type }) => type === "escalation_resolved");
    expect(resolved?.data["state"]).toBe("cancelled");
  });

  it("of a task that is finalising or over is refused and changes nothing", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.notify("task_completed"));

    const early = await subject.order("cancel");
    await subject.pass(31_000);
    const late = await subject.order("cancel");

    expect([early, late].map(codeOf)).toEqual(["task_ended", "task_ended"]);
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "success" });
  });
});

describe("the end phases", () => {
  it("cut a release that hangs at its limit, go on, and report the debt", async () => {
    const subject = await newSubject();
    await subject.execute();
    subject.neighbours.release = () => new Promise<void>(() => {});
    accepted(await subject.end("success"));
    // So late that the phase has only the least time left: five real seconds instead of thirty.
    subject.now += 40_000;

    await subject.ring();

    const report = await reportOf(subject);
    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "success" });
    expect(report.finalization.phases).toMatchObject([
      { name: "cleanup", outcome: "timed_out", checks: [{ passed: true }, { passed: false }] },
      { name: "reporting", outcome: "done" },
      { name: "notification", outcome: "done" },
    ]);
    expect(report.cleanup_debt).toMatchObject([
      { what: "the slot of attempt 1", owner: "pool default" },
    ]);
    expect(report.finalization).toMatchObject({
      outcome: "partial",
      problems: [
        "cleanup ended as timed_out; not achieved: slot released (cut at its limit)",
        expect.stringMatching(/^left undone: the slot of attempt 1, which pool default has until/),
      ],
    });
  }, 15_000);

  it("try a release that fails again, and report the debt when it keeps failing", async () => {
    const subject = await newSubject();
    await subject.execute();
    let calls = 0;
    subject.neighbours.release = () => {
      calls += 1;
      return Promise.reject(new Error("the pool is gone"));
    };

    accepted(await subject.end("success"));
    await subject.pass(10_000);

    const { finalization, cleanup_debt } = await reportOf(subject);
    expect(calls).toBe(3);
    expect(finalization.phases[0]).toMatchObject({
      name: "cleanup",
      outcome: "fallback",
      attempts: 3,
      checks: [{ passed: true }, { passed: false, detail: "failed each time" }],
    });
    expect(cleanup_debt).toHaveLength(1);
  });

  it("are carried out anew after a crash, and recorded once", async () => {
    const subject = await newSubject();
    await subject.execute();
    let isCut = true;
    subject.neighbours.release = () => (isCut ? new Promise<void>(() => {}) : undefined);
    accepted(await subject.end("success"));
    subject.now += 300;
    const ringing = subject.ring().catch(() => {});

    isCut = false;
    await subject.evict().catch(() => {});
    await ringing;
    await subject.evict();
    const cut = await subject.view();
    await subject.ring();
    await subject.pass(60_000);

    expect(cut.phase).toBe("finalizing");
    const types = await subject.types();
    expect(types.filter((type) => type === "finalization_phase")).toHaveLength(3);
    expect(await endings(subject)).toBe(1);
  }, 60_000);
});
