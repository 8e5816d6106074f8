import { describe, expect, it } from "vitest";

import type { Outcome } from "../../src/protocol/kin.ts";
import { gateNews } from "../../src/task/kin/gates.ts";
import type { AskedGate } from "../../src/task/kin/gates.ts";
import type { Gate } from "../../src/task/machine/state.ts";

const GATE: Gate = { kind: "task", task_id: "first", needs: "success" };
const FIRST: Outcome = {
  task_id: "first",
  task_type: "general",
  phase: "ended",
  is_ended: true,
  status: "completed",
  end_reason: "success",
  completion_status: "success",
  result: { made: 1 },
  quality: null,
  agent_id: "bob",
};

describe("the answers of gates", () => {
  const ask = (gate: Gate, outcome: Outcome | null): AskedGate => ({
    gate,
    answer: { kind: "task", outcome },
  });
  const batch = (is_open: boolean, stop?: { reason: "timeout"; message: string }): AskedGate => ({
    gate: { kind: "batch", batch_id: "b" },
    answer: { kind: "batch", is_open, stop },
  });
  const running: Outcome = { ...FIRST, is_ended: false, end_reason: null, phase: "executing" };
  const lost: Outcome = { ...FIRST, end_reason: "failure" };
  const anyEnd: Gate = { ...GATE, needs: "end" };

  it.each([
    ["all open", [ask(GATE, FIRST), batch(true)], "open"],
    ["one that runs", [ask(GATE, FIRST), ask(GATE, running)], null],
    ["a batch that waits", [ask(GATE, FIRST), batch(false)], null],
    ["one that failed, though another runs", [ask(GATE, lost), ask(GATE, running)], "failed"],
    ["one that failed where any end will do", [ask(anyEnd, lost)], "open"],
    ["one that is gone", [ask(GATE, null)], "failed"],
    ["a batch that is over", [batch(false, { reason: "timeout", message: "" })], "stopped"],
  ] as const)("mean, with %s: %s", (_name, asked, kind) => {
    const told = gateNews(asked, { isExcused: false, mayStillCome: false });

    expect(told?.kind ?? null).toBe(kind);
  });

  it("let a task wait for what may still come, and excuse what has failed only when all are over", () => {
    const may = gateNews([ask(GATE, null)], { isExcused: false, mayStillCome: true });
    const excused = { isExcused: true, mayStillCome: false };

    expect(may).toBeNull();
    expect(gateNews([ask(GATE, lost), ask(GATE, running)], excused)).toBeNull();
    expect(gateNews([ask(GATE, lost)], excused)).toMatchObject({
      kind: "open",
      prerequisites: [{ end_reason: "failure" }],
    });
  });
});
