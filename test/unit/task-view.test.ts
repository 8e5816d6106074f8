import { describe, expect, it } from "vitest";

import { assignedTaskSchema } from "../../src/protocol/agent.ts";
import {
  explanationSchema,
  taskEventSchema,
  taskViewSchema,
} from "../../src/protocol/task-view.ts";
import { escalationSchema } from "../../src/protocol/task-view.ts";
import {
  assignedAnswer,
  assignmentOf,
  endAnswerOf,
  openCommandsOf,
} from "../../src/task/answers.ts";
import { explain } from "../../src/task/explain.ts";
import { escalationOf, eventIdOf, eventOf, viewOf } from "../../src/task/view.ts";
import {
  IN_PHASE,
  ORIGIN,
  START,
  assign,
  beat,
  completed,
  decline,
  end,
  finish,
  later,
  live,
  notificationOf,
  notify,
  order,
  progress,
  resolve,
  started,
  stateOf,
} from "../task-life.ts";

const PHASES = Object.entries(IN_PHASE).filter(([phase]) => phase !== "none");
const iso = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

describe("the view of a task", () => {
  it.each(PHASES)("keeps its contract in phase %s", (phase, inPhase) => {
    const view = viewOf(stateOf(inPhase()));

    expect(taskViewSchema.parse(view)).toEqual(view);
    expect(view.phase).toBe(phase);
  });

  it("tells what is not known yet by null", () => {
    expect(viewOf(stateOf(IN_PHASE.queued()))).toMatchObject({
      complexity: null,
      progress_percentage: null,
      agent_id: null,
      started_at: null,
      ended_at: null,
      end_reason: null,
      completion_status: null,
      result: null,
      error: null,
      quality_assessment: null,
      attempt: 0,
    });
  });

  it("tells how far a running task has come, and until when", () => {
    const life = live(later(IN_PHASE.assigned({ timeout: 100 }), 10), started(), progress(30));

    expect(viewOf(stateOf(life))).toMatchObject({
      status: "running",
      progress_percentage: 30,
      current_step: "reading",
      agent_id: "ann",
      attempt: 1,
      max_attempts: 3,
      started_at: iso(10),
      deadline_at: iso(110),
      notification_count: 2,
    });
  });

  it("tells the outcome, and keeps the agent", () => {
    expect(viewOf(stateOf(IN_PHASE.ended()))).toMatchObject({
      status: "completed",
      end_reason: "success",
      completion_status: "success",
      result: { answer: 42 },
      quality_assessment: { overall_score: 0.9 },
      usage: { cost_usd: 0.5, tokens: 100 },
      agent_id: "ann",
      deadline_at: null,
    });
  });

  it("allows for attempts that cost nothing", () => {
    const life = live(IN_PHASE.assigned(), decline(), assign(2));

    expect(viewOf(stateOf(life))).toMatchObject({ attempt: 2, max_attempts: 4 });
  });
});

describe("an event as everyone sees it", () => {
  it.each(PHASES)("keeps its contract up to phase %s, and never holds the token", (_, inPhase) => {
    const life = inPhase();
    const events = life.log.map((event) => eventOf(stateOf(life), event));

    for (const event of events) expect(taskEventSchema.parse(event)).toEqual(event);
    expect(JSON.stringify(events)).not.toContain("token-1");
  });

  it("has an id that is made of the task's own and its seq, and the task's correlation", () => {
    const life = IN_PHASE.queued();
    const first = life.log[0];
    const shown = first && eventOf(stateOf(life), first);

    expect(shown).toMatchObject({
      event_id: "evt_uid1_1",
      correlation_id: ORIGIN.trace_id,
      seq: 1,
    });
    expect(eventIdOf(stateOf(life), 7)).toBe("evt_uid1_7");
  });
});

describe("an escalation as everyone sees it", () => {
  it.each(["awaiting_approval", "awaiting_input"] as const)("keeps its contract in %s", (phase) => {
    const state = stateOf(IN_PHASE[phase]());
    const shown = state.escalation && escalationOf(state, state.escalation);

    expect(escalationSchema.parse(shown)).toEqual(shown);
  });
});

describe("the explanation", () => {
  it.each(PHASES)("keeps its contract in phase %s", (phase, inPhase) => {
    const explanation = explain(stateOf(inPhase()));

    expect(explanationSchema.parse(explanation)).toEqual(explanation);
    expect(explanation.phase).toBe(phase);
  });

  it("says which executor a queued task waits for", () => {
    const requires = { capabilities: ["ocr"], labels: { zone: "eu" }, agent_id: "bob" };

    const { waiting_for } = explain(stateOf(IN_PHASE.queued({ requires })));

    expect(waiting_for[0]?.detail).toMatch(/general.*ocr.*zone=eu.*bob/);
  });

  it("says when a planned retry starts, and which answer is waited for", () => {
    expect(explain(stateOf(IN_PHASE.retry_wait())).estimated_start).toBe(iso(30));
    expect(explain(stateOf(IN_PHASE.awaiting_input())).unblocked_by).toEqual([
      "POST /v1/escalations/esc_1_task-1/resolve",
    ]);
  });
});

