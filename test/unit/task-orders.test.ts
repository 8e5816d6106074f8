import { describe, expect, it } from "vitest";

import { runningClocks } from "../../src/task/machine/clocks.ts";
import {
  ESCALATION,
  IN_PHASE,
  assign,
  beat,
  escalated,
  live,
  order,
  refusalOf,
  resolve,
  started,
  stateOf,
  step,
  notify,
  notificationOf,
} from "../task-life.ts";

describe("a command", () => {
  it.each(["acknowledge", "set_priority", "grant_resources"] as const)(
    "%s is carried out by the system itself when nobody holds the task",
    (command) => {
      const life = live(IN_PHASE.queued(), order(command));

      expect(stateOf(life).commands).toMatchObject([{ command, state: "confirmed" }]);
    },
  );

  it.each(["pause", "resume", "set_priority", "grant_resources", "acknowledge"] as const)(
    "%s is confirmed when the executor acknowledges it",
    (command) => {
      const asked = live(IN_PHASE.executing(), order(command));
      const life = live(asked, beat({ acknowledged: [`cmd-${command}`] }));

      expect(stateOf(asked).commands[0]?.state).toBe("requested");
      expect(stateOf(life).commands[0]?.state).toBe("confirmed");
    },
  );

  it.each(["cancel", "request_update"] as const)("%s is only acknowledged by that", (command) => {
    const life = live(
      IN_PHASE.executing(),
      order(command),
      beat({ acknowledged: [`cmd-${command}`] }),
    );

    expect(stateOf(life).commands[0]?.state).toBe("acknowledged");
  });

  it("is acknowledged once, and only if it exists", () => {
    const life = live(IN_PHASE.executing(), order("pause"), beat({ acknowledged: ["cmd-pause"] }));

    const { done } = step(life, beat({ acknowledged: ["cmd-pause", "cmd-unknown"] }));

    expect(done.events).toEqual([]);
  });

  it("set_priority takes `urgent` as critical", () => {
    const life = live(IN_PHASE.queued(), order("set_priority", { priority: "urgent" }));

    expect(stateOf(life).priority).toBe("critical");
  });

  it("grant_resources adds to what was granted before", () => {
    const life = live(IN_PHASE.queued(), order("grant_resources"), order("grant_resources"));

    expect(stateOf(life).granted).toEqual({ cost_usd: 2, tokens: 2_000, duration_s: 120 });
  });

  it("escalate hands a task over once, and not while it is being cancelled", () => {
    const open = live(IN_PHASE.executing(), order("escalate", { reason: "Look at this" }));
    const cancelling = live(IN_PHASE.executing(), order("cancel"));

    expect(stateOf(open).escalation).toMatchObject({
      kind: "handover",
      question: "Look at this",
      state: "open",
    });
    expect(refusalOf(step(open, order("escalate")).done)).toBe("command_refused");
    expect(refusalOf(step(cancelling, order("escalate")).done)).toBe("command_refused");
  });
});

