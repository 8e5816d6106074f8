import { describe, expect, it } from "vitest";

import {
  afterAttempt,
  afterDecline,
  believed,
  statsOf,
  successRate,
  UNKNOWN,
  workOf,
} from "../../src/dispatch/choice/reputation.ts";
import type { AttemptOutcome } from "../../src/protocol/attempt-outcome.ts";
import { outcomeOf } from "./pool-fixture.ts";

const after = (...outcomes: Partial<AttemptOutcome>[]) =>
  outcomes.reduce((known, more) => afterAttempt(known, outcomeOf(more)), UNKNOWN);

const stats = (reputation: typeof UNKNOWN) => statsOf([{ assigned: 1, released: 1, reputation }]);

describe("reputation", () => {
  it("is nothing before the first attempt", () => {
    expect(stats(UNKNOWN)).toMatchObject({
      completed: 0,
      accept_rate: null,
      on_time_rate: null,
      lease_loss_rate: null,
      success_rate: null,
      quality: null,
      per_task_type: {},
    });
    expect(successRate(UNKNOWN)).toBeNull();
  });

  it("grows from each kind of attempt what it shows", () => {
    const table: [AttemptOutcome["kind"], object][] = [
      ["success", { completed: 1, accept_rate: 1, success_rate: 1, lease_loss_rate: 0 }],
      ["failure", { failed: 1, accept_rate: 1, success_rate: 0, lease_loss_rate: 0 }],
      ["lost", { lost_leases: 1, accept_rate: 1, success_rate: 0, lease_loss_rate: 1 }],
      ["stalled", { stalled: 1, success_rate: 0, lease_loss_rate: 1 }],
      ["cancelled", { completed: 0, failed: 0, accept_rate: 1, success_rate: null }],
      ["other", { completed: 0, failed: 0, accept_rate: 1, success_rate: null }],
    ];

    for (const [kind, shown] of table) expect(stats(after({ kind }))).toMatchObject(shown);
  });

  it("counts as not accepted what was declined or never started, and not what is unknown", () => {
    expect(stats(afterDecline(UNKNOWN))).toMatchObject({ declined: 1, accept_rate: 0 });
    expect(stats(after({ kind: "lost", has_started: false }))).toMatchObject({ accept_rate: 0 });
    expect(stats(after({ kind: "lost", has_started: null }))).toMatchObject({ accept_rate: null });
  });

  it("keeps figures by task type, of successes alone where they are of the work", () => {
    const known = after(
      { quality: 0.8, duration_s: 10, cost_usd: 0.5 },
      { kind: "failure", duration_s: 999, is_on_time: false },
      { task_type: "testing", duration_s: 7 },
    );

    expect(stats(known)).toMatchObject({
      on_time_rate: 0.6667,
      quality: 0.8,
      per_task_type: {
        general: { success_rate: 0.4949, quality: 0.8, duration_s: 10, cost_usd: 0.5 },
        testing: { success_rate: 1, quality: null, duration_s: 7, cost_usd: null },
      },
    });
  });

  it("forgets: fifty good attempts outweigh fifty bad ones before them", () => {
    const bad = Array<Partial<AttemptOutcome>>(50).fill({ kind: "failure" });
    const good = Array<Partial<AttemptOutcome>>(50).fill({});

    expect(successRate(after(...bad, ...good))).toBeGreaterThan(0.7);
    expect(successRate(after(...good, ...bad))).toBeLessThan(0.3);
  });

  it("stays a number that can be stored, whatever was claimed of the attempts", () => {
    const huge = { cost_usd: 1e308, duration_s: 1e308 };
    const known = after(huge, huge, huge);

    expect(JSON.parse(JSON.stringify(known))).toEqual(known);
    expect(stats(known).per_task_type.general?.cost_usd).toBeGreaterThan(1e15);
  });

  it("adds up over pools", () => {
    const [one, other] = [after({}, {}), after({ kind: "failure" })];
    const both = statsOf([
      { assigned: 2, released: 2, reputation: one },
      { assigned: 3, released: 1, reputation: other },
    ]);

    expect(both).toMatchObject({ assigned: 5, released: 3, completed: 2, failed: 1 });
    expect(both.success_rate).toBeCloseTo(0.6644, 3);
  });

  it("draws what is little known towards what is believed", () => {
    const { success } = workOf(after({ kind: "failure" }), "general");

    expect(believed(success, { value: 1, strength: 4 })).toBe(0.8);
  });
});
