import { describe, expect, it } from "vitest";

import { attemptOutcomeSchema } from "../../src/protocol/attempt-outcome.ts";
import { outcomeOf } from "../../src/task/pool-outcome.ts";
import {
  assign,
  beat,
  completed,
  end,
  failed,
  IN_PHASE,
  live,
  UNBORN,
  order,
  request,
  started,
  stateOf,
  step,
  submit,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const running = (changes = {}): Life => live(UNBORN, submit(request(changes)), assign(), started());

/** How the attempt went that this step ends, as the task tells its pool. */
function outcomeAfter(life: Life, command: Parameters<typeof step>[1], afterSeconds = 10) {
  const before = { ...life, now: life.now + afterSeconds * 1_000 };
  const after = stateOf(step(before, command).life);
  const outcome = outcomeOf(after.verdict === null ? life.state : null, after);
  return outcome === null ? null : attemptOutcomeSchema.parse(outcome);
}

describe("how an attempt went", () => {
  it("is a success with what it took", () => {
    expect(outcomeAfter(running(), completed())).toEqual({
      task_type: "general",
      kind: "success",
      has_started: true,
      duration_s: 10,
      quality: 0.9,
      cost_usd: 0.5,
      is_on_time: true,
    });
  });

  it("is late beyond its estimate, or beyond its limit where there is no estimate", () => {
    const estimated = running({ estimated_duration: 5 });

    expect(outcomeAfter(estimated, completed())).toMatchObject({ is_on_time: false });
    expect(outcomeAfter(running({ timeout: 30, heartbeat_timeout: 60 }), tick, 31)).toMatchObject({
      kind: "failure",
      is_on_time: false,
    });
  });

  it("is a failure when the executor says so, with a retry to come or without", () => {
    expect(outcomeAfter(running(), failed())).toMatchObject({ kind: "failure", duration_s: 10 });
    expect(outcomeAfter(running(), failed({ retry_recommended: false }))).toMatchObject({
      kind: "failure",
      has_started: true,
    });
  });

  it("is a lost lease after silence, before the start or after it, also when no retry is left", () => {
    const unstarted = live(UNBORN, submit(), assign());
    const last = running({ execution_options: { retry_policy: { max_retries: 0 } } });

    expect(outcomeAfter(running(), tick, 61)).toMatchObject({ kind: "lost", has_started: true });
    expect(outcomeAfter(unstarted, tick, 61)).toMatchObject({ kind: "lost", has_started: false });
    expect(outcomeAfter(last, tick, 61)).toMatchObject({ kind: "lost", has_started: null });
  });

  it("is a stall when it only beats, also when no retry is left", () => {
    const beating = (options = {}) => {
      const life = running({ stall_timeout: 30, heartbeat_timeout: 60, ...options });
      return live({ ...life, now: life.now + 20_000 }, beat());
    };
    const last = beating({ execution_options: { retry_policy: { max_retries: 0 } } });

    expect(outcomeAfter(beating(), tick, 11)).toMatchObject({ kind: "stalled" });
    expect(outcomeAfter(last, tick, 11)).toMatchObject({ kind: "stalled" });
  });

  it("says nothing of the work when others end it, and is nothing when nobody had it", () => {
    expect(outcomeAfter(running(), order("escalate"))).toMatchObject({ kind: "other" });
    expect(outcomeAfter(running(), end("cancelled"))).toMatchObject({ kind: "cancelled" });
    expect(outcomeAfter(IN_PHASE.queued(), order("escalate"))).toBeNull();
  });
});
