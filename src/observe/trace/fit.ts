import { instant } from "../../lib/ports.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Draft } from "./draft.ts";

/* Clocks of several machines in one picture. */

/** What goes on by itself once it has begun: nobody waits for it, so it may end after its parent. */
const ON_ITS_OWN: readonly Draft["kind"][] = ["delivery", "delivery_attempt"];

interface Times {
  start: number;
  end: number | null;
}

function inside({ start, end }: Times, parent: Times): Times {
  const last = parent.end ?? Infinity;
  const from = Math.min(Math.max(start, parent.start), last);
  const to = end ?? parent.end;
  return { start: from, end: to === null ? null : Math.min(Math.max(to, from), last) };
}

function notBefore({ start, end }: Times, parent: Times): Times {
  const from = Math.max(start, parent.start);
  return { start: from, end: end === null ? null : Math.max(end, from) };
}

/** What the attributes say of how a span was fitted in. */
function noteOf(told: Times, placed: Times, parent: Times): JsonObject {
  const endMoved = told.end === null || placed.end === null ? 0 : Math.abs(placed.end - told.end);
  const skew = Math.max(Math.abs(placed.start - told.start), endMoved);
  const late = parent.end === null || placed.end === null ? 0 : placed.end - parent.end;
  return {
    ...(skew > 0 && {
      clock_skew_ms: skew,
      told_started_at: instant(told.start),
      told_ended_at: told.end === null ? null : instant(told.end),
    }),
    ...(told.end === null && placed.end !== null && { is_end_told: false }),
    ...(late > 0 && { after_parent_ms: late }),
  };
}

/**
 * Drafts, parents before their children, in such times that none begins before its parent and none ends before it
 * begins.
 *
 * Nothing ends after its parent but deliveries, whose attributes say so. What had to be moved says by how much, and what
 * it was told as: clocks that disagree make a picture that is a little wrong, and never one that hides it. What its
 * parent outlived without a word of its end ends with it.
 */
export function fitted(drafts: readonly Draft[]): Draft[] {
  const placed = new Map<string, Draft>();
  for (const draft of drafts) {
    const { start, end } = draft;
    const parent = draft.parent === null ? undefined : placed.get(draft.parent);
    const around = parent ?? { start, end: end === null ? null : Math.max(start, end) };
    const fit = ON_ITS_OWN.includes(draft.kind) ? notBefore : inside;
    const times = fit({ start, end }, around);
    const attributes = { ...draft.attributes, ...noteOf({ start, end }, times, around) };
    placed.set(draft.key, { ...draft, ...times, attributes });
  }
  return [...placed.values()];
}
