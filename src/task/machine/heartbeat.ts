import { ok, refuse } from "../../lib/result.ts";
import type { Heartbeat } from "../../protocol/agent.ts";
import type { Command, Decision } from "./commands.ts";
import { afterBeat } from "./interventions.ts";
import { endedRefusal, fence } from "./lease.ts";
import { budgetLimits } from "./limits.ts";
import type { DraftEvent, Holder, Memo, TaskState } from "./state.ts";
import { SYSTEM, addUse, hasVerdict } from "./state.ts";
import { closedCancels, verdictEvent } from "./verdict.ts";

type Beat = Extract<Command, { type: "heartbeat" }>;

const NOTHING_USED = { cost_usd: 0, tokens: 0 };

function usedSoFar(memo: Memo | null): Memo["earlier"] {
  const { earlier, cost_usd, tokens } = memo ?? { earlier: NOTHING_USED, ...NOTHING_USED };
  return {
    cost_usd: addUse(earlier.cost_usd, cost_usd),
    tokens: addUse(earlier.tokens, tokens),
  };
}

/** The memo of the present attempt; a new attempt adds up what the earlier ones used. */
export function memoOf(state: TaskState, holder: Holder, now: number): Memo {
  const { memo } = state;
  if (memo?.attempt === holder.attempt) return { ...memo, beat_at: Math.max(memo.beat_at, now) };
  return {
    attempt: holder.attempt,
    beat_at: now,
    checkpoint: memo?.checkpoint ?? null,
    ...NOTHING_USED,
    earlier: usedSoFar(memo),
    end: null,
  };
}

/** A share of a budget from which on the orchestrator is warned (protocol.md §7, Notifications). */
const WARNING_SHARE = 0.8;

function budgetEvents(state: TaskState, memo: Memo): DraftEvent[] {
  const limits = budgetLimits(state);
  const uses = [
    {
      resource: "cost_usd",
      used: memo.earlier.cost_usd + memo.cost_usd,
      limit: limits.cost_usd,
    },
    {
      resource: "tokens",
      used: memo.earlier.tokens + memo.tokens,
      limit: limits.tokens,
    },
  ];
  return uses.flatMap(({ resource, used, limit }): DraftEvent[] => {
    if (limit === null) return [];
    if (used > limit) {
      const message = `${resource} of ${used} exceeds the budget of ${limit}`;
      return [
        ...closedCancels(state, "rejected"),
        verdictEvent(state, {
          reason: "resource_exhausted",
          error: { type: "budget_exceeded", message, root_cause: null },
        }),
      ];
    }
    return used >= limit * WARNING_SHARE && !state.warned_of.includes(resource)
      ? [{ type: "budget_warning", actor: SYSTEM, data: { resource, used, limit } }]
      : [];
  });
}

function acknowledgements(state: TaskState, holder: Holder, ids: readonly string[]): DraftEvent[] {
  return state.commands
    .filter(({ command_id, state: at }) => ids.includes(command_id) && at === "requested")
    .map(({ command_id, command }) => ({
      type: "command_acknowledged",
      actor: { kind: "executor", id: holder.agent_id },
      data: {
        command_id,
        command,
        // A cancellation is confirmed by the end, an update by the news; the others need no more than this.
        state: command === "cancel" || command === "request_update" ? "acknowledged" : "confirmed",
      },
    }));
}

/** A sign of life: renews the lease, keeps the checkpoint, counts what was used. */
export function decideHeartbeat(state: TaskState, command: Beat, now: number): Decision {
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  const fenced = fence(state, command.token, null);
  if (!fenced.ok) return fenced;
  const { beat } = command;
  const memo = withBeat(memoOf(state, fenced.value, now), beat);
  const budget = budgetEvents(state, memo);
  // One verdict is enough when two budgets are exceeded at once.
  const firstVerdict = budget.findIndex((event) => event.type === "verdict");
  return ok({
    memo,
    events: [
      ...acknowledgements(state, fenced.value, beat.acknowledged ?? []),
      ...(firstVerdict < 0
        ? [...budget, ...afterBeat(state, now)]
        : budget.slice(0, firstVerdict + 1)),
    ],
  });
}

function withBeat(memo: Memo, beat: Heartbeat): Memo {
  return {
    ...memo,
    checkpoint: beat.checkpoint ?? memo.checkpoint,
    // Cumulative per attempt: a late, smaller value changes nothing.
    cost_usd: Math.max(memo.cost_usd, beat.usage?.cost_usd ?? 0),
    tokens: Math.max(memo.tokens, beat.usage?.tokens ?? 0),
  };
}
