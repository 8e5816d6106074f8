import fc from "fast-check";

import {
  commandNameSchema,
  endReasonSchema,
  executorNotificationTypeSchema,
} from "../src/protocol/enums.ts";
import type { JsonObject } from "../src/protocol/primitives.ts";
import { finishDueAt, runningClocks } from "../src/task/machine/clocks.ts";
import type { Command } from "../src/task/machine/commands.ts";
import type { TaskState } from "../src/task/machine/state.ts";
import { heard, kinPlans, stopped } from "./kin-moves.ts";
import type { KinPlan } from "./kin-moves.ts";
import {
  UNBORN,
  beat,
  decline,
  endOf,
  finish,
  notificationOf,
  notify,
  order,
  request,
  resolve,
  stateOf,
  step,
  submit,
  tick,
} from "./task-life.ts";
import type { Life } from "./task-life.ts";

/** A command that is made when its turn comes, for the state that it meets. */
type Plan = (state: TaskState | null) => Command;

const tokenIs = fc.constantFrom("own", "stale", "none");
const agents = fc.constantFrom("ann", "bob");

function tokenOf(state: TaskState | null, which: "own" | "stale" | "none"): string | null {
  if (which === "none") return null;
  return which === "own" ? (state?.holder?.token ?? "token-0") : "token-stale";
}

const agentOf = (state: TaskState | null) => state?.holder?.agent_id ?? "ann";

const notifications: fc.Arbitrary<Plan> = fc
  .record({
    type: fc.constantFrom(...executorNotificationTypeSchema.options),
    percentage: fc.integer({ min: 0, max: 100 }),
    which: tokenIs,
    sequence: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    more: fc.constantFrom<JsonObject>({}, { deadline: "2026-11-22T10:01:00Z" }),
    metadata: fc.constantFrom<JsonObject>(
      {},
      { metadata: { agent_version: "1" } },
      { metadata: { escalation_kind: "approval" } },
    ),
    hasOption: fc.boolean(),
    isBlocked: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
    suggested: fc.constantFrom<JsonObject | undefined>(
      undefined,
      { timeout: 40, priority: "high" },
      { estimated_duration: 80_000 },
    ),
    isFinal: fc.boolean(),
  })
  .map((made) => (state) => {
    const data = {
      task_progress: {
        progress_percentage: made.percentage,
        ...(made.hasOption && { intermediate_results: { part: made.percentage } }),
        ...(made.isBlocked && { challenges: [{ description: "no access", blocking: true }] }),
      },
      task_escalated: { ...made.more, ...(made.hasOption && { default_option: "go on" }) },
      task_failed: {
        ...(made.isFinal && { retry_recommended: false }),
        ...(made.suggested !== undefined && { suggested_modifications: made.suggested }),
      },
      task_started: {},
      task_completed: {},
    }[made.type];
    const envelope = {
      agent_id: agentOf(state),
      ...made.metadata,
      ...(made.sequence !== undefined && { sequence: made.sequence }),
    };
    return notify(notificationOf(made.type, data, envelope), tokenOf(state, made.which));
  });

/** The likely next step of a life that goes well, so that random lives come far. */
const onward: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: 100 }).map((percentage) => (state) => {
  if (state === null) return submit();
  const token = state.holder?.token ?? null;
  const envelope = { agent_id: agentOf(state) };
  const news = { progress_percentage: percentage };
  if (state.phase === "queued") return assignTo("ann", state, 1);
  if (state.phase === "assigned") {
    return notify(notificationOf("task_started", {}, envelope), token);
  }
  if (state.phase === "executing") {
    return notify(notificationOf("task_progress", news, envelope), token);
  }
  return state.escalation?.state === "open"
    ? resolve("resume", {}, state.escalation.escalation_id)
    : tick;
});

let tokens = 0;

function assignTo(agent_id: string, state: TaskState | null, ahead: number): Command {
  tokens += 1;
  const attempt = (state?.attempt ?? 0) + ahead;
  return { type: "assign", agent_id, attempt, token: `token-${tokens}`, decision: {} };
}

