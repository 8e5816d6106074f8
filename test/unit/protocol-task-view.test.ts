import { describe, expect, it } from "vitest";

import { faultsOf } from "../../src/protocol/faults.ts";
import { escalationResolutionSchema, taskEventSchema } from "../../src/protocol/task-view.ts";

function pointersOf(resolution: unknown): string[] {
  const { error } = escalationResolutionSchema.safeParse(resolution);
  return error === undefined ? [] : faultsOf(error, resolution).map(({ pointer }) => pointer);
}

describe("an answer to an escalation", () => {
  it.each([
    [{ decision: "resume" }, []],
    [{ decision: "cancel", answer: "no longer needed" }, []],
    [{ decision: "change", patch: { timeout: 600 } }, []],
    [{ decision: "resume", patch: {} }, ["/patch"]],
    [{ decision: "cancel", patch: {}, answer: "" }, ["/answer", "/patch"]],
    [{ decision: "wait", patch: {} }, ["/decision"]],
    [{}, ["/decision"]],
  ])("%j has the faults %j", (resolution, pointers) => {
    expect(pointersOf(resolution).toSorted()).toEqual(pointers);
  });
});

describe("an event", () => {
  const event = {
    seq: 1,
    event_id: "e1",
    type: "task_submitted",
    at: "2026-11-22T10:00:00Z",
    actor: { kind: "system", id: "task" },
    correlation_id: "c1",
    data: { anything: ["goes"] },
  };

  it("keeps what its data holds", () => {
    expect(taskEventSchema.parse(event)).toEqual(event);
  });

  it.each([
    { seq: 0 },
    { seq: 1.5 },
    { type: "task_forgotten" },
    { actor: { kind: "ghost", id: "x" } },
  ])("is refused with %j", (fault) => {
    expect(taskEventSchema.safeParse({ ...event, ...fault }).success).toBe(false);
  });
});
