import { describe, expect, it } from "vitest";

import { endReasonSchema, taskTypeSchema } from "../../src/protocol/enums.ts";
import { memoryPolicy } from "../../src/task/finish/memory-policy.ts";
import { IN_PHASE, beat, completed, end, finish, live, stateOf } from "../task-life.ts";

const TYPES = taskTypeSchema.options;
const REASONS = endReasonSchema.options;
const EVER_KEPT = ["failure", "timeout", "escalated", "resource_exhausted"];

/** The reasons after which a type keeps its notes. */
function keptAfter(
  type: (typeof TYPES)[number],
  keep?: "never" | "on_failure" | "always",
): string[] {
  return REASONS.filter((reason) => memoryPolicy(type, reason, keep).notes === "keep");
}

describe("the memory policy", () => {
  it.each([
    ["code_generation", EVER_KEPT],
    ["code_debugging", EVER_KEPT],
    ["data_analysis", EVER_KEPT],
    ["documentation", EVER_KEPT],
    ["testing", EVER_KEPT],
    ["deployment", []],
    ["configuration", []],
    ["monitoring", []],
    ["research", EVER_KEPT],
    ["general", EVER_KEPT],
  ] as const)("keeps what %s has noted after %j, and drops it after all else", (type, reasons) => {
    expect(keptAfter(type).toSorted()).toEqual([...reasons].toSorted());
  });

  it.each([
    ["never", []],
    ["on_failure", EVER_KEPT],
    ["always", REASONS],
  ] as const)("does for every type what the task says: %s", (keep, reasons) => {
    for (const type of TYPES) {
      expect(keptAfter(type, keep).toSorted()).toEqual([...reasons].toSorted());
    }
  });

  it("gives notes and checkpoint one fate, keeps partial results and drops scratch, always", () => {
    const policies = TYPES.flatMap((type) =>
      REASONS.flatMap((reason) =>
        [undefined, "never", "on_failure", "always"].map((keep) =>
          memoryPolicy(type, reason, keep as Parameters<typeof memoryPolicy>[2]),
        ),
      ),
    );

    expect(policies).toHaveLength(240);
    for (const policy of policies) {
      expect(policy.checkpoint).toBe(policy.notes);
      expect(policy).toMatchObject({ partial_results: "keep", scratch: "drop" });
    }
  });
});

describe("the checkpoint of a task", () => {
  const CHECKPOINT = beat({ checkpoint: { page: 3 }, usage: { tokens: 5 } });
  const left = (changes: Record<string, unknown>, last: Parameters<typeof live>[1]) =>
    stateOf(live(IN_PHASE.executing(changes), CHECKPOINT, last, finish)).memo;

  it("goes with the end where the policy drops it, and nothing else of what was told does", () => {
    const finalizing = stateOf(live(IN_PHASE.executing(), CHECKPOINT, completed())).memo;

    expect(finalizing).toMatchObject({ checkpoint: { page: 3 } });
    expect(left({}, completed())).toMatchObject({ checkpoint: null, tokens: 5 });
    expect(left({ execution_options: { keep_memory: "never" } }, end("failure"))).toMatchObject({
      checkpoint: null,
    });
  });

  it("stays where the policy keeps it", () => {
    expect(left({}, end("failure"))).toMatchObject({ checkpoint: { page: 3 } });
    expect(left({ execution_options: { keep_memory: "always" } }, completed())).toMatchObject({
      checkpoint: { page: 3 },
    });
  });
});
