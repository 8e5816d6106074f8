import type { AlertRule, AlertView } from "../../protocol/alerts.ts";
import type { KeptWatch, Known } from "./judge.ts";
import type { Watch } from "./machine.ts";

/* Where a rule stands with what it is about, before a look. */

/** What tells rules and subjects apart. */
export const keyOf = (of: { rule_id: string; subject: string }): string =>
  `${of.rule_id} ${of.subject}`;

/**
 * What of a rule its watch and alert are about: were one of these changed, they would say what is not so. A subject is
 * part of their key. How patient the rule is, and when it is well again, may change on the way.
 */
export function aboutOf(rule: AlertRule): string {
  const { metric, comparison, threshold, window_s, severity } = rule;
  return [metric, comparison, threshold, window_s, severity].join(" ");
}

/** What is remembered, as text that is the same for the same. */
export const memoryOf = (kept: Pick<KeptWatch, "about" | "watch"> | null): string =>
  JSON.stringify(kept === null ? null : { about: kept.about, watch: kept.watch });

/** Where a rule and subject stand before a look. */
interface Standing {
  /** The watch as it was read. */
  from: string | null;
  remembered: string;
  /** The watch as it is judged. */
  former: Watch | null;
  /** An alert fires that is about something else. */
  isOver: boolean;
}

function watchOver({ pending_since }: Pick<AlertView, "pending_since">): Watch {
  const since = Date.parse(pending_since);
  return { phase: "firing", since, well_since: null, unknown_since: null };
}

/**
 * The watch and the alert of a rule and subject belong together. Should one of them be alone, the alert is what people
 * see: it is watched again until it is over, and a watch without one begins anew.
 */
export function standingOf(
  known: Pick<Known, "watches" | "alerts">,
  key: string,
  about: string,
): Standing {
  const kept = known.watches.find((one) => keyOf(one) === key) ?? null;
  const fires = known.alerts.find(({ alert }) => alert.state === "firing" && keyOf(alert) === key);
  const stored = { from: kept?.text ?? null, remembered: memoryOf(kept) };
  if (kept !== null && kept.about !== about) {
    return { ...stored, former: null, isOver: fires !== undefined };
  }
  const former =
    kept?.watch.phase === (fires === undefined ? "pending" : "firing") ? kept.watch : null;
  return {
    ...stored,
    former: former ?? (fires === undefined ? null : watchOver(fires.alert)),
    isOver: false,
  };
}
