import { ok, refuse } from "../../lib/result.ts";
import type { Heartbeat } from "../../protocol/agent.ts";
import { budgetEvents } from "../kin/budget-events.ts";
import type { Command, Decision } from "./commands.ts";
import { afterBeat } from "./interventions.ts";
import { endedRefusal, fence } from "./lease.ts";
import { remembered } from "./replay.ts";
import type { DraftEvent, Holder, Memo, TaskState } from "./state.ts";
import { addUse, hasVerdict } from "./state.ts";

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
    ...(memo?.signed !== undefined && { signed: memo.signed }),
  };
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

/** After its last word an executor may still say which of its cleanup actions are done. */
function isCleaningUp(state: TaskState): boolean {
  const { phase, end_phases, commands } = state;
  const isOpen = phase === "finalizing" && end_phases.length === 0;
  return isOpen && commands.some(({ command }) => command === "cleanup");
}

/** A sign of life: renews the lease, keeps the checkpoint, counts what was used. */
export function decideHeartbeat(state: TaskState, command: Beat, now: number): Decision {
  if (hasVerdict(state) && !isCleaningUp(state)) return refuse(endedRefusal(state));
  const fenced = fence(state, command.token, command.signer?.agent_id ?? null);
  if (!fenced.ok) return fenced;
  const { beat } = command;
  if (hasVerdict(state)) {
    return ok({ events: acknowledgements(state, fenced.value, beat.acknowledged ?? []) });
  }
  const memory = remembered(memoOf(state, fenced.value, now), command.signer, now);
  if (!memory.ok) return memory;
  const memo = withBeat(memory.value, beat);
  const budget = budgetEvents(state, memo);
  const isOver = budget.some(({ type }) => type === "verdict");
  return ok({
    memo,
    events: [
      ...acknowledgements(state, fenced.value, beat.acknowledged ?? []),
      ...budget,
      ...(isOver ? [] : afterBeat(state, now)),
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
