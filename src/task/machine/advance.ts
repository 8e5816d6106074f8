import { ok } from "../../lib/result.ts";
import { ringing } from "./clocks.ts";
import type { Change, Command, Decision } from "./commands.ts";
import { decide } from "./decide.ts";
import { blankTask, evolve } from "./evolve.ts";
import type { DraftEvent, LoggedEvent, Memo, TaskState } from "./state.ts";
import { closedCancels, closedEscalation } from "./verdict.ts";

/** How many clocks may ring in one go: a bound against a rule that would ring for ever. */
const MOST_RINGS = 20;

/** What one command has brought about. */
export interface Advance {
  state: TaskState | null;
  /** New events in their places, to be appended in one commit. */
  events: LoggedEvent[];
  /** The memo to store, when it changed. */
  memo: Memo | null;
  decision: Decision;
}

/** A draft with what must come before it: no verdict leaves a question or a cancellation open. */
function complete(state: TaskState, draft: DraftEvent): DraftEvent[] {
  return draft.type === "verdict"
    ? [...closedEscalation(state, draft.actor), ...closedCancels(state, "rejected"), draft]
    : [draft];
}

function append(
  state: TaskState,
  drafts: readonly DraftEvent[],
  now: number,
): { state: TaskState; events: LoggedEvent[] } {
  let next = state;
  const events: LoggedEvent[] = [];
  for (const wanted of drafts) {
    for (const draft of complete(next, wanted)) {
      const event = { ...draft, seq: next.seq + 1, at: now };
      next = evolve(next, event);
      events.push(event);
    }
  }
  return { state: next, events };
}

function startOf(state: TaskState | null, command: Command, now: number): TaskState | null {
  return state === null && command.type === "submit"
    ? blankTask(command.origin, command.task, now)
    : state;
}

function withMemo(state: TaskState, change: Change): TaskState {
  return change.memo === undefined ? state : { ...state, memo: change.memo };
}

/**
 * Lets the clocks ring that are due, then carries out a command.
 *
 * A command never meets a state whose time has run out: a heartbeat after the deadline is refused even
 * if no alarm has come yet.
 *
 * @param now epoch milliseconds; never before the last event
 */
export function advance(state: TaskState | null, command: Command, now: number): Advance {
  let current = state;
  const events: LoggedEvent[] = [];
  for (let ring = 0; current !== null && ring < MOST_RINGS; ring += 1) {
    const rung = append(current, ringing(current, now), now);
    if (rung.events.length === 0) break;
    current = rung.state;
    events.push(...rung.events);
  }
  const decision: Decision =
    command.type === "tick" ? ok({ events: [] }) : decide(current, command, now);
  const start = startOf(current, command, now);
  if (!decision.ok || start === null) return { state: current, events, memo: null, decision };
  const done = append(withMemo(start, decision.value), decision.value.events, now);
  const isRepetition = current === null ? false : decision.value.events.length === 0;
  return {
    state: isRepetition && decision.value.memo === undefined ? current : done.state,
    events: [...events, ...done.events],
    memo: decision.value.memo === undefined ? null : done.state.memo,
    decision,
  };
}
