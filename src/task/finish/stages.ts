import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import { announcementOf, pooledAttempt } from "../outbox.ts";
import { outcomeOf } from "../pool-outcome.ts";
import { endedRunOf } from "./ended-run.ts";
import { reportOf } from "./report.ts";
import { ACTIONS_STAGE, StageRegistry, StageShortfall } from "./stage.ts";
import type { EndStage, SettledState } from "./stage.ts";

/*
 * What every end does. A further stage is one registration here, or from outside by `endStages.register`: nothing
 * else has to know of it.
 *
 * What needs no stage: clocks stop with the verdict, live streams close behind the final event, and a child's
 * reservation is freed by its last report to the parent, which is repeated until it is heard.
 */

/** How long somebody has to do what an end left to them. Milliseconds. */
const DEBT_LIFE_MS = 86_400_000;

const done = async () => "done" as const;

/** Characters of an action in what is owed: a hundred whole ones would not fit into the row of the report. */
const ACTION_LENGTH = 1_000;

/** Actions that the executor said it has to do, and has not confirmed. */
function openActions({ commands }: SettledState) {
  return commands.filter(({ command, state }) => command === "cleanup" && state !== "confirmed");
}

/** Whether one of them may still be confirmed. */
function isAwaited({ commands }: SettledState): boolean {
  return commands.some(({ command, state }) => command === "cleanup" && state === "requested");
}

const actions: EndStage = {
  name: ACTIONS_STAGE,
  phase: "cleanup",
  check: "cleanup actions acknowledged",
  concerns: ({ commands }) => commands.some(({ command }) => command === "cleanup"),
  isLocal: true,
  run: async ({ state }) => (isAwaited(state) ? "waiting" : "done"),
  debts: (state) =>
    openActions(state).map(({ action }) => ({
      kind: "action",
      what: `the cleanup action ${typeof action === "string" ? action : JSON.stringify(action)}`.slice(
        0,
        ACTION_LENGTH,
      ),
      owner: `agent ${state.holder?.agent_id ?? state.holders.at(-1) ?? ""}`,
      expires_at: state.updated_at + DEBT_LIFE_MS,
    })),
};

/** It happens in the commit that records the phase (finisher.ts), so it is done or the phase is not over. */
const memory: EndStage = {
  name: "short_term_memory",
  phase: "cleanup",
  check: "short-term memory dropped or kept as the policy says",
  isLocal: true,
  run: done,
};

/** What an unfinished change of an environment leaves there nobody knows. */
const unfinishedChange: EndStage = {
  name: "unfinished_change",
  phase: "cleanup",
  check: "an unfinished change was pointed out",
  task_types: ["deployment", "configuration"],
  concerns: ({ started_at, verdict }) => started_at !== null && verdict?.reason !== "success",
  isLocal: true,
  run: done,
  advice: ({ task, progress }) => [
    `Verify the target of this ${task.task_type}: the work stopped at ${progress?.percentage ?? 0} %, and nobody has ` +
      "said whether it was rolled back",
  ],
};

const slot: EndStage = {
  name: "slot",
  phase: "cleanup",
  check: "slot released",
  isLast: true,
  run: async ({ state, ports }) => {
    const { tenant, task_id } = state.origin;
    const outcome = state.phase === "ended" ? null : outcomeOf(null, state);
    // Of an attempt after the one it is for it frees the slot as well.
    await ports.release(tenant, state.task.pool, {
      task_id,
      attempt: pooledAttempt(state),
      outcome,
    });
    return "done";
  },
  debts: (state) => [
    {
      kind: "slot",
      what: `the slot of attempt ${state.attempt}`,
      owner: `pool ${state.task.pool}`,
      // It is free again by itself then.
      expires_at: state.updated_at + announcementOf(state).slot_seconds * 1_000,
    },
  ],
};

/** Composed once to see that it can be; the final commit holds it as it is then. */
const report: EndStage = {
  name: "report",
  phase: "reporting",
  check: "report written",
  isLocal: true,
  attempts: 1,
  run: async ({ state }) => {
    reportOf(state, state.verdict, { phases: state.end_phases, debt: [], now: state.updated_at });
    return "done";
  },
};

/**
 * What the built-in executor learns from a task is written to the long-term memory of its tenant. Of others' tasks it
 * remembers nothing, and nothing of one that says `keep_memory: never`. What came to nothing is tried again as a debt.
 */
const longTermMemory: EndStage = {
  name: "long_term_memory",
  phase: "reporting",
  check: "long-term memory written",
  concerns: ({ task, holders, started_at }) =>
    started_at !== null &&
    holders.includes(BUILTIN_AGENT_ID) &&
    task.execution_options.keep_memory !== "never",
  run: async ({ state, ports, log }) => {
    const run = endedRunOf(state, log());
    // It had the task, and somebody else began it.
    if (run.attempts.some(({ executor }) => executor === BUILTIN_AGENT_ID)) {
      await ports.remember(state.origin.tenant, run);
    }
    return "done";
  },
};

const outbox: EndStage = {
  name: "outbox",
  phase: "notification",
  check: "final notification in the outbox",
  isLocal: true,
  run: done,
};

const stakeholders: EndStage = {
  name: "stakeholders",
  phase: "notification",
  check: "every stakeholder can be notified",
  concerns: ({ task }) => (task.stakeholders ?? []).length > 0,
  run: async ({ state, ports }) => {
    const wanted = state.task.stakeholders ?? [];
    const gone = await ports.missingStakeholders(state.origin.tenant, wanted);
    if (gone.length === 0) return "done";
    throw new StageShortfall(`not there any more: ${gone.join(", ")}`);
  },
  // Nobody can repair it: the others are notified.
  debts: () => [],
};

/** The stages of this installation. */
export const endStages = new StageRegistry();
for (const stage of [
  actions,
  memory,
  unfinishedChange,
  slot,
  report,
  longTermMemory,
  outbox,
  stakeholders,
]) {
  endStages.register(stage);
}
