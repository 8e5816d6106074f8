import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TaskNews } from "../../src/history/news.ts";
import { project } from "../../src/history/projection.ts";
import { at, escalationOf, eventOf, eventsOf, viewOf } from "../task-news.ts";

function newsOf(changes: Partial<TaskNews> = {}): TaskNews {
  return {
    tenant: "acme",
    view: viewOf(),
    events: [eventOf(1)],
    escalation: null,
    isRebuild: false,
    ...changes,
  };
}

describe("the projection", () => {
  it("makes all news of one task one record with one run", () => {
    const records = project([
      newsOf({ view: viewOf({ seq: 2 }), events: eventsOf(1, 2) }),
      newsOf({ view: viewOf({ seq: 5, status: "running" }), events: eventsOf(3, 5) }),
    ]);

    expect(records.tasks).toMatchObject([{ seq: 5, status: "running" }]);
    expect(records.runs).toMatchObject([{ first_seq: 1, last_seq: 5 }]);
    expect(records.tasks[0]?.run?.events).toEqual(eventsOf(1, 5));
  });

  it("keeps runs apart where events are missing between them", () => {
    const records = project([
      newsOf({ view: viewOf({ seq: 9 }), events: eventsOf(8, 9) }),
      newsOf({ view: viewOf({ seq: 3 }), events: eventsOf(2, 3) }),
    ]);

    expect(records.runs).toMatchObject([
      { first_seq: 2, last_seq: 3 },
      { first_seq: 8, last_seq: 9 },
    ]);
  });

  it("splits a run that would not fit a row, and leaves it out of the task's own", () => {
    const large = { data: { text: "x".repeat(150_000) } };
    const events = [eventOf(1, large), eventOf(2, large), eventOf(3, large), eventOf(4)];

    const records = project([newsOf({ view: viewOf({ seq: 4 }), events })]);

    expect(records.runs).toMatchObject([
      { first_seq: 1, last_seq: 2 },
      { first_seq: 3, last_seq: 4 },
    ]);
    expect(records.tasks[0]?.run).toBeUndefined();
  });

  it("keeps tenants apart that use the same task_id", () => {
    const records = project([newsOf(), newsOf({ tenant: "other" })]);

    expect(records.tasks.map(({ tenant }) => tenant)).toEqual(["acme", "other"]);
  });

  it("stores instants in one form, so that they compare as text", () => {
    const records = project([
      newsOf({ view: viewOf({ created_at: "2026-11-22T01:00:00+01:00" }) }),
    ]);

    expect(records.tasks[0]?.created_at).toBe(at(0));
  });

  it("takes of each escalation what the newest view came with", () => {
    const records = project([
      newsOf({ view: viewOf({ seq: 7 }), escalation: escalationOf({ state: "resolved" }) }),
      newsOf({ view: viewOf({ seq: 4 }), escalation: escalationOf() }),
    ]);

    expect(records.escalations).toMatchObject([
      { escalation_id: "esc_1", seq: 7, state: "resolved" },
    ]);
  });

  it("writes an escalation that a later one has taken the place of", () => {
    const records = project([
      newsOf({
        view: viewOf({ seq: 7 }),
        escalation: escalationOf({ escalation_id: "esc_2" }),
        earlier: [escalationOf({ state: "resolved" })],
      }),
      newsOf({ view: viewOf({ seq: 4 }), escalation: escalationOf() }),
    ]);

    expect(records.escalations).toMatchObject([
      { escalation_id: "esc_1", seq: 7, state: "resolved" },
      { escalation_id: "esc_2", seq: 7, state: "open" },
    ]);
  });

  it("gives the same records whatever the order and however often each came", () => {
    const inOrder = [1, 2, 3, 4, 5, 6].map((seq) =>
      newsOf({
        view: viewOf({ seq, current_step: `step ${seq}` }),
        events: [eventOf(seq)],
        escalation: seq === 3 || seq === 5 ? escalationOf({ question: `asked at ${seq}` }) : null,
      }),
    );
    const expected = project(inOrder);

    fc.assert(
      fc.property(
        fc.shuffledSubarray([...inOrder, ...inOrder], { minLength: 12, maxLength: 12 }),
        (shuffled) => {
          expect(project(shuffled)).toEqual(expected);
        },
      ),
    );
  });
});
