import { instant } from "../../lib/ports.ts";
import type { AlertRule, AlertView, Silence } from "../../protocol/alerts.ts";
import { step, type Watch } from "./machine.ts";
import { objectivesInForce, type Objective } from "./objectives/default-objectives.ts";
import { observe, subjectOf, wording, type Seen } from "./observation.ts";
import type { AlertChange, OpenFigures, TellPorts } from "./ports.ts";
import { rulesInForce } from "./rules/default-rules.ts";
import { aboutOf, keyOf, memoryOf, standingOf } from "./standing.ts";
import { tellUntold } from "./tell-untold.ts";
import { silenceFor } from "./telling.ts";

/* One look at the rules of one tenant. Nothing is written where nothing changes. */

/** How far a rule has come with its subject. */
export interface KeptWatch {
  rule_id: string;
  subject: string;
  /** What of the rule was watched (aboutOf): with another one it begins anew. */
  about: string;
  watch: Watch;
  /** As it is stored. */
  text: string;
}

/** What a look has made of one rule and subject. */
export interface Move {
  rule_id: string;
  subject: string;
  /** The watch as it was read, null where there was none: where there is another one by now, nothing of the move is written. */
  from: string | null;
  /** Null: nothing is remembered. */
  to: Pick<KeptWatch, "about" | "watch"> | null;
  /** When what fired is over; before `fired`. */
  resolved_at: string | null;
  fired: AlertView | null;
}

/** An alert, and what of it has not been told yet. */
export interface KeptAlert {
  alert: AlertView;
  untold: readonly AlertChange[];
}

/** What is known of a tenant before a look. */
export interface Known {
  rules: AlertRule[];
  objectives: Objective[];
  watches: KeptWatch[];
  silences: Silence[];
  /** That fire, or that somebody has still to be told of. */
  alerts: KeptAlert[];
}

/** What a look has changed: all of it is written in one transaction. */
export interface Changes {
  moves: Move[];
  /** Alerts that fire on though their silence is over: somebody is told now. */
  unsilenced: string[];
  /** Alerts whose beginning is told to nobody any more: a silence came first (its id), or somebody who looks after them. */
  held: { alert_id: string; silenced_by: string | null }[];
}

/** What came of them. */
export interface Written {
  fired: Pick<AlertView, "alert_id" | "rule_id" | "subject" | "severity">[];
  resolved: Pick<AlertView, "alert_id" | "rule_id" | "subject">[];
}

/** What judging needs from outside. */
export interface JudgePorts extends TellPorts {
  newId: () => string;
  openFigures: OpenFigures;
  read: (tenant: string, at: string) => Promise<Known>;
  write: (tenant: string, changes: Changes) => Promise<Written>;
  /** Alerts that somebody has still to be told of, oldest first. */
  untold: (tenant: string) => Promise<KeptAlert[]>;
}

/** What is judged at one instant. */
interface Look {
  tenant: string;
  now: number;
  known: Known;
  changes: Changes;
}

function alertOf(
  { newId }: Pick<JudgePorts, "newId">,
  { known, now }: Look,
  { rule, seen, since }: { rule: AlertRule; seen: Seen; since: number },
): AlertView {
  const { rule_id, severity } = rule;
  const at = instant(now);
  return {
    alert_id: `al_${newId()}`,
    rule_id,
    severity,
    state: "firing",
    ...wording(rule, seen),
    subject: subjectOf(rule),
    pending_since: instant(since),
    fired_at: at,
    resolved_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    note: null,
    silenced_by: silenceFor(known.silences, { rule_id, severity }, at)?.silence_id ?? null,
    told: [],
  };
}

function judgeRule(ports: JudgePorts, look: Look, rule: AlertRule, seen: Seen | null): void {
  const { known, changes, now } = look;
  const of = { rule_id: rule.rule_id, subject: subjectOf(rule) };
  const about = aboutOf(rule);
  const { from, remembered, former, isOver } = standingOf(known, keyOf(of), about);
  const { watch, happened } = step(former, seen?.observation ?? null, rule, now);
  const move: Move = { ...of, from, to: null, resolved_at: null, fired: null };
  if (watch !== null) move.to = { about, watch };
  if (isOver || happened === "resolved") move.resolved_at = instant(now);
  if (happened === "fired" && seen !== null && watch !== null) {
    move.fired = alertOf(ports, look, { rule, seen, since: watch.since });
  }
  // What begins to fire is watched otherwise than before.
  const isMoved = move.resolved_at !== null || memoryOf(move.to) !== remembered;
  if (isMoved) changes.moves.push(move);
}

