import { describe, expect, it } from "vitest";

import type { LoggedEvent } from "../../src/task/machine/state.ts";
import { RecentEvents } from "../../src/task/recent-events.ts";

function eventAt(seq: number, data: LoggedEvent["data"] = {}): LoggedEvent {
  return { seq, at: seq, type: "task_progress", actor: { kind: "executor", id: "a" }, data };
}

const seqsOf = (events: readonly LoggedEvent[] | null) => events?.map(({ seq }) => seq) ?? null;

describe("the events that were written just now", () => {
  it("are known from the first on, in order, at most as many as are asked for", () => {
    const recent = new RecentEvents();
    recent.append([eventAt(1), eventAt(2)]);
    recent.append([eventAt(3)]);

    expect([0, 1, 3].map((after) => seqsOf(recent.after(after, 2)))).toEqual([[1, 2], [2, 3], []]);
  });

  it("are not known where they begin later than is asked for", () => {
    const recent = new RecentEvents();
    expect(recent.after(0, 50)).toBeNull();
    recent.append([eventAt(7), eventAt(8)]);

    expect([seqsOf(recent.after(5, 50)), seqsOf(recent.after(6, 50))]).toEqual([null, [7, 8]]);
  });

  it("are not known any more once they were forgotten, while later ones are", () => {
    const recent = new RecentEvents();
    recent.append([eventAt(1), eventAt(2), eventAt(3)]);
    recent.forget(2);

    expect([seqsOf(recent.after(1, 50)), seqsOf(recent.after(2, 50))]).toEqual([null, [3]]);
  });

  it("have no gap: what does not follow takes the place of what was there", () => {
    const recent = new RecentEvents();
    recent.append([eventAt(1)]);
    recent.append([eventAt(5)]);

    expect([seqsOf(recent.after(0, 50)), seqsOf(recent.after(4, 50))]).toEqual([null, [5]]);
  });

  it("are as the log has them: without what is undefined, and apart from what was given", () => {
    const recent = new RecentEvents();
    const given = eventAt(1, { step: "one" });
    recent.append([{ ...given, data: Object.assign(given.data, { gone: undefined }) }]);
    given.data["step"] = "changed later";

    expect(recent.after(0, 1)).toEqual([{ ...eventAt(1), data: { step: "one" } }]);
    expect(Object.keys(recent.after(0, 1)?.[0]?.data ?? {})).toEqual(["step"]);
  });

  it("are left to the log where they are large, and are known again after that", () => {
    const recent = new RecentEvents();
    recent.append([eventAt(1, { text: "x".repeat(400_000) })]);
    recent.append([eventAt(2, { text: "x".repeat(400_000) })]);
    recent.append([eventAt(3)]);

    expect([seqsOf(recent.after(0, 50)), seqsOf(recent.after(2, 50))]).toEqual([null, [3]]);
  });
});
