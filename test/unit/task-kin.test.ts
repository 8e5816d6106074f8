import { describe, expect, it } from "vitest";

import type { CommandName } from "../../src/protocol/enums.ts";
import type { ChildReport, Outcome } from "../../src/protocol/kin.ts";
import { assignmentOf } from "../../src/task/answers.ts";
import { explain } from "../../src/task/explain.ts";
import { adopt } from "../../src/task/kin/adoption.ts";
import { withReport } from "../../src/task/kin/family.ts";
import type { GateNews } from "../../src/task/kin/gates.ts";
import { childReportOf } from "../../src/task/kin/outcome.ts";
import { finishDueAt } from "../../src/task/machine/clocks.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import type { Gate, TaskState } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  ORCHESTRATOR,
  ORIGIN,
  START,
  UNBORN,
  assign,
  beat,
  later,
  live,
  order,
  refusalOf,
  request,
  resolve,
  stateOf,
  step,
  tick,
  typesOf,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const GATE: Gate = { kind: "task", task_id: "first", needs: "success" };

function born(changes: Record<string, unknown>, gates: Gate[] = []): Life {
  const origin = { ...ORIGIN, ...(gates.length > 0 && { gates }) };
  return live(UNBORN, { type: "submit", origin, task: request(changes), actor: ORCHESTRATOR });
}

const waiting = (changes: Record<string, unknown> = {}): Life => born(changes, [GATE]);
const FIRST: Outcome = {
  task_id: "first",
  task_type: "general",
  phase: "ended",
  is_ended: true,
  status: "completed",
  end_reason: "success",
  completion_status: "success",
  result: { made: 1 },
  quality: null,
  agent_id: "bob",
};
const news = (told: GateNews): Command => ({ type: "gates", news: told });
const { phase: _phase, is_ended: _is_ended, quality: _quality, agent_id: _agent, ...MADE } = FIRST;
const OPEN = news({ kind: "open", prerequisites: [MADE] });
const FAILED = news({ kind: "failed", message: "prerequisite first failed" });
const STOPPED = news({ kind: "stopped", reason: "timeout", message: "the batch is over" });

const CELLS: Record<CommandName, string> = {
  acknowledge: "command_issued > waiting_dependencies",
  request_update: "!command_refused",
  cancel: "command_issued verdict > finalizing",
  retry: "!command_refused",
  pause: "!command_refused",
  resume: "!command_refused",
  set_priority: "command_issued > waiting_dependencies",
  grant_resources: "command_issued > waiting_dependencies",
  escalate: "command_issued task_escalated > awaiting_input",
};

function outcomeOf(life: Life, command: Command): string {
  const { done } = step(life, command);
  const refusal = refusalOf(done);
  if (refusal !== null) return `!${refusal}`;
  return `${typesOf(done.events).join(" ") || "="} > ${done.state?.phase}`;
}

