import { describe, expect, it } from "vitest";

import { remedyOf } from "../../src/protocol/post-mortem.ts";
import type { EndPhaseRecord } from "../../src/protocol/task-view.ts";
import { MOST_ENTRIES, postMortemOf } from "../../src/task/finish/post-mortem.ts";
import { recommendationsOf } from "../../src/task/finish/recommendations.ts";
import { blankTask } from "../../src/task/machine/evolve.ts";
import { incidentsAfter } from "../../src/task/machine/incidents.ts";
import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  ORIGIN,
  START,
  decline,
  end,
  live,
  order,
  request,
  resolve,
  stateOf,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";
import { TROUBLED_ATTEMPTS } from "./troubled-attempts.ts";
import { TROUBLED_LIVES } from "./troubled-lives.ts";
import { succeeded } from "./troubles.ts";

function told(life: Life, phases: EndPhaseRecord[] = [], debts = 0) {
  const state = stateOf(life);
  if (state.verdict === null) throw new Error(`no verdict in phase ${state.phase}`);
  return postMortemOf(state, state.verdict, { phases, debts });
}

function advised(life: Life): string[] {
  const state = stateOf(life);
  if (state.verdict === null) throw new Error("no verdict");
  return recommendationsOf(state, state.verdict, { debt: [], advice: [] });
}