describe("the assignment", () => {
  it("carries the checkpoint and what was answered on the way", () => {
    const life = live(
      IN_PHASE.executing({ metadata: { team: "a" } }),
      beat({ checkpoint: { page: 3 } }),
      notify(notificationOf("task_escalated")),
      resolve("resume", { answer: "The first" }),
      assign(2),
    );

    expect(assignmentOf(stateOf(life))).toMatchObject({
      task_id: "task-1",
      attempt: 2,
      checkpoint: { page: 3 },
      metadata: {
        team: "a",
        escalation_answers: [{ question: "Which one?", answer: "The first", decision: "resume" }],
      },
    });
  });
});

describe("the duration of a task", () => {
  it("ends with the verdict, however late its executor takes leave", () => {
    const done = live(later(IN_PHASE.executing(), 10), completed());
    const left = live(later(done, 20), end("success"), finish);

    expect(viewOf(stateOf(left)).usage.duration_s).toBe(10);
  });
});

describe("what an executor receives after commands", () => {
  const LIMITED = {
    timeout: 100,
    total_timeout: 1_000,
    contract: { budget: { max_cost_usd: 1, max_tokens: 10, max_duration_s: 50 } },
  };

  it("says the priority and the limits that hold at present", () => {
    const life = live(
      IN_PHASE.queued(LIMITED),
      order("set_priority", { priority: "critical" }),
      order("grant_resources"),
      assign(),
    );

    expect(assignmentOf(stateOf(life))).toMatchObject({
      priority: "critical",
      timeout: 160,
      total_timeout: 1_060,
      contract: { budget: { max_cost_usd: 2, max_tokens: 1_010, max_duration_s: 110 } },
    });
  });

  it("comes with the end of the whole life, and of the budget of time once that runs", () => {
    const first = stateOf(live(IN_PHASE.queued(LIMITED), assign()));
    const next = { ...first, started_at: first.created_at + 7_000 };

    const deadline_at = first.created_at + 1_000_000;
    expect(assignedAnswer(first)).toMatchObject({ deadline_at, budget_ends_at: null });
    expect(assignedAnswer(next)).toMatchObject({
      deadline_at,
      budget_ends_at: first.created_at + 57_000,
    });
  });

  it("stays within the contract, whatever was granted or stored", () => {
    const grant = { cost_usd: 1e9, tokens: 1e12, duration_s: 604_800 };
    const life = live(
      IN_PHASE.queued(LIMITED),
      order("grant_resources", { grant }, "one"),
      assign(),
      order("grant_resources", { grant }, "two"),
    );
    const [command] = stateOf(life).commands.slice(-1);
    const stored = {
      ...stateOf(life),
      commands: command === undefined ? [] : [{ ...command, grant: { cost_usd: 1e300 } }],
    };

    const task = assignmentOf(stateOf(life));
    expect(assignedTaskSchema.parse(task)).toEqual(task);
    expect(openCommandsOf(stored)).toMatchObject([{ grant: { cost_usd: 1e9 } }]);
  });
});

describe("the open commands", () => {
  it("are those that the executor has not acknowledged", () => {
    const life = live(
      IN_PHASE.executing(),
      order("pause"),
      order("grant_resources"),
      beat({ acknowledged: ["cmd-pause"] }),
    );

    expect(openCommandsOf(stateOf(life))).toEqual([
      {
        command_id: "cmd-grant_resources",
        command: "grant_resources",
        reason: null,
        grant: { duration_s: 60, tokens: 1_000, cost_usd: 1 },
      },
    ]);
  });

  it("tell no grant again that the limits of the assignment hold already", () => {
    const granted = live(IN_PHASE.executing(), order("grant_resources"));
    const { holder } = stateOf(granted);
    const next = holder === null ? null : { ...holder, attempt: 2, assigned_at: 1e15 };

    expect(openCommandsOf({ ...stateOf(granted), holder: next })).toEqual([
      { command_id: "cmd-grant_resources", command: "grant_resources", reason: null },
    ]);
  });
});

describe("the receipt of an end", () => {
  it("names the frozen verdict, and says when another reason was ignored", () => {
    const state = stateOf(live(IN_PHASE.executing(), end("failure")));

    const receipt = { task_id: "task-1", end_reason: "failure", completion_status: "partial" };
    const output = stateOf(
      live(IN_PHASE.executing(), end("failure", { result_data: { output: { rows: 1 } } })),
    );
    const said = (ended: typeof state, isReasonIgnored: boolean): unknown => {
      const change = { events: [], isReasonIgnored };
      return JSON.parse(endAnswerOf({ state: ended, change }, null).receipt);
    };
    expect(said(output, false)).toEqual(receipt);
    expect(said(state, true)).toEqual({
      ...receipt,
      completion_status: "failure",
      reason_ignored: true,
    });
  });
});
