import { hasEnding, heightOf, isComposite } from "../kin/family.ts";
import { onward } from "../kin/gates.ts";
import { endOrAsk } from "./handover.ts";
import { askForNews, mayAsk } from "./interventions.ts";
import { durationDeadline, totalDeadline } from "./limits.ts";
import { silentAt, stallAt } from "./plan.ts";
import type { Silence } from "./records.ts";
import type { DraftEvent, Holder, TaskState } from "./state.ts";
import { CANCEL_GRACE_MS, END_GRACE_MS, SYSTEM, hasVerdict, leaseExpiresAt } from "./state.ts";
import {
  closedCancels,
  hasRetryLeft,
  leaseExpiredEvent,
  openCancels,
  readyEvent,
  retryEvent,
  verdictEvent,
} from "./verdict.ts";

/** One thing that happens by the passing of time. `due` is epoch milliseconds. */
export interface ClockRing {
  due: number;
  rings: (state: TaskState, now: number) => DraftEvent[];
}

function timeout(state: TaskState, type: string, message: string): DraftEvent[] {
  return [
    ...voidLease(state, type),
    ...(state.escalation?.state === "open" ? [expiredEscalation(state)] : []),
    ...closedCancels(state, "rejected"),
    // What a question says of silence holds also when the whole life is over before its own deadline.
    verdictEvent(
      state,
      openSilence(state) ?? { reason: "timeout", error: { type, message, root_cause: null } },
    ),
  ];
}

/** The verdict that nobody's answer leads to, where the open escalation names one. */
function openSilence({ escalation }: TaskState): Silence | null {
  return escalation?.state === "open" ? escalation.on_silence : null;
}

function expiredEscalation(state: TaskState): DraftEvent {
  return {
    type: "escalation_resolved",
    actor: SYSTEM,
    data: {
      escalation_id: state.escalation?.escalation_id ?? "",
      state: "expired",
      decision: "cancel",
      answer: null,
    },
  };
}

/** A lost lease costs one retry; when none is left the task ends with reason timeout (protocol.md §7, Claim). */
function loseLease(cause: string) {
  return (state: TaskState, now: number): DraftEvent[] => {
    const lost = leaseExpiredEvent(state, cause);
    if (openCancels(state).length > 0) {
      return [
        lost,
        ...closedCancels(state, "unresponsive", SYSTEM, now),
        verdictEvent(state, { reason: "cancelled" }),
      ];
    }
    if (hasRetryLeft(state)) return [lost, retryEvent(state, `lease lost: ${cause}`, now)];
    const message = `The lease was lost (${cause}) and no retry is left`;
    const error = { type: "lease_lost", message, root_cause: null };
    const latest = `Attempt ${state.attempt} lost its lease (${cause})`;
    const last = { reason: "timeout", error, latest, isAfterAttempt: true } as const;
    return [lost, endOrAsk(state, "retries_exhausted", last, now)];
  };
}

/** The executor has not confirmed in time: the task ends without it, and does not wait for its last word. */
function unresponsive(state: TaskState, now: number): DraftEvent[] {
  return [
    ...voidLease(state, "unresponsive"),
    ...closedCancels(state, "unresponsive", SYSTEM, now),
    verdictEvent(state, { reason: "cancelled" }),
  ];
}

/** A task that its clocks end is taken from whoever holds it. */
function voidLease(state: TaskState, cause: string): DraftEvent[] {
  return state.holder === null ? [] : [leaseExpiredEvent(state, cause)];
}

function holderClocks(state: TaskState, holder: Holder): ClockRing[] {
  const { heartbeat_timeout } = state.task;
  const startBy = holder.assigned_at + heartbeat_timeout * 1_000;
  const runsFrom = holder.started_at ?? startBy;
  const limit_s = state.task.timeout + state.granted.duration_s;
  const cancelled = openCancels(state)[0];
  return [
    {
      due: runsFrom + limit_s * 1_000,
      rings: (current) =>
        timeout(current, "attempt_timeout", `The attempt ran longer than ${limit_s} s`),
    },
    ...(cancelled === undefined
      ? []
      : [{ due: cancelled.requested_at + CANCEL_GRACE_MS, rings: unresponsive }]),
    { due: leaseExpiresAt(state, holder), rings: loseLease("heartbeat") },
    ...(holder.started_at === null
      ? [{ due: startBy, rings: loseLease("not_started") }]
      : silenceClocks(state, holder)),
    ...durationClock(state),
  ];
}

