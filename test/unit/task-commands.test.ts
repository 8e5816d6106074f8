import { describe, expect, it } from "vitest";

import { commandEntrySchema } from "../../src/protocol/agent.ts";
import { commandNameSchema } from "../../src/protocol/enums.ts";
import type { CommandName } from "../../src/protocol/enums.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import { commandEntriesOf } from "../../src/task/answers.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  ORIGIN,
  UNBORN,
  beat,
  decline,
  end,
  failed,
  later,
  live,
  order,
  refusalOf,
  stateOf,
  step,
  submit,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const PHASES = [
  "awaiting_approval",
  "queued",
  "assigned",
  "executing",
  "awaiting_input",
  "retry_wait",
  "finalizing",
  "ended",
] as const;
type Phase = (typeof PHASES)[number];

/** What a command has done to the task, in words that a table can hold. */
function effectOf(before: TaskState, after: TaskState): string {
  const { command, state } = after.commands.at(-1) ?? { command: "none", state: "none" };
  const changes = [
    before.phase === after.phase ? [] : [after.phase],
    before.priority === after.priority ? [] : [`priority ${after.priority}`],
    before.granted.tokens === after.granted.tokens ? [] : [`tokens +${after.granted.tokens}`],
    after.verdict === null ? [] : [after.verdict.reason],
  ].flat();
  return [`${command} ${state}`, ...changes].join(", ");
}

function cellOf(phase: Phase, command: CommandName): string {
  const before = IN_PHASE[phase]();
  const { done, life } = step(before, order(command));
  const refusal = refusalOf(done);
  return refusal === null ? effectOf(stateOf(before), stateOf(life)) : `!${refusal}`;
}

const NO = "!command_refused";
const OVER = ["!task_ended", "!task_ended"] as const;

/** One cell a phase, in the order of PHASES. */
const TABLE: Record<CommandName, readonly string[]> = {
  acknowledge: [
    "acknowledge confirmed",
    "acknowledge confirmed",
    "acknowledge requested",
    "acknowledge requested",
    "acknowledge confirmed",
    "acknowledge confirmed",
    ...OVER,
  ],
  request_update: [NO, NO, "request_update requested", "request_update requested", NO, NO, ...OVER],
  cancel: [
    "cancel confirmed, finalizing, cancelled",
    "cancel confirmed, finalizing, cancelled",
    "cancel requested",
    "cancel requested",
    "cancel confirmed, finalizing, cancelled",
    "cancel confirmed, finalizing, cancelled",
    ...OVER,
  ],
  retry: [NO, NO, NO, NO, "retry confirmed, queued", "retry confirmed, queued", ...OVER],
  pause: [NO, NO, "pause requested", "pause requested", NO, NO, ...OVER],
  resume: [
    "resume confirmed, queued",
    NO,
    "resume requested",
    "resume requested",
    "resume confirmed, queued",
    NO,
    ...OVER,
  ],
  set_priority: [
    "set_priority confirmed, priority high",
    "set_priority confirmed, priority high",
    "set_priority requested, priority high",
    "set_priority requested, priority high",
    "set_priority confirmed, priority high",
    "set_priority confirmed, priority high",
    ...OVER,
  ],
  grant_resources: [
    "grant_resources confirmed, tokens +1000",
    "grant_resources confirmed, tokens +1000",
    "grant_resources requested, tokens +1000",
    "grant_resources requested, tokens +1000",
    "grant_resources confirmed, tokens +1000",
    "grant_resources confirmed, tokens +1000",
    ...OVER,
  ],
  escalate: [
    NO,
    "escalate confirmed, awaiting_input",
    "escalate confirmed, awaiting_input",
    "escalate confirmed, awaiting_input",
    NO,
    "escalate confirmed, awaiting_input",
    ...OVER,
  ],
};

const CELLS = commandNameSchema.options.flatMap((command) =>
  PHASES.map((phase, index) => ({ command, phase, effect: TABLE[command][index] ?? "" })),
);

describe("every command does what it says in every phase", () => {
  it.each(CELLS)("$command in $phase: $effect", ({ command, phase, effect }) => {
    expect(cellOf(phase, command)).toBe(effect);
  });
});

describe("what was spent after a cancellation was requested", () => {
  const PATIENT = { heartbeat_timeout: 3_600, timeout: 3_600 };
  const usage = (tokens: number, cost_usd: number) => ({ usage: { tokens, cost_usd } });

  const cancelling = (): Life => {
    const working = live(IN_PHASE.executing(PATIENT), beat(usage(100, 1)));
    const asked = live(later(working, 10), order("cancel", { reason: "No longer needed" }));
    return live(later(asked, 12), beat({ ...usage(175, 1.5), acknowledged: ["cmd-cancel"] }));
  };

  it("is shown when the executor never confirms", () => {
    const life = step(later(cancelling(), 18), tick).life;

    expect(life.log.find(({ data }) => data["state"] === "unresponsive")).toMatchObject({
      type: "command_acknowledged",
      data: {
        command: "cancel",
        spent_since: { tokens: 75, cost_usd: 0.5, duration_s: 30 },
      },
    });
  });

  it.each([
    ["a failure", failed(), 75],
    ["giving it back", decline(), 75],
    [
      "its end, whose figures count",
      end("cancelled", {
        execution_metrics: {
          start_time: "2026-11-22T10:00:00Z",
          end_time: "2026-11-22T10:00:25Z",
          duration_seconds: 25,
          tokens_consumed: 300,
          cost_incurred: 1.5,
        },
      }),
      200,
    ],
  ] as const)("is shown when it confirms by %s", (_title, command, tokens) => {
    const life = live(later(cancelling(), 3), command);

    expect(stateOf(life).commands[0]).toMatchObject({
      state: "confirmed",
      spent_since: { tokens, cost_usd: 0.5, duration_s: 15 },
    });
  });

  it("is listed with who asked and why, in the form of the contract", () => {
    const entries = commandEntriesOf(stateOf(step(later(cancelling(), 18), tick).life));

    expect(entries).toEqual([
      {
        command_id: "cmd-cancel",
        command: "cancel",
        state: "unresponsive",
        requested_at: "2026-11-22T10:00:10.000Z",
        reason: "No longer needed",
        actor: { kind: "orchestrator", id: "manus" },
        spent_since: { tokens: 75, cost_usd: 0.5, duration_s: 30 },
      },
    ]);
    expect(commandEntrySchema.safeParse(entries[0]).error).toBeUndefined();
  });

  it("is not spoken of where nobody held the task", () => {
    const [entry] = commandEntriesOf(stateOf(live(IN_PHASE.queued(), order("cancel"))));

    expect(entry).toMatchObject({ state: "confirmed", spent_since: null });
  });
});

describe("a child with a share of its parent's budget", () => {
  it("is granted nothing that its parent would have to set aside, but time", () => {
    const allowance = { cost_usd: null, tokens: 50, attempts: null, children: null };
    const place = { parent_task_id: "p", root_task_id: "r", depth: 1, levels_left: 3 };
    const origin = { ...ORIGIN, lineage: { ...place, deadline_at: null, allowance } };
    const life = live(UNBORN, { ...submit(), origin });
    const granting = (grant: JsonObject) =>
      refusalOf(step(life, order("grant_resources", { grant })).done);

    expect(granting({ tokens: 10 })).toBe("budget_exceeded");
    expect(granting({ duration_s: 10, cost_usd: 1 })).toBeNull();
  });
});
