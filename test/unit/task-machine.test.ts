import { describe, expect, it } from "vitest";

import {
  commandNameSchema,
  endReasonSchema,
  executorNotificationTypeSchema,
  taskPhaseSchema,
} from "../../src/protocol/enums.ts";
import type {
  CommandName,
  EndReason,
  ExecutorNotificationType,
  TaskPhase,
} from "../../src/protocol/enums.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import {
  IN_PHASE,
  assign,
  beat,
  decline,
  end,
  finish,
  notificationOf,
  notify,
  order,
  refusalOf,
  request,
  resolve,
  step,
  submit,
  tick,
  typesOf,
} from "../task-life.ts";

/** Phases in the order of the table's columns. `waiting_dependencies` is in task-kin.test.ts. */
const COLUMNS = [
  "none",
  "awaiting_approval",
  "queued",
  "assigned",
  "executing",
  "awaiting_input",
  "retry_wait",
  "finalizing",
  "ended",
] as const satisfies readonly (TaskPhase | "none")[];
type Column = (typeof COLUMNS)[number];
/** Does not compile when a phase has no column. */
type Uncovered = Exclude<TaskPhase, Column | "waiting_dependencies">;
const UNCOVERED: Uncovered[] = [];

type Cells<Columns extends readonly unknown[]> = { [Index in keyof Columns]: string };
type Row = Cells<typeof COLUMNS>;
type CaseOf<Type extends Command["type"]> = [Extract<Command, { type: Type }>, Row];

/* What a cell says: the events and the phase after them, `=` for a success that changes nothing, or a refusal. */
const SAME = "=";
const BORN = "task_submitted task_ready > queued";
const UNKNOWN = "!task_not_found";
const LOST = "!lease_lost";
const STRANGER = "!wrong_agent";
const OVER = "!task_ended";
const NOT_NOW = "!transition_refused";
const NO_ORDER = "!command_refused";
const NOTHING_ASKED = "!escalation_not_found";

/** A row for what only the holder may do; who never held the task is a stranger to it. */
const held = (
  [assigned, executing, finalizing]: [string, string, string],
  { stranger = STRANGER, over = OVER } = {},
): Row => [UNKNOWN, stranger, stranger, assigned, executing, LOST, LOST, finalizing, over];
const ended = (...cells: [string, string, string]): Row => held(cells, { over: SAME });
/** Declines and heartbeats do not say who sends them. */
const nameless = (...cells: [string, string, string]): Row => held(cells, { stranger: LOST });
const ordered = (...cells: [string, string, string, string, string, string]): Row => [
  UNKNOWN,
  ...cells,
  OVER,
  OVER,
];
const everywhere = (first: string, cell: string): Row => [
  first,
  ...([cell, cell, cell, cell, cell, cell, cell, cell] as const),
];
const issued = (after: string) => `command_issued > ${after}`;
const issuedAnywhere = ordered(
  issued("awaiting_approval"),
  issued("queued"),
  issued("assigned"),
  issued("executing"),
  issued("awaiting_input"),
  issued("retry_wait"),
);
const issuedToExecutor = ordered(
  NO_ORDER,
  NO_ORDER,
  issued("assigned"),
  issued("executing"),
  NO_ORDER,
  NO_ORDER,
);
const answered = (approval: string, question: string): Row => [
  ...([UNKNOWN, approval, NOTHING_ASKED, NOTHING_ASKED, NOTHING_ASKED, question] as const),
  ...([NOTHING_ASKED, NOTHING_ASKED, NOTHING_ASKED] as const),
];

const say = (type: ExecutorNotificationType) => notify(notificationOf(type));
const VERDICT = "verdict > finalizing";
const GIVEN_BACK = "task_declined task_ready > queued";