/** No progress although it beats: first somebody asks, then the attempt is given up. Neither while it rests. */
function silenceClocks(state: TaskState, holder: Holder): ClockRing[] {
  const stall = stallAt(holder);
  const silent = silentAt(state, holder);
  return [
    ...(stall === null ? [] : [{ due: stall, rings: loseLease("stall") }]),
    ...(silent === null || !mayAsk(state) ? [] : [{ due: silent, rings: askForNews }]),
  ];
}

function durationClock(state: TaskState): ClockRing[] {
  const due = durationDeadline(state);
  if (due === null || state.started_at === null) return [];
  const seconds = (due - state.started_at) / 1_000;
  return [
    {
      due,
      rings: (current) => [
        ...voidLease(current, "budget_exceeded"),
        ...closedCancels(current, "rejected"),
        verdictEvent(current, {
          reason: "resource_exhausted",
          error: {
            type: "budget_exceeded",
            message: `duration exceeds the budget of ${seconds} s`,
            root_cause: null,
          },
        }),
      ],
    },
  ];
}

/** What a generation needs beside the grace of its executors: to hear of it, and to run its end phases. Milliseconds. */
const CHILD_END_MS = 10_000;

/** The grace for the last word and three end phases of 300 s, the longest that the contract knows. Milliseconds. */
const LONGEST_END_MS = END_GRACE_MS + 3 * 300_000;

/** The longest that a task without an executor waits for its children to end, from when it wants them to. */
function childrenGraceMs(state: TaskState): number {
  const generations = (CANCEL_GRACE_MS + CHILD_END_MS) * (heightOf(state.family) + 1);
  return generations + (hasEnding(state.family) ? LONGEST_END_MS : 0);
}

function waitingClocks(state: TaskState): ClockRing[] {
  const { queue_timeout } = state.task;
  const [cancelled] = openCancels(state);
  if (cancelled !== undefined) {
    return [{ due: cancelled.requested_at + childrenGraceMs(state), rings: unresponsive }];
  }
  if (isComposite(state.task) && state.phase === "executing") return durationClock(state);
  if (state.phase === "retry_wait" && state.retry_at !== null) {
    return [{ due: state.retry_at, rings: () => [readyEvent("retry")] }];
  }
  if (state.phase === "queued" && state.waiting_since !== null && queue_timeout !== undefined) {
    const message = `No executor took the task within ${queue_timeout} s`;
    const error = { type: "queue_timeout", message, root_cause: null };
    return [
      {
        due: state.waiting_since + queue_timeout * 1_000,
        rings: (current, now) => [
          endOrAsk(current, "queue_timeout", { reason: "timeout", error }, now),
        ],
      },
    ];
  }
  const { escalation } = state;
  if (escalation?.state !== "open" || escalation.deadline === null) return [];
  const { deadline, default_option } = escalation;
  return [
    {
      due: deadline,
      rings: (current) =>
        default_option === null
          ? [
              expiredEscalation(current),
              verdictEvent(current, openSilence(current) ?? { reason: "escalated" }),
            ]
          : [
              {
                ...expiredEscalation(current),
                data: {
                  escalation_id: escalation.escalation_id,
                  state: "resolved",
                  decision: "resume",
                  answer: default_option,
                },
              },
              ...onward(current, "default option"),
            ],
    },
  ];
}

/** Every clock that is running, unordered. None runs once the verdict is frozen. */
export function runningClocks(state: TaskState): ClockRing[] {
  if (hasVerdict(state)) return [];
  const total: ClockRing = {
    due: totalDeadline(state),
    rings: (current) =>
      timeout(current, "total_timeout", "The task's whole life exceeded its limit"),
  };
  return [
    total,
    ...(state.holder === null ? waitingClocks(state) : holderClocks(state, state.holder)),
  ];
}

/** What the passing of time has brought: the clock that rang first, alone. Empty when none has. */
export function ringing(state: TaskState, now: number): DraftEvent[] {
  const first = runningClocks(state)
    .filter(({ due }) => due <= now)
    .toSorted((a, b) => a.due - b.due)[0];
  return first === undefined ? [] : first.rings(state, now);
}

/**
 * When the end phases may begin, epoch milliseconds: at once after the executor's last word or when
 * nobody holds the task, otherwise when its grace is over. Null before the verdict.
 */
export function finishDueAt(state: TaskState): number | null {
  if (!hasVerdict(state) || state.phase === "ended") return null;
  const { memo, holder } = state;
  const { at } = state.verdict;
  const spoken_at = memo?.end == null ? null : Math.max(at, memo.end_at ?? at);
  const due = spoken_at ?? (holder === null ? at : at + END_GRACE_MS);
  // A tree ends leaf first: its children were told to stop, and have this long for it.
  return heightOf(state.family) === 0 ? due : Math.max(due, at + childrenGraceMs(state));
}