describe("the post-mortem", () => {
  it.each([...TROUBLED_ATTEMPTS, ...TROUBLED_LIVES])("tells of $of", ({ life, entries }) => {
    const lived = life();

    const found = told(lived);

    expect(found.map((entry) => entry.class)).toEqual(entries.map((entry) => entry.class));
    expect(found).toEqual(
      entries.map(({ class: word, what, effect, action }) => ({
        class: word,
        what: expect.stringContaining(what),
        effect: expect.stringContaining(effect),
        action: expect.stringContaining(action),
        when: expect.stringMatching(/^2026-11-2\dT/),
      })),
    );
    expect(found.filter(({ action }) => remedyOf(action) === null)).toEqual([]);
  });

  it.each(
    [...TROUBLED_ATTEMPTS, ...TROUBLED_LIVES].flatMap(({ of, life, advice }) =>
      advice === undefined ? [] : [{ of, life, advice }],
    ),
  )("is the source of advice about $of", ({ life, advice }) => {
    expect(advised(life())).toEqual(advice);
  });

  it.each<[string, () => Life]>([
    ["a success at once", () => IN_PHASE.finalizing()],
    ["a cancellation before the start", () => live(IN_PHASE.queued(), order("cancel"))],
    [
      "a cancellation that was confirmed",
      () =>
        live(
          IN_PHASE.executing(),
          order("cancel"),
          end("cancelled", { error_information: undefined }),
        ),
    ],
    [
      "a question that was answered",
      () => succeeded(live(IN_PHASE.awaiting_input(), resolve("resume", { answer: "this" }))),
    ],
    [
      "a decline after which another took it",
      () => succeeded(live(IN_PHASE.assigned(), decline())),
    ],
  ])("is empty for %s, and so is the advice", (_what, life) => {
    const lived = life();

    expect([told(lived), advised(lived)]).toEqual([[], []]);
  });

  it("tells of end phases that did not do their work", () => {
    const phase: EndPhaseRecord = {
      name: "cleanup",
      outcome: "fallback",
      started_at: "2026-11-22T10:00:00.000Z",
      ended_at: "2026-11-22T10:00:09.000Z",
      attempts: 3,
      checks: [{ name: "slot released", passed: false, detail: "failed each time" }],
    };

    expect(told(IN_PHASE.finalizing(), [phase], 1)).toEqual([
      {
        what: "Phase cleanup did not achieve: slot released",
        when: phase.ended_at,
        class: "cleanup_failed",
        effect: "The task ended without it",
        action: "Retried: it was tried 3 times; what was left is in cleanup_debt",
      },
    ]);
    const cut: EndPhaseRecord = { ...phase, outcome: "timed_out" };
    expect(told(IN_PHASE.finalizing(), [cut]).map((entry) => entry.class)).toEqual([
      "cleanup_timed_out",
    ]);
  });

  it("tells of prerequisites and subtasks that did not succeed", () => {
    const state = stateOf(IN_PHASE.finalizing());
    const reported = (task_id: string, end_reason: "failure" | "success" | "cancelled") => ({
      task_id,
      weight: 1,
      reserved: { cost_usd: null, tokens: null, attempts: null, children: null },
      adopted_at: START,
      report: {
        task_id,
        task_type: "general" as const,
        phase: "ended" as const,
        is_ended: true,
        status: "failed" as const,
        end_reason,
        completion_status: null,
        agent_id: null,
        seq: 5,
        percentage: null,
        height: 0,
        used: { cost_usd: 0, tokens: 0, attempts: 0, children: 0 },
      },
    });
    const children = [
      reported("a", "failure"),
      reported("b", "success"),
      reported("c", "cancelled"),
    ];
    const prerequisites = [
      { task_id: "p", end_reason: "failure" },
      { task_id: "q", end_reason: "success" },
    ];
    const incidents = incidentsAfter(state, eventOf("task_ready", { prerequisites }));
    if (state.verdict === null) throw new Error("no verdict");

    const found = postMortemOf({ ...state, incidents, family: { children } }, state.verdict, {
      phases: [],
      debts: 0,
    });

    expect(found.map((entry) => [entry.class, entry.what])).toEqual([
      ["dependency_failed", "Prerequisite p ended with reason failure"],
      ["subtask_failed", "Subtask a ended with reason failure"],
    ]);
  });

  it("counts by class what is too much to tell one by one", () => {
    const state = stateOf(IN_PHASE.finalizing());
    const incidents = Array.from({ length: 250 }, (_, index) => ({
      what: `problem ${index}`,
      at: START + index,
      class: "declined",
      effect: "",
      action: "",
      awaits: null,
      isFatal: false,
      names: [],
    }));
    if (state.verdict === null) throw new Error("no verdict");

    const found = postMortemOf({ ...state, incidents }, state.verdict, { phases: [], debts: 0 });

    expect(found).toHaveLength(MOST_ENTRIES);
    expect([found[0]?.what, found.at(-1)?.what]).toEqual(["problem 0", "problem 249"]);
    expect(found.find((entry) => entry.class === "further_problems")?.what).toBe(
      "151 further problems: 151 × declined",
    );
  });

  it("is made from whatever a log says, however little", () => {
    const start = blankTask(ORIGIN, request(), START);
    const data = [{}, { data: null }, { rule: 5 }, { state: 7 }, { prerequisites: "no" }];
    const events = (
      [
        "task_failed",
        "lease_expired",
        "retry_scheduled",
        "task_escalated",
        "escalation_resolved",
        "task_declined",
        "task_started",
        "task_ready",
        "command_issued",
        "command_acknowledged",
        "budget_warning",
        "verdict",
        "agent_end_task",
      ] as const
    ).flatMap((type) => data.map((odd) => eventOf(type, odd)));

    const state = events.reduce<TaskState>(
      (before, event) => ({ ...before, incidents: incidentsAfter(before, event) }),
      start,
    );

    expect(state.incidents.map((incident) => typeof incident.what)).not.toContain("undefined");
  });
});

function eventOf(type: LoggedEvent["type"], data: LoggedEvent["data"]): LoggedEvent {
  return { type, data, seq: 9, at: START, actor: { kind: "system", id: "batuta" } };
}

describe("recommendations", () => {
  it("name the quality that was asked for when the result missed it", () => {
    const poor = { quality_assessment: { overall_score: 0.5 } };

    expect(advised(live(IN_PHASE.executing(), end("failure", poor)))).toContain(
      "Give more context, or lower quality_threshold: the quality was 0.5, 0.8 were asked for",
    );
  });

  it("take over what stages of the end advise, each once", () => {
    const state = stateOf(IN_PHASE.finalizing());
    if (state.verdict === null) throw new Error("no verdict");

    expect(recommendationsOf(state, state.verdict, { debt: [], advice: ["look", "look"] })).toEqual(
      ["look"],
    );
  });
});