const rare: fc.Arbitrary<Plan> = fc.oneof(
  fc.constantFrom("hash-1", "hash-2").map((hash) => () => submit(request(), hash)),
  fc.record({ agent_id: agents, ahead: fc.constantFrom(0, 1, 2) }).map(
    ({ agent_id, ahead }) =>
      (state: TaskState | null) =>
        assignTo(agent_id, state, ahead),
  ),
  tokenIs.map((which) => (state: TaskState | null) => decline(tokenOf(state, which))),
  fc
    .record({
      which: tokenIs,
      tokens: fc.constantFrom(0, 500, 900, 1_200),
      isAcknowledging: fc.boolean(),
    })
    .map((made) => (state: TaskState | null) => {
      const acknowledged = made.isAcknowledging
        ? { acknowledged: (state?.commands ?? []).map(({ command_id }) => command_id) }
        : {};
      return beat({ usage: { tokens: made.tokens }, ...acknowledged }, tokenOf(state, made.which));
    }),
  fc
    .record({ reason: fc.constantFrom(...endReasonSchema.options), which: tokenIs })
    .map(({ reason, which }) => (state: TaskState | null) => ({
      type: "end" as const,
      token: tokenOf(state, which),
      end: endOf(reason, { agent_id: agentOf(state) }),
    })),
  fc
    .record({
      name: fc.constantFrom(...commandNameSchema.options),
      id: fc.uuid(),
      patch: fc.constantFrom<JsonObject>({}, { patch: { timeout: null, priority: "urgent" } }),
    })
    .map(
      ({ name, id, patch }) =>
        () =>
          order(name, name === "retry" ? patch : {}, id),
    ),
  fc
    .constantFrom("resume" as const, "change" as const, "cancel" as const)
    .map((decision) => (state: TaskState | null) => {
      const patch = decision === "change" ? { patch: { heartbeat_timeout: null } } : {};
      return resolve(decision, patch, state?.escalation?.escalation_id);
    }),
  fc.constant(() => tick),
);

const waits = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 0, 1, 1_000) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
);

const ownMoves = fc.record({
  kin: fc.constant(null),
  wait_ms: waits,
  plan: fc.oneof(
    { weight: 4, arbitrary: onward },
    { weight: 3, arbitrary: notifications },
    { weight: 3, arbitrary: rare },
    // Finishing is the object's business, which waits until it is due; an early one must do no harm.
    { weight: 1, arbitrary: fc.constant<Plan>(() => finish) },
  ),
});

const kinMoves = fc.record({
  kin: kinPlans,
  wait_ms: waits,
  plan: fc.constantFrom(heard, heard, heard, stopped),
});

const moves = fc.oneof({ weight: 6, arbitrary: ownMoves }, { weight: 1, arbitrary: kinMoves });

const requests = fc.constantFrom<JsonObject>(
  {},
  { execution_options: { autonomy_level: "manual" } },
  { subtasks: { expected: 2 }, contract: { budget: { max_tokens: 1_000 } } },
  { execution_options: { retry_policy: { max_retries: 0 } } },
  { queue_timeout: 30, total_timeout: 900, contract: { budget: { max_tokens: 1_000 } } },
  { timeout: 20, contract: { budget: { max_tokens: 1_000, max_duration_s: 120 } } },
  {
    queue_timeout: 30,
    progress_interval: 5,
    total_timeout: 100_000,
    execution_options: {
      retry_policy: { max_retries: 1, retry_delay: 1 },
      escalate_on: ["retries_exhausted", "queue_timeout", "repeated_failure"],
    },
  },
);

/** Random lives: a request, and what happens to it when. */
export const lives = fc.record({ changes: requests, moves: fc.array(moves, { maxLength: 60 }) });

/** A life that is to be lived. */
export interface LifePlan {
  changes: JsonObject;
  moves: Move[];
}

interface Move {
  /** What its children have done just before. */
  kin: KinPlan | null;
  wait_ms: number;
  plan: Plan;
}

function withFamily(state: TaskState | null, kin: KinPlan): TaskState | null {
  return state === null ? null : { ...state, family: kin(state) };
}

/** Lives a life move by move; `look` sees each move with what was before it. */
export function liveThrough(
  { changes, moves: all }: LifePlan,
  look: (before: Life, command: Command, after: ReturnType<typeof step>) => void = () => {},
): Life {
  let life = step(UNBORN, submit(request(changes))).life;
  for (const { wait_ms, plan, kin } of all) {
    const state = kin === null ? life.state : withFamily(life.state, kin);
    const before = { ...life, state, now: life.now + wait_ms };
    const command = plan(before.state);
    const after = step(before, command);
    look(before, command, after);
    life = after.life;
  }
  return life;
}

/** Lets the clock run on: looks whenever something is due, and finishes when that is due. */
export function liveOn(life: Life): Life {
  let current = life;
  for (let turn = 0; turn < 100 && stateOf(current).phase !== "ended"; turn += 1) {
    const state = stateOf(current);
    const due = finishDueAt(state) ?? Math.min(...runningClocks(state).map((clock) => clock.due));
    const command = finishDueAt(state) === null ? tick : finish;
    current = step({ ...current, now: Math.max(current.now, due) }, command).life;
  }
  return current;
}
