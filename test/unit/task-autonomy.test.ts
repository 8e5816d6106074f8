import { describe, expect, it } from "vitest";

import { autonomyLevelSchema, complexitySchema } from "../../src/protocol/enums.ts";
import type { Complexity } from "../../src/protocol/enums.ts";
import { approvalEvent } from "../../src/task/machine/autonomy.ts";
import { ORIGIN, START, UNBORN, live, request, resolve, stateOf, submit } from "../task-life.ts";

type Level = (typeof autonomyLevelSchema.options)[number];

const taskOf = (autonomy_level: Level, complexity?: Complexity) =>
  request({
    execution_options: { autonomy_level },
    ...(complexity !== undefined && { complexity }),
  });

const assessed = (band: Complexity) => ({
  ...ORIGIN,
  assessment: { score: 1, band, features: {}, version: "1" },
});

/** Whether a level asks before it begins, by complexity. */
const ASKS: Record<Level, Record<Complexity | "unknown", boolean>> = {
  manual: { unknown: true, low: true, medium: true, high: true, critical: true },
  semi_autonomous: { unknown: false, low: false, medium: false, high: false, critical: true },
  autonomous: { unknown: false, low: false, medium: false, high: false, critical: false },
};

const TABLE = autonomyLevelSchema.options.flatMap((level) =>
  complexitySchema.options.map((complexity) => ({ level, complexity })),
);

describe("the autonomy level", () => {
  it.each(TABLE)(
    "$level with complexity $complexity asks or not, whoever judged it",
    ({ level, complexity }) => {
      const isAsking = ASKS[level][complexity];
      const byCaller = live(UNBORN, submit(taskOf(level, complexity)));
      const byFeatures = live(UNBORN, {
        ...submit(taskOf(level)),
        origin: assessed(complexity),
      });

      const phase = isAsking ? "awaiting_approval" : "queued";
      expect(stateOf(byCaller).phase).toBe(phase);
      expect(stateOf(byFeatures).phase).toBe(phase);
    },
  );

  it.each(autonomyLevelSchema.options)("%s asks or not where nobody judged", (level) => {
    expect(approvalEvent({ origin: ORIGIN, task: taskOf(level) }, START) !== null).toBe(
      ASKS[level].unknown,
    );
  });

  it("says why it asks, and goes on once it is approved", () => {
    const asked = live(UNBORN, submit(taskOf("semi_autonomous", "critical")));
    const approved = live(asked, resolve("resume"));

    expect(asked.log.at(-1)?.data).toMatchObject({
      data: {
        escalation_reason:
          "The task's autonomy level is semi_autonomous and its complexity is critical",
      },
    });
    expect(stateOf(asked).escalation?.kind).toBe("approval");
    expect(stateOf(approved).phase).toBe("queued");
  });

  it.each(autonomyLevelSchema.options)("%s asks when whoever submitted it has a doubt", (level) => {
    const approval = { reason: "a doubt", question: "May it start although …?", evidence: [1] };
    const origin = { ...ORIGIN, approval };

    expect(approvalEvent({ origin, task: taskOf(level) }, START)?.data).toMatchObject({
      data: {
        escalation_reason: "a doubt",
        question: "May it start although …?",
        context: { evidence: [1] },
      },
    });
  });
});
