import { describe, expect, it } from "vitest";

import {
  IN_PHASE,
  beat,
  completed,
  decline,
  end,
  escalated,
  failed,
  later,
  live,
  order,
  refusalOf,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const commandState = (life: Life) => stateOf(life).commands[0]?.state;
const cancelling = () => live(IN_PHASE.executing(), order("cancel"));

describe("a cancellation", () => {
  it.each(["awaiting_approval", "queued", "awaiting_input", "retry_wait"] as const)(
    "in phase %s is done at once",
    (phase) => {
      const life = live(IN_PHASE[phase](), order("cancel"));

      expect(stateOf(life).verdict?.reason).toBe("cancelled");
      expect(commandState(life)).toBe("confirmed");
      expect(stateOf(life).escalation?.state ?? "cancelled").toBe("cancelled");
    },
  );

  it.each([
    ["its end", end("cancelled"), "cancelled"],
    ["a failure", failed(), "cancelled"],
    ["a question", escalated(), "cancelled"],
    ["giving the task back", decline(), "cancelled"],
    ["another end", end("failure"), "failure"],
  ] as const)("is confirmed by the executor with %s", (_title, command, reason) => {
    const life = live(cancelling(), command);

    expect(stateOf(life).verdict?.reason).toBe(reason);
    expect(commandState(life)).toBe("confirmed");
    expect(stateOf(life).escalation?.state ?? "cancelled").toBe("cancelled");
  });

  it.each([
    ["its completion", completed()],
    ["its successful end", end("success")],
  ] as const)("is overtaken by %s", (_title, command) => {
    const life = live(cancelling(), command);

    expect(stateOf(life).verdict?.reason).toBe("success");
    expect(commandState(life)).toBe("rejected");
  });

  it("is overtaken by the attempt's timeout", () => {
    const limits = { timeout: 10, heartbeat_timeout: 900 };
    const life = step(later(live(IN_PHASE.executing(limits), order("cancel")), 10), tick).life;

    expect(stateOf(life).verdict?.reason).toBe("timeout");
    expect(commandState(life)).toBe("rejected");
  });

  it("that the executor acknowledged is unresponsive after 30 s all the same", () => {
    const acknowledged = live(cancelling(), beat({ acknowledged: ["cmd-cancel"] }));
    const life = step(later(acknowledged, 30), tick).life;

    expect(commandState(acknowledged)).toBe("acknowledged");
    expect(commandState(life)).toBe("unresponsive");
    expect(stateOf(life).verdict?.reason).toBe("cancelled");
  });

  it("ends the task when the lease is lost in the meantime", () => {
    const life = step(
      later(live(IN_PHASE.executing({ heartbeat_timeout: 20 }), order("cancel")), 20),
      tick,
    ).life;

    expect(stateOf(life).verdict?.reason).toBe("cancelled");
    expect(commandState(life)).toBe("unresponsive");
  });

  it("is refused once the verdict is frozen", () => {
    expect(refusalOf(step(IN_PHASE.finalizing(), order("cancel")).done)).toBe("task_ended");
    expect(refusalOf(step(IN_PHASE.ended(), order("cancel")).done)).toBe("task_ended");
  });
});