/** Does not compile when a kind of command, notification, reason or order has no row. */
const CASES = {
  submit: {
    "of the same request": [submit(request()), everywhere(BORN, SAME)],
    "of another request": [submit(request(), "hash-2"), everywhere(BORN, "!idempotency_conflict")],
  },
  assign: {
    "for the attempt to come": [
      assign(1),
      [
        UNKNOWN,
        NOT_NOW,
        "task_routed task_assigned > assigned",
        NOT_NOW,
        NOT_NOW,
        NOT_NOW,
        NOT_NOW,
        OVER,
        OVER,
      ],
    ],
    "for another attempt": [
      assign(7),
      [UNKNOWN, NOT_NOW, NOT_NOW, NOT_NOW, NOT_NOW, NOT_NOW, NOT_NOW, OVER, OVER],
    ],
  },
  decline: {
    "by the holder": [decline(), nameless(GIVEN_BACK, GIVEN_BACK, OVER)],
    "with a stale token": [decline("token-0"), nameless(LOST, LOST, OVER)],
  },
  heartbeat: {
    "of the holder": [beat(), nameless(SAME, SAME, OVER)],
    "with a stale token": [beat({}, "token-0"), nameless(LOST, LOST, OVER)],
  },
  notify: {
    task_started: [say("task_started"), held(["task_started > executing", NOT_NOW, OVER])],
    task_progress: [say("task_progress"), held([NOT_NOW, "task_progress > executing", OVER])],
    task_completed: [
      say("task_completed"),
      held([NOT_NOW, "task_completed verdict > finalizing", OVER]),
    ],
    task_failed: [
      say("task_failed"),
      held([NOT_NOW, "task_failed retry_scheduled > retry_wait", OVER]),
    ],
    task_escalated: [
      say("task_escalated"),
      held([NOT_NOW, "task_escalated > awaiting_input", OVER]),
    ],
  } satisfies Record<ExecutorNotificationType, CaseOf<"notify">>,
  end: {
    success: [end("success"), ended(NOT_NOW, VERDICT, SAME)],
    failure: [end("failure"), ended(VERDICT, VERDICT, SAME)],
    timeout: [end("timeout"), ended(VERDICT, VERDICT, SAME)],
    cancelled: [end("cancelled"), ended(VERDICT, VERDICT, SAME)],
    escalated: [end("escalated"), ended(VERDICT, VERDICT, SAME)],
    resource_exhausted: [end("resource_exhausted"), ended(VERDICT, VERDICT, SAME)],
  } satisfies Record<EndReason, CaseOf<"end">>,
  order: {
    acknowledge: [order("acknowledge"), issuedAnywhere],
    request_update: [order("request_update"), issuedToExecutor],
    cancel: [
      order("cancel"),
      ordered(
        "command_issued escalation_resolved verdict > finalizing",
        "command_issued verdict > finalizing",
        issued("assigned"),
        issued("executing"),
        "command_issued escalation_resolved verdict > finalizing",
        "command_issued verdict > finalizing",
      ),
    ],
    retry: [
      order("retry"),
      ordered(
        NO_ORDER,
        NO_ORDER,
        NO_ORDER,
        NO_ORDER,
        "command_issued escalation_resolved task_ready > queued",
        "command_issued retry_scheduled task_ready > queued",
      ),
    ],
    pause: [order("pause"), issuedToExecutor],
    resume: [
      order("resume"),
      ordered(
        "command_issued task_approved task_ready > queued",
        NO_ORDER,
        issued("assigned"),
        issued("executing"),
        "command_issued escalation_resolved task_ready > queued",
        NO_ORDER,
      ),
    ],
    set_priority: [order("set_priority"), issuedAnywhere],
    grant_resources: [order("grant_resources"), issuedAnywhere],
    escalate: [
      order("escalate"),
      ordered(
        NO_ORDER,
        "command_issued task_escalated > awaiting_input",
        "command_issued task_escalated > awaiting_input",
        "command_issued task_escalated > awaiting_input",
        NO_ORDER,
        "command_issued task_escalated > awaiting_input",
      ),
    ],
  } satisfies Record<CommandName, CaseOf<"order">>,
  resolve: {
    resume: [
      resolve("resume"),
      answered("task_approved task_ready > queued", "escalation_resolved task_ready > queued"),
    ],
    change: [
      resolve("change", { patch: { timeout: 600 } }),
      answered("task_approved task_ready > queued", "escalation_resolved task_ready > queued"),
    ],
    cancel: [
      resolve("cancel"),
      answered(
        "escalation_resolved verdict > finalizing",
        "escalation_resolved verdict > finalizing",
      ),
    ],
  } satisfies Record<"resume" | "change" | "cancel", CaseOf<"resolve">>,
  tick: {
    "before anything is due": [tick, everywhere(SAME, SAME)],
  },
  finish: {
    "with the report": [
      finish,
      [
        UNKNOWN,
        SAME,
        SAME,
        SAME,
        SAME,
        SAME,
        SAME,
        "finalization_phase agent_end_task > ended",
        SAME,
      ],
    ],
  },
  // What kin bring about has a table of its own, in task-kin.test.ts.
} satisfies {
  [Type in Exclude<Command["type"], "gates" | "family" | "stop">]: Record<string, CaseOf<Type>>;
};

function cellOf(column: Column, command: Command): string {
  const before = IN_PHASE[column]();
  const { done } = step(before, command);
  const refusal = refusalOf(done);
  if (refusal !== null) return `!${refusal}`;
  if (done.events.length === 0) return SAME;
  return `${typesOf(done.events).join(" ")} > ${done.state?.phase}`;
}

const TABLE = Object.entries(CASES).flatMap(([type, cases]) =>
  Object.entries(cases as Record<string, [Command, Row]>).flatMap(([name, [command, row]]) =>
    COLUMNS.map((column, index) => ({
      title: `${type} ${name} in ${column}`,
      column,
      command,
      expected: row[index] ?? "",
    })),
  ),
);

describe("every command in every phase", () => {
  it("has a column for each phase and a row for each kind of command", () => {
    expect(UNCOVERED).toEqual([]);
    expect(new Set([...COLUMNS, "waiting_dependencies"])).toEqual(
      new Set(["none", ...taskPhaseSchema.options]),
    );
    expect(Object.keys(CASES.notify)).toEqual(executorNotificationTypeSchema.options);
    expect(Object.keys(CASES.end)).toEqual(endReasonSchema.options);
    expect(Object.keys(CASES.order)).toEqual(commandNameSchema.options);
    expect(TABLE).toHaveLength(COLUMNS.length * 33);
  });

  it.each(COLUMNS)("starts from a task that really is in phase %s", (column) => {
    expect(IN_PHASE[column]().state?.phase ?? "none").toBe(column);
  });

  it.each(TABLE)("$title: $expected", ({ column, command, expected }) => {
    expect(cellOf(column, command)).toBe(expected);
  });
});