describe("a task that waits for prerequisites", () => {
  it("is neither queued nor given to anyone", () => {
    const life = waiting();

    expect(typesOf(life.log)).toEqual(["task_submitted"]);
    expect(stateOf(life)).toMatchObject({ phase: "waiting_dependencies", status: "pending" });
    expect(outcomeOf(life, assign())).toBe("!transition_refused");
  });

  it.each(Object.entries(CELLS))("answers the command %s with %s", (name, cell) => {
    const command = Object.keys(CELLS).find((known): known is CommandName => known === name);

    expect(outcomeOf(waiting(), order(command ?? "cancel"))).toBe(cell);
  });

  it("is approved first when its autonomy is manual, and waits then", () => {
    const manual = waiting({ execution_options: { autonomy_level: "manual" } });
    const early = outcomeOf(manual, OPEN);

    const approved = live(manual, resolve("resume"));

    expect(early).toBe("= > awaiting_approval");
    expect(stateOf(approved)).toMatchObject({ phase: "waiting_dependencies", status: "pending" });
    expect(outcomeOf(approved, OPEN)).toBe("task_ready > queued");
  });

  it("goes on waiting when an escalation about something else is answered", () => {
    const life = live(waiting(), order("escalate"), resolve("resume"));

    expect(stateOf(life)).toMatchObject({ phase: "waiting_dependencies", status: "pending" });
  });

  it("asks about the prerequisite that failed by its name, and says so when asked what it waits for", () => {
    const life = step(waiting({ parameters: { on_failed_dependency: "block" } }), FAILED).life;
    expect(stateOf(life).escalation?.question).toContain("prerequisite first failed");
    expect(explain(stateOf(life)).waiting_for[0]?.detail).toContain("prerequisite first failed");
  });

  it("hands what they made to its executor, behind what it named itself", () => {
    const life = live(waiting({ context: { previous_tasks: ["hint"] } }), OPEN, assign());

    expect(assignmentOf(stateOf(life))).toMatchObject({
      context: { previous_tasks: ["hint", { task_id: "first", result: { made: 1 } }] },
    });
  });

  it.each([
    ["fail", FAILED, "verdict > finalizing"],
    ["block", FAILED, "task_escalated > awaiting_input"],
    ["fail", STOPPED, "verdict > finalizing"],
  ])("with policy %s is told %j", (on_failed_dependency, command, cell) => {
    const parameters = { dependencies: ["first"], on_failed_dependency };

    expect(outcomeOf(waiting({ parameters }), command)).toBe(cell);
  });

  it.each([
    ["resume", "granted", "waiting_dependencies"],
    ["cancel", "none", "finalizing"],
  ] as const)("that is blocked and answered by %s is excused: %s", (decision, excuse, phase) => {
    const parameters = { dependencies: ["first"], on_failed_dependency: "block" };

    const life = live(waiting({ parameters }), FAILED, resolve(decision));

    expect(stateOf(life)).toMatchObject({ excuse, phase });
  });

  it("takes no more news once it has been let go, has ended or is being cancelled", () => {
    expect(outcomeOf(live(waiting(), OPEN), FAILED)).toBe("= > queued");
    expect(outcomeOf(live(waiting(), order("cancel")), OPEN)).toBe("= > finalizing");
    expect(outcomeOf(IN_PHASE.executing(), FAILED)).toBe("= > executing");
  });
});

function withChild(life: Life, report: Partial<ChildReport> = {}): Life {
  const adopted = adopt(stateOf(life), [{ task_id: "kid", weight: 1, max_retries: 0 }], START);
  if (!adopted.ok) throw new Error(adopted.refusal.detail);
  const told = { ...childReportOf(stateOf(IN_PHASE.executing())), ...report, task_id: "kid" };
  const state: TaskState = {
    ...stateOf(life),
    family: withReport({ children: adopted.value }, told),
  };
  return { ...life, state };
}

const stop: Command = { type: "stop", command_id: "cmd-stop", reason: "timeout", message: "over" };
const heard = (results: ChildReport[] = []): Command => ({ type: "family", results });
const SUBTASKS = { subtasks: { expected: 1 } };

