import { describe, expect, it } from "vitest";

import { readNews } from "../../src/history/news.ts";
import { escalationOf, eventOf, eventsOf, viewOf } from "../task-news.ts";

const origin = { tenant: "acme", task_id: "task-1", isRebuild: false };
const view = viewOf({ seq: 2 });
const whole = { view: JSON.stringify(view), events: eventsOf(1, 2) };

describe("news of a task", () => {
  it("are read from their raw form", () => {
    const escalation = escalationOf();

    const read = readNews(origin, { ...whole, escalation: JSON.stringify(escalation) });

    expect(read).toEqual({
      ok: true,
      value: { tenant: "acme", isRebuild: false, view, events: whole.events, escalation },
    });
  });

  it.each([
    ["a view that is not JSON", { ...whole, view: "{" }],
    ["a view that is no view", { ...whole, view: "{}" }],
    ["a view with an unknown field", { ...whole, view: JSON.stringify({ ...view, extra: 1 }) }],
    ["an event that is none", { ...whole, events: [{ seq: 1 }] }],
    ["an escalation that is none", { ...whole, escalation: "{}" }],
    ["a view of another task", { ...whole, view: JSON.stringify(viewOf({ task_id: "other" })) }],
    [
      "an earlier escalation of another task",
      { ...whole, earlier: [JSON.stringify(escalationOf({ task_id: "other" }))] },
    ],
    [
      "an escalation of another task",
      { ...whole, escalation: JSON.stringify(escalationOf({ task_id: "other" })) },
    ],
    ["events newer than the view", { ...whole, events: eventsOf(1, 3) }],
    [
      "an event too large for a row",
      { ...whole, events: [eventOf(1, { data: { x: "é".repeat(900_000) } })] },
    ],
  ])("refuse %s", (_what, raw) => {
    expect(readNews(origin, raw).ok).toBe(false);
  });

  it("name the place of a fault and never its value", () => {
    const read = readNews(origin, { ...whole, view: '{"task_id": "very private"' });

    expect(read).toMatchObject({ ok: false, refusal: expect.stringMatching(/^\/view /) });
    expect(JSON.stringify(read)).not.toContain("private");
  });
});
