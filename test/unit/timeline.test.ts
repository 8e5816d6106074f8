import { describe, expect, it } from "vitest";

import { eventTypeSchema } from "../../src/protocol/enums.ts";
import { timelineOf } from "../../src/protocol/timeline.ts";
import { at, eventOf } from "../task-news.ts";

describe("the timeline of a task", () => {
  it("has one line for each event, in order of seq", () => {
    const timeline = timelineOf([eventOf(3), eventOf(1), eventOf(2)]);

    expect(timeline.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(timeline[0]?.at).toBe(at(1));
  });

  it("says who did what, with the facts that tell most", () => {
    const data = { progress_percentage: 40, current_step: "parsing", intermediate_results: {} };

    const [line] = timelineOf([eventOf(2, { data })]);

    expect(line?.what).toBe(
      "task_progress by executor exec-1: progress_percentage 40, current_step parsing",
    );
  });

  it("finds the facts of a notification where the log keeps them", () => {
    const facts = { progress_percentage: 40, current_step: "parsing" };
    const data = { notification_id: "n1", notification_type: "task_progress", data: facts };

    const [line] = timelineOf([eventOf(2, { data })]);

    expect(line?.what).toBe(
      "task_progress by executor exec-1: progress_percentage 40, current_step parsing",
    );
  });

  it("has a line for every type of event, also without data", () => {
    const events = eventTypeSchema.options.map((type, index) =>
      eventOf(index + 1, { type, data: {} }),
    );

    const lines = timelineOf(events).map(({ what }) => what);

    expect(lines).toEqual(eventTypeSchema.options.map((type) => `${type} by executor exec-1`));
  });

  it("cuts a long text", () => {
    const data = { current_step: "x".repeat(5_000) };

    const [line] = timelineOf([eventOf(2, { data })]);

    expect(line?.what.length).toBeLessThan(300);
    expect(line?.what.endsWith("…")).toBe(true);
  });
});
