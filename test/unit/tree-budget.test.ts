import { describe, expect, it } from "vitest";

import type { ChildOffer, ChildReport } from "../../src/protocol/kin.ts";
import { adopt, birthrightOf } from "../../src/task/kin/adoption.ts";
import { withReport } from "../../src/task/kin/family.ts";
import { freeInTree, hasAttemptLeft, usedInTree } from "../../src/task/kin/tree-budget.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import { offer, report } from "../children.ts";
import {
  IN_PHASE,
  START,
  UNBORN,
  beat,
  failed,
  live,
  order,
  request,
  stateOf,
  step,
  submit,
  typesOf,
} from "../task-life.ts";

const ATTEMPTS = (max_attempts: number) => ({ budget: { max_attempts } });

/** A task that its children do waits for them. */
const waitingForSubtasks = (changes: Record<string, unknown>) =>
  live(UNBORN, submit(request(changes)));

function parentWith(budget: Record<string, number>, more: Record<string, unknown> = {}): TaskState {
  const changes = { contract: { budget }, ...more };
  return stateOf("subtasks" in more ? waitingForSubtasks(changes) : IN_PHASE.executing(changes));
}

function withChildren(state: TaskState, ...offers: ChildOffer[]): TaskState {
  const adopted = adopt(state, offers, START);
  if (!adopted.ok) throw new Error(adopted.refusal.detail);
  return { ...state, family: { children: [...(state.family?.children ?? []), ...adopted.value] } };
}

function hearing(state: TaskState, ...reports: ChildReport[]): TaskState {
  const family = reports.reduce(withReport, state.family ?? { children: [] });
  return { ...state, family };
}

describe("the reservation of a child", () => {
  it("is what its own budget asks for", () => {
    const state = withChildren(parentWith({ max_tokens: 100 }), offer("a", { max_tokens: 30 }));

    expect(state.family?.children[0]?.reserved).toMatchObject({ tokens: 30, cost_usd: null });
    expect(freeInTree(state).tokens).toBe(70);
  });

  it("is an equal share among the subtasks to come, and the parent where an executor works on it", () => {
    const subtasks = { expected: 4 };
    const shared = withChildren(parentWith({ max_tokens: 100 }, { subtasks }), offer("a"));
    const counted = withChildren(parentWith({ max_tokens: 100, max_children: 5 }), offer("a"));
    const whole = withChildren(parentWith({ max_tokens: 100 }), offer("a"));

    expect(
      [shared, counted, whole].map(({ family }) => family?.children[0]?.reserved.tokens),
    ).toEqual([25, 16, 50]);
  });

  it("holds no more attempts than the child would make, and at least one", () => {
    const plenty = withChildren(parentWith({ max_attempts: 50 }), offer("a"));
    const scarce = withChildren(
      parentWith({ max_attempts: 3 }, { subtasks: { expected: 2 } }),
      offer("a"),
    );

    expect(plenty.family?.children[0]?.reserved.attempts).toBe(3);
    expect(scarce.family?.children[0]?.reserved.attempts).toBe(1);
  });

  it.each([
    [{ max_tokens: 100 }, { max_tokens: 101 }, "tokens", 100],
    [{ max_cost_usd: 1 }, { max_cost_usd: 1.5 }, "cost_usd", 1],
    [{ max_attempts: 1 }, {}, "attempts", 0],
    [{ max_children: 0 }, {}, "children", 0],
    [{ max_depth: 0 }, {}, "depth", 0],
    [{ max_tokens: 0 }, {}, "tokens", 0],
  ])(
    "is refused by a parent with %j to a child that asks for %j",
    (budget, asks, resource, left) => {
      const adopted = adopt(parentWith(budget), [offer("a", asks)], START);

      expect(adopted).toMatchObject({
        refusal: {
          code: "budget_exceeded",
          errors: [{ pointer: "/parent_task_id" }],
          extra: { resource, left },
        },
      });
    },
  );

  it("is refused for all children of an offer when one of them does not fit", () => {
    const offers = [offer("a", { max_tokens: 60 }), offer("b", { max_tokens: 60 })];

    expect(adopt(parentWith({ max_tokens: 100 }), offers, START).ok).toBe(false);
  });

  it("stays what it is when the child is adopted again", () => {
    const state = withChildren(parentWith({ max_tokens: 100 }), offer("a", { max_tokens: 60 }));

    expect(adopt(state, [offer("a", { max_tokens: 60 })], START)).toEqual({ ok: true, value: [] });
  });

  it("gives way to what an ended child really used", () => {
    const state = withChildren(parentWith({ max_tokens: 100 }), offer("a", { max_tokens: 60 }));

    const ended = hearing(state, report("a", { tokens: 5 }, { is_ended: true }));

    expect(freeInTree(ended).tokens).toBe(95);
  });
});