describe("a patch", () => {
  it("of a planned retry changes the request and brings the retry forward", () => {
    const life = live(IN_PHASE.retry_wait(), order("retry", { patch: { timeout: 900 } }));

    expect(stateOf(life)).toMatchObject({
      phase: "queued",
      task: { timeout: 900 },
      retries_used: 1,
    });
  });

  it("restores a default where it removes a field, and every clock goes on", () => {
    const patch = { timeout: null, heartbeat_timeout: null, execution_options: null };
    const life = live(
      IN_PHASE.retry_wait({ timeout: 900, heartbeat_timeout: 20 }),
      order("retry", { patch }),
      assign(2),
      notify(notificationOf("task_started"), "token-2"),
    );

    const { task } = stateOf(life);
    expect(task).toMatchObject({ task_id: "task-1", timeout: 300, heartbeat_timeout: 60 });
    expect(task.execution_options.retry_policy.max_retries).toBe(2);
    for (const { due } of runningClocks(stateOf(life))) expect(due).toBeGreaterThan(life.now);
  });

  it("of the priority takes effect, in the words of the contract", () => {
    const life = live(IN_PHASE.retry_wait(), order("retry", { patch: { priority: "urgent" } }));

    expect(stateOf(life)).toMatchObject({ priority: "critical", task: { priority: "critical" } });
  });

  it("of something else leaves a changed priority alone", () => {
    const life = live(
      IN_PHASE.retry_wait(),
      order("set_priority"),
      order("retry", { patch: { timeout: 900 } }),
    );

    expect(stateOf(life).priority).toBe("high");
  });

  it.each([
    [{ task_id: "other" }, "/patch/task_id"],
    [{ pool: "other" }, "/patch/pool"],
    [{ timeout: 0 }, "/patch/timeout"],
    [{ timeout: 60, estimated_duration: 61 }, "/patch/estimated_duration"],
    [{ unknown_field: 1 }, "/patch/unknown_field"],
    [{ description: null }, "/patch/description"],
  ])("%j is refused at %s", (patch, pointer) => {
    const { done, life } = step(IN_PHASE.retry_wait(), order("retry", { patch }));

    expect(done.decision).toMatchObject({
      ok: false,
      refusal: { code: "patch_rejected", errors: [{ pointer }] },
    });
    expect(stateOf(life).phase).toBe("retry_wait");
  });

  it("whose contract cannot be checked is refused where the contract is wrong", () => {
    const patch = { contract: { output_schema: { required: 5 } } };

    const { done } = step(IN_PHASE.awaiting_input(), resolve("change", { patch }));

    expect(done.decision).toMatchObject({
      refusal: {
        code: "patch_rejected",
        errors: [{ pointer: "/patch/contract/output_schema/required" }],
      },
    });
  });

  it("cannot change what the task waits for", () => {
    const patch = { parameters: { dependencies: ["another"] } };

    const { done } = step(IN_PHASE.awaiting_input(), resolve("change", { patch }));

    expect(done.decision).toMatchObject({
      refusal: {
        code: "patch_rejected",
        errors: [{ pointer: "/patch/parameters/dependencies" }],
      },
    });
  });

  it("answers a question with the decision change", () => {
    const life = live(
      IN_PHASE.awaiting_input(),
      resolve("change", { patch: { description: "Summarise the second text" }, answer: "B" }),
    );

    expect(stateOf(life)).toMatchObject({
      phase: "queued",
      task: { description: "Summarise the second text" },
      answers: [{ question: "Which one?", answer: "B", decision: "change" }],
    });
  });
});

describe("an escalation", () => {
  it("is answered once", () => {
    const life = live(IN_PHASE.awaiting_input(), resolve("resume", { answer: "The first" }));

    expect(stateOf(life).escalation).toMatchObject({
      state: "resolved",
      decision: "resume",
      answer: "The first",
      actor: "manus",
    });
    expect(refusalOf(step(life, resolve("resume")).done)).toBe("escalation_closed");
  });

  it("of long ago is closed, and one that never was is unknown", () => {
    const again = live(
      IN_PHASE.awaiting_input(),
      resolve("resume"),
      assign(2),
      notify(notificationOf("task_started"), "token-2"),
      notify(notificationOf("task_escalated"), "token-2"),
    );
    const codeOf = (id: string) => refusalOf(step(again, resolve("resume", {}, id)).done);

    expect(stateOf(again).escalation?.escalation_id).toBe("esc_2_task-1");
    expect(codeOf(ESCALATION)).toBe("escalation_closed");
    expect(codeOf("esc_3_task-1")).toBe("escalation_not_found");
    expect(codeOf("esc_1_task-2")).toBe("escalation_not_found");
    expect(codeOf("nonsense")).toBe("escalation_not_found");
  });

  it("asks for approval first when the task is manual, and approval queues it", () => {
    const waiting = IN_PHASE.awaiting_approval();
    const life = live(waiting, resolve("resume"));

    expect(stateOf(waiting)).toMatchObject({
      status: "escalated",
      escalation: { kind: "approval" },
    });
    expect(stateOf(life)).toMatchObject({ phase: "queued", queued_at: life.now });
    expect(stateOf(live(life, assign(), started())).attempt).toBe(1);
  });

  it("costs the executor's attempt nothing", () => {
    const life = live(IN_PHASE.executing(), escalated());

    expect(stateOf(life)).toMatchObject({ retries_used: 0, uncounted_attempts: 1 });
  });
});