describe("a task with children", () => {
  it("passes a cancellation down and is cancelled itself when the last of them has ended", () => {
    const life = withChild(born(SUBTASKS));

    const asked = live(life, order("cancel"));
    const early = outcomeOf(asked, heard());
    const over = withChild(
      { ...asked, state: { ...stateOf(asked), commands: [] } },
      {
        is_ended: true,
        end_reason: "cancelled",
      },
    );
    const state = { ...stateOf(over), commands: stateOf(asked).commands };

    expect(stateOf(asked)).toMatchObject({ verdict: null, commands: [{ state: "requested" }] });
    expect(early).toBe("= > waiting_dependencies");
    expect(outcomeOf({ ...over, state }, heard())).toBe(
      "command_acknowledged verdict > finalizing",
    );
  });

  it("waits for them as long as their height allows, and for those that end by themselves longer", () => {
    const asked = live(withChild(born(SUBTASKS), { height: 1 }), order("cancel"));

    const ending = live(withChild(born(SUBTASKS), { is_ending: true }), order("cancel"));
    const after = (life: Life, s: number) => typesOf(step(later(life, s), tick).done.events);

    expect([after(asked, 119), after(ending, 1_009)]).toEqual([[], []]);
    expect(after(asked, 120)).toEqual(["command_acknowledged", "verdict"]);
    expect(after(ending, 1_010)).toContain("verdict");
  });

  it.each(["stop", "cancel"] as const)("takes no answer to its question once told to %s", (how) => {
    const asked = withChild(IN_PHASE.awaiting_input());
    const told = live(asked, how === "stop" ? stop : order("cancel"));
    const state = { ...stateOf(told), escalation: stateOf(asked).escalation };

    expect(stateOf(told).escalation?.state).toBe("cancelled");
    expect(outcomeOf(told, resolve("resume"))).toBe("!escalation_closed");
    expect(outcomeOf({ ...told, state }, resolve("resume"))).toBe("!command_refused");
    expect(outcomeOf(told, order("retry"))).toBe("!command_refused");
  });

  it("takes no answer to its question once its verdict is spoken", () => {
    const budget = { contract: { budget: { max_tokens: 100 } } };
    const used = { cost_usd: 0, tokens: 150, attempts: 1, children: 0 };
    const asked = withChild(IN_PHASE.awaiting_input(budget), { used });
    const over = live(asked, heard());
    const state = { ...stateOf(over), escalation: stateOf(asked).escalation };

    expect(stateOf(over)).toMatchObject({
      verdict: { reason: "resource_exhausted" },
      escalation: { state: "cancelled" },
    });
    expect(outcomeOf({ ...over, state }, resolve("resume"))).toBe("!task_ended");
  });

  it("ends after them, whatever its verdict, and at once when they are over", () => {
    const life = withChild(IN_PHASE.executing());
    const done = live(life, order("cancel"), tick, { ...heard() });
    const state = stateOf(live(later(done, 30), tick));
    const over: TaskState = { ...state, family: null };

    expect(state.verdict?.reason).toBe("cancelled");
    expect(finishDueAt(state)).toBe((state.verdict?.at ?? 0) + 80_000);
    expect(finishDueAt(over)).toBe(state.verdict?.at);
  });

  it("says whom it waits for", () => {
    const life = withChild(born(SUBTASKS));

    expect(explain(stateOf(life))).toMatchObject({
      waiting_for: [{ kind: "subtasks" }, { kind: "subtask" }, { kind: "clock" }],
      unblocked_by: ["the end of its subtasks"],
    });
    expect(explain(stateOf(born(SUBTASKS))).unblocked_by).toEqual([
      "1 more tasks with this parent_task_id",
    ]);
  });

  it("fails by the contract that its joined result breaks", () => {
    const contract = { acceptance: [{ name: "n", json_path: "$", op: "eq", value: "other" }] };
    const life = withChild(born({ ...SUBTASKS, contract }), {
      is_ended: true,
      end_reason: "success",
    });
    const result = {
      ...childReportOf(stateOf(IN_PHASE.executing())),
      end_reason: "success" as const,
      result: "this",
      quality: { overall_score: 0.9 },
    };

    const { done } = step(life, heard([result]));

    expect(done.state?.verdict).toMatchObject({
      reason: "failure",
      error: { type: "result_rejected" },
    });
  });
});

describe("a task whose parent is over", () => {
  it.each(["queued", "retry_wait", "awaiting_input", "awaiting_approval"] as const)(
    "ends at once in phase %s, for its parent's reason",
    (phase) => {
      const { done } = step(IN_PHASE[phase](), stop);

      expect(done.state).toMatchObject({ verdict: { reason: "timeout" }, phase: "finalizing" });
      expect(done.state?.escalation?.state ?? "none").not.toBe("open");
    },
  );

  it("asks its executor, and ends for its parent's reason when that has stopped or is silent", () => {
    const asked = live(IN_PHASE.executing(), stop);

    const told = step(asked, beat()).done;
    const silent = step(later(asked, 30), tick).done;

    expect(told.state?.commands).toMatchObject([{ command: "cancel", state: "requested" }]);
    expect(silent.state?.verdict).toMatchObject({
      reason: "timeout",
      error: { type: "stopped", message: "over" },
    });
  });

  it("is not changed by being stopped again, nor after its verdict", () => {
    expect(outcomeOf(live(IN_PHASE.executing(), stop), stop)).toBe("= > executing");
    expect(outcomeOf(IN_PHASE.finalizing(), stop)).toBe("= > finalizing");
  });
});