describe("a child's place in the tree", () => {
  it("is one level deeper, bounded by its parent's deadline and depth", () => {
    const parent = parentWith({ max_depth: 2, max_duration_s: 100 }, { total_timeout: 1_000 });
    const child = withChildren(parent, offer("a")).family?.children[0];
    if (child === undefined) throw new Error("no child");

    const { lineage } = birthrightOf(parent, child);

    expect(lineage).toMatchObject({
      parent_task_id: "task-1",
      root_task_id: "task-1",
      depth: 1,
      levels_left: 1,
      // Its parent's own clock comes first, and stops it.
      deadline_at: START + 160_000,
    });
    const before = birthrightOf({ ...parent, started_at: null }, child);
    expect(before.lineage.deadline_at).toBe(START + 1_000_000);
  });

  it.each([
    ["finalizing", "task_ended"],
    ["awaiting_approval", "parent_refused"],
  ] as const)("is refused by a parent in phase %s", (phase, code) => {
    const adopted = adopt(stateOf(IN_PHASE[phase]()), [offer("a")], START);

    expect(adopted).toMatchObject({ refusal: { code } });
  });

  it("is refused by a parent that is being cancelled, or has all of its subtasks", () => {
    const cancelling = stateOf(live(IN_PHASE.executing(), order("cancel")));
    const full = withChildren(parentWith({}, { subtasks: { expected: 1 } }), offer("a"));

    for (const state of [cancelling, full]) {
      expect(adopt(state, [offer("b")], START)).toMatchObject({
        refusal: { code: "parent_refused" },
      });
    }
  });
});

describe("the use of a tree", () => {
  it("counts every child once, whatever it reports how often and in which order", () => {
    const state = withChildren(parentWith({ max_tokens: 1_000 }), offer("a"));
    const reports = [40, 70, 55].map((tokens, index) =>
      report("a", { tokens }, { seq: index + 3 }),
    );

    const once = hearing(state, ...reports);
    const again = hearing(once, ...reports);

    expect(usedInTree(once).tokens).toBe(70);
    expect(again.family).toBe(once.family);
  });

  it("ignores reports from before the last one, and all but use after the end", () => {
    const state = withChildren(parentWith({}), offer("a"));
    const ended = hearing(state, report("a", { tokens: 5 }, { is_ended: true, seq: 9 }));

    const late = hearing(ended, report("a", { tokens: 5 }, { seq: 4, status: "pending" }));

    expect(late.family).toBe(ended.family);
  });

  it("ends a task whose children together with itself use too much", () => {
    const life = IN_PHASE.executing({ contract: { budget: { max_tokens: 100 } } });
    const state = hearing(withChildren(stateOf(life), offer("a")), report("a", { tokens: 60 }));

    const { done } = step({ ...life, state }, beat({ usage: { tokens: 41 } }));

    expect(typesOf(done.events)).toEqual(["verdict"]);
    expect(done.state?.verdict?.reason).toBe("resource_exhausted");
  });

  it("is warned of at 80 % by the report of a child, once", () => {
    const life = IN_PHASE.executing({ contract: { budget: { max_tokens: 100 } } });
    const state = hearing(withChildren(stateOf(life), offer("a")), report("a", { tokens: 80 }));

    const first = step({ ...life, state }, { type: "family", results: [] });
    const second = step(first.life, { type: "family", results: [] });

    expect(typesOf(first.done.events)).toEqual(["budget_warning"]);
    expect(second.done.events).toEqual([]);
  });

  it("does not take the rounding of dollars for an overrun", () => {
    const life = IN_PHASE.executing({ contract: { budget: { max_cost_usd: 0.3 } } });
    const child = offer("a", { max_cost_usd: 0.1 });
    const state = hearing(withChildren(stateOf(life), child), report("a", { cost_usd: 0.1 }));

    const { done } = step({ ...life, state }, beat({ usage: { cost_usd: 0.2 } }));

    expect(typesOf(done.events)).toEqual(["budget_warning"]);
  });

  it("ends a task that uses up what is set aside for its children", () => {
    const life = IN_PHASE.executing({ contract: { budget: { max_tokens: 100 } } });
    const state = withChildren(stateOf(life), offer("a", { max_tokens: 60 }));

    const within = step({ ...life, state }, beat({ usage: { tokens: 40 } }));
    const beyond = step({ ...life, state }, beat({ usage: { tokens: 41 } }));

    expect(typesOf(within.done.events)).toEqual([]);
    expect(typesOf(beyond.done.events)).toEqual(["verdict"]);
    expect(stateOf(beyond.life).verdict?.error?.message).toBe(
      "tokens of 41 beside what is set aside for subtasks exceeds the budget of 100",
    );
  });

  it("holds the attempt to come of a task that an executor will work on", () => {
    const waiting = stateOf(live(UNBORN, submit(request({ contract: ATTEMPTS(1) }))));
    const running = stateOf(IN_PHASE.executing({ contract: ATTEMPTS(2) }));

    expect(adopt(waiting, [offer("a")], START)).toMatchObject({
      refusal: { extra: { resource: "attempts", left: 0 } },
    });
    expect(hasAttemptLeft(running)).toBe(true);
    expect(hasAttemptLeft(withChildren(running, offer("a")))).toBe(false);
  });

  it("counts no attempt that was declined, and no child that never came to be", () => {
    const state = withChildren(parentWith({}), offer("a"));
    const heard = report("a", { attempts: 2, children: 2 }, { seq: 5 });
    const later = report("a", { attempts: 1, children: 1 }, { seq: 6 });

    expect(usedInTree(hearing(state, heard, later))).toMatchObject({ attempts: 2, children: 2 });
    expect(usedInTree(hearing(state, later, heard))).toMatchObject({ attempts: 2, children: 2 });
  });

  it("leaves a task no further attempt when the tree has used all of them", () => {
    const life = IN_PHASE.executing({ contract: { budget: { max_attempts: 1 } } });

    const { done } = step(life, failed());

    expect(hasAttemptLeft(stateOf(life))).toBe(false);
    expect(done.state?.verdict?.reason).toBe("failure");
  });
});
