import { describe, expect, it } from "vitest";

import { IN_PHASE, decline, later, live, started, step, tick, typesOf } from "../task-life.ts";
import type { Life } from "../task-life.ts";

/* The clock of waiting for an executor, of src/task/machine/clocks.ts: from when it counts. */

/** A task whose executor does not start, or gives it back 30 s after it came in. */
const given = (more = {}) => later(IN_PHASE.assigned({ queue_timeout: 40, ...more }), 30);

/** Whether the task is over so many seconds later, and not a millisecond earlier. */
function endsAfter(life: Life, seconds: number): [early: boolean, due: boolean] {
  const isOver = (at: number) =>
    typesOf(step({ ...life, now: at }, tick).done.events).includes("verdict");
  const due = life.now + seconds * 1_000;
  return [isOver(due - 1), isOver(due)];
}

describe("queue_timeout", () => {
  it("counts from when the task came to wait, whoever has given it back since", () => {
    expect(endsAfter(live(given(), decline()), 10)).toEqual([false, true]);
  });

  it("counts anew once an attempt has started", () => {
    expect(endsAfter(live(given(), started(), decline()), 40)).toEqual([false, true]);
  });

  it("counts anew after a retry, also of an attempt that never started", () => {
    const lost = step(given({ heartbeat_timeout: 30 }), tick).life;
    const again = step(later(lost, 30), tick).life;

    expect(endsAfter(again, 40)).toEqual([false, true]);
  });
});
