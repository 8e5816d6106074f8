import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/protocol/primitives.ts";
import {
  IN_PHASE,
  beat,
  completed,
  failed,
  later,
  live,
  order,
  progress,
  started,
  stateOf,
  step,
  tick,
  typesOf,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const HOUR_S = 3_600;
const PATIENT = { heartbeat_timeout: HOUR_S, timeout: 10 * HOUR_S, stall_timeout: 10 * HOUR_S };

const startedWith = (estimated_duration: number, changes: JsonObject = {}): Life =>
  live(IN_PHASE.assigned({ ...PATIENT, ...changes }), started({ estimated_duration }));

/** What rules have ordered so far. */
const ruledIn = (life: Life) =>
  stateOf(life)
    .commands.filter(({ rule }) => rule !== undefined)
    .map(({ rule, command, state }) => ({ rule, command, state }));

const blocking = { challenges: [{ description: "No access to the archive", blocking: true }] };

describe("the rule stalled", () => {
  const silent = () => startedWith(HOUR_S, { progress_interval: 20 });

  it("asks exactly once for news when there is no progress for three intervals", () => {
    const early = step(later(silent(), 59), tick);
    const asked = step(later(silent(), 60), tick);
    const muchLater = step(live(later(asked.life, 3_000), beat()), tick);

    expect(early.done.events).toEqual([]);
    expect(asked.done.events).toMatchObject([
      {
        type: "command_issued",
        actor: { kind: "system" },
        data: {
          command: "request_update",
          state: "requested",
          reason: "rule stalled: no progress for 60 s",
        },
      },
    ]);
    expect(ruledIn(muchLater.life)).toHaveLength(1);
  });

  it("is answered by a progress, and asks again after the next silence", () => {
    const asked = step(later(silent(), 60), tick).life;
    const answered = live(later(asked, 5), progress(10));
    const again = step(later(answered, 60), tick).life;

    expect(ruledIn(answered)).toEqual([
      { rule: "stalled", command: "request_update", state: "confirmed" },
    ]);
    expect(ruledIn(again).map(({ state }) => state)).toEqual(["confirmed", "requested"]);
    expect(new Set(stateOf(again).commands.map(({ command_id }) => command_id)).size).toBe(2);
  });

  it("asks after half the stall window where no interval was asked for", () => {
    const life = startedWith(60, { stall_timeout: 100 });

    expect(step(later(life, 49), tick).done.events).toEqual([]);
    expect(ruledIn(step(later(life, 50), tick).life)).toMatchObject([{ rule: "stalled" }]);
  });

  it.each([
    ["somebody has asked already", () => live(silent(), order("request_update"))],
    ["the task is being cancelled", () => live(silent(), order("cancel"))],
  ])("is silent while %s", (_title, life) => {
    expect(ruledIn(step(later(life(), 20 + 9), tick).life)).toEqual([]);
    expect(ruledIn(step(later(life(), 60), tick).life)).toEqual([]);
  });
});

describe("the rule overrun", () => {
  it("asks once when a heartbeat comes after one and a half times the estimate", () => {
    const life = startedWith(100);
    const early = live(later(life, 149), beat());
    const late = live(later(life, 150), beat());

    expect(ruledIn(early)).toEqual([]);
    expect(stateOf(late).commands).toMatchObject([
      {
        command: "request_update",
        reason: "rule overrun: it takes 150 s, the estimate was 100 s",
      },
    ]);
    expect(ruledIn(live(later(late, 50), beat(), progress(20), beat(), progress(30)))).toHaveLength(
      1,
    );
  });

  it("asks when a progress comes so late, unless that answers somebody who asked", () => {
    const late = later(startedWith(100), 200);
    const asked = later(live(startedWith(100), order("request_update")), 200);

    expect(ruledIn(live(late, progress(20)))).toMatchObject([{ rule: "overrun" }]);
    expect(ruledIn(live(asked, progress(20), beat()))).toEqual([]);
  });
});

describe("the rule cost_overrun", () => {
  const budgeted = (budget: JsonObject) => startedWith(HOUR_S, { contract: { budget } });

  it("warns and asks with the projection, once, when the rest will not fit the budget", () => {
    const spent = live(
      budgeted({ max_tokens: 1_000 }),
      beat({ usage: { tokens: 130 } }),
      progress(10),
    );
    const more = live(spent, progress(11), beat({ usage: { tokens: 200 } }), progress(12));

    expect(spent.log.slice(-2)).toMatchObject([
      {
        type: "budget_warning",
        data: { resource: "tokens", used: 130, limit: 1_000, projected: 1_300 },
      },
      {
        type: "command_issued",
        data: {
          reason: "rule cost_overrun: at 10 % tokens is projected to 1300, the budget is 1000",
        },
      },
    ]);
    expect(ruledIn(more)).toHaveLength(1);
    expect(typesOf(more.log).filter((type) => type === "budget_warning")).toHaveLength(1);
  });

  it("does not keep the warning at four fifths of the budget from coming", () => {
    const projected = live(
      budgeted({ max_tokens: 1_000 }),
      beat({ usage: { tokens: 130 } }),
      progress(10),
    );
    const near = live(
      projected,
      beat({ usage: { tokens: 800 } }),
      beat({ usage: { tokens: 900 } }),
      progress(20),
    );

    const warnings = near.log.filter(({ type }) => type === "budget_warning");
    expect(warnings.map(({ data }) => data)).toEqual([
      { resource: "tokens", used: 130, limit: 1_000, projected: 1_300 },
      { resource: "tokens", used: 800, limit: 1_000 },
    ]);
  });

  it("judges money like tokens", () => {
    const life = live(
      budgeted({ max_cost_usd: 1 }),
      beat({ usage: { cost_usd: 0.5 } }),
      progress(25),
    );

    expect(ruledIn(life)).toMatchObject([{ rule: "cost_overrun" }]);
  });

  it.each([
    ["less than a tenth is done", 9, 600],
    ["the projection is within a fifth of the budget", 10, 120],
  ])("is silent while %s", (_title, percentage, tokens) => {
    const life = live(
      budgeted({ max_tokens: 1_000 }),
      beat({ usage: { tokens } }),
      progress(percentage),
    );

    expect(ruledIn(life)).toEqual([]);
  });

  it("is not troubled by use that is newer than the last percentage", () => {
    const life = live(
      budgeted({ max_tokens: 1_000 }),
      progress(10),
      beat({ usage: { tokens: 400 } }),
    );

    expect(ruledIn(life)).toEqual([]);
  });

  it("counts what was granted", () => {
    const granted = live(
      budgeted({ max_tokens: 1_000 }),
      order("grant_resources", { grant: { tokens: 500 } }),
      beat({ usage: { tokens: 130 } }),
      progress(10),
    );

    expect(ruledIn(granted)).toEqual([]);
  });
});

describe("the rule blocking_challenge", () => {
  const at = (autonomy_level: string) =>
    startedWith(HOUR_S, { execution_options: { autonomy_level } });

  it("asks the orchestrator, with the challenge as the question", () => {
    const life = live(at("semi_autonomous"), progress(30, blocking));

    expect(typesOf(life.log.slice(-3))).toEqual([
      "task_progress",
      "command_issued",
      "task_escalated",
    ]);
    expect(ruledIn(life)).toEqual([
      { rule: "blocking_challenge", command: "escalate", state: "confirmed" },
    ]);
    expect(stateOf(life)).toMatchObject({
      phase: "awaiting_input",
      holder: null,
      escalation: {
        kind: "question",
        level: "orchestrator",
        question: "No access to the archive",
        options: ["resume", "change", "cancel"],
        evidence: { context: { progress_percentage: 30 }, level: "orchestrator" },
      },
    });
  });

  it("only asks the executor where it works autonomously, once an attempt", () => {
    const life = live(at("autonomous"), progress(30, blocking), progress(31, blocking));

    expect(ruledIn(life)).toMatchObject([
      { rule: "blocking_challenge", command: "request_update" },
    ]);
    expect(stateOf(life).phase).toBe("executing");
  });

  it.each([
    [{ challenges: ["It is hard"] }],
    [{ challenges: [{ description: "It is hard", blocking: false }] }],
    [{ opportunities: [{ description: "A shortcut", blocking: true }] }],
  ])("is silent at %o", (data) => {
    expect(ruledIn(live(at("semi_autonomous"), progress(30, data)))).toEqual([]);
  });
});

describe("a healthy task", () => {
  it("gets no command at all", () => {
    let life = startedWith(100, {
      progress_interval: 20,
      contract: { budget: { max_tokens: 1_000, max_cost_usd: 1 } },
      execution_options: { escalate_on: ["repeated_failure", "retries_exhausted"] },
    });
    for (let part = 1; part <= 9; part += 1) {
      life = live(
        later(life, 10),
        beat({ usage: { tokens: part * 75, cost_usd: part * 0.07 } }),
        progress(part * 10, { challenges: ["Many files"] }),
      );
    }
    life = live(later(life, 10), completed());

    expect(stateOf(life).commands).toEqual([]);
    expect(typesOf(life.log)).not.toContain("task_escalated");
  });

  it("that fails once is retried without a question", () => {
    const life = live(startedWith(60), failed());

    expect(stateOf(life)).toMatchObject({ phase: "retry_wait", commands: [] });
  });
});