/** What was watched, or fires, for a rule that is gone, switched off, or about something else now, is over. */
function dropOrphans({ known, changes, now }: Look, rules: readonly AlertRule[]): void {
  const judged = new Set(
    rules.map((rule) => keyOf({ rule_id: rule.rule_id, subject: subjectOf(rule) })),
  );
  const firing = known.alerts.map(({ alert }) => alert).filter(({ state }) => state === "firing");
  const orphans = new Map(
    [...known.watches, ...firing]
      .filter((one) => !judged.has(keyOf(one)))
      .map(({ rule_id, subject }) => [keyOf({ rule_id, subject }), { rule_id, subject }]),
  );
  for (const [key, { rule_id, subject }] of orphans) {
    const kept = known.watches.find((one) => keyOf(one) === key);
    const fires = firing.some((alert) => keyOf(alert) === key);
    changes.moves.push({
      rule_id,
      subject,
      from: kept?.text ?? null,
      to: null,
      resolved_at: fires ? instant(now) : null,
      fired: null,
    });
  }
}

function unsilence({ known, changes, now }: Look): void {
  const over = new Set(changes.moves.filter((one) => one.resolved_at !== null).map(keyOf));
  for (const { alert } of known.alerts) {
    const isWaiting =
      alert.state === "firing" &&
      alert.silenced_by !== null &&
      alert.acknowledged_at === null &&
      !over.has(keyOf(alert));
    if (isWaiting && silenceFor(known.silences, alert, instant(now)) === null) {
      changes.unsilenced.push(alert.alert_id);
    }
  }
}

/** Of what no channel could be told of yet, nobody hears any more whom a silence or an acknowledgement would spare. */
function hold({ known, changes, now }: Look): void {
  for (const { alert, untold } of known.alerts) {
    if (!untold.includes("fired") || alert.told.length > 0) continue;
    const silence = silenceFor(known.silences, alert, instant(now));
    if (silence === null && alert.acknowledged_at === null) continue;
    changes.held.push({ alert_id: alert.alert_id, silenced_by: silence?.silence_id ?? null });
  }
}

function isEmpty({ moves, unsilenced, held }: Changes): boolean {
  return [moves, unsilenced, held].every((some) => some.length === 0);
}

function logWritten(ports: JudgePorts, tenant: string, { fired, resolved }: Written): void {
  for (const { alert_id, rule_id, subject, severity } of fired) {
    ports.log("warning", "alert_fired", { tenant, alert_id, rule_id, subject, severity });
  }
  for (const { alert_id, rule_id, subject } of resolved) {
    ports.log("info", "alert_resolved", { tenant, alert_id, rule_id, subject });
  }
}

/**
 * Judges every enabled rule of a tenant at an instant (epoch milliseconds), writes what has changed, and tells of it.
 *
 * A rule whose figures can't be read is left as it is. Safe to run twice at once: of two looks that would move a rule
 * and subject from the same state one does, and each change is told under one id.
 *
 * @throws when what is known can't be read, or the changes can't be written: then nothing has changed
 */
export async function judgeTenant(ports: JudgePorts, tenant: string, now: number): Promise<void> {
  const known = await ports.read(tenant, instant(now));
  const changes: Changes = { moves: [], unsilenced: [], held: [] };
  const look: Look = { tenant, now, known, changes };
  const objectives = objectivesInForce(known.objectives);
  const rules = rulesInForce(known.rules, objectives).filter(({ is_enabled }) => is_enabled);
  const figures = ports.openFigures(tenant, now);
  await Promise.all(
    rules.map(async (rule) => {
      try {
        const seen = await observe(figures, rule, { objectives, until: now });
        judgeRule(ports, look, rule, seen);
      } catch (error) {
        const { rule_id } = rule;
        ports.log("error", "rule_not_judged", { tenant, rule_id, error: String(error) });
      }
    }),
  );
  dropOrphans(look, rules);
  unsilence(look);
  hold(look);
  const hadUntold = known.alerts.some(({ untold }) => untold.length > 0);
  if (!isEmpty(changes)) {
    logWritten(ports, tenant, await ports.write(tenant, changes));
  }
  if (isEmpty(changes) && !hadUntold) return;
  for (const alert of await ports.untold(tenant)) {
    // One after the other: they share the endpoints.
    // oxlint-disable-next-line no-await-in-loop
    await tellUntold(ports, { tenant, now }, alert);
  }
}
