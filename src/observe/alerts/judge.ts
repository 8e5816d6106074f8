import { instant } from "../../lib/ports.ts";
import type { AlertRule, AlertView, Silence } from "../../protocol/alerts.ts";
import { step, type Watch } from "./machine.ts";
import { objectivesInForce, type Objective } from "./objectives/default-objectives.ts";
import { observe, subjectOf, wording, type Seen } from "./observation.ts";
import type { AlertChange, OpenFigures, TellPorts } from "./ports.ts";
import { rulesInForce } from "./rules/default-rules.ts";
import { tellUntold } from "./tell-untold.ts";
import { silenceFor } from "./telling.ts";

/* One look at the rules of one tenant. Nothing is written where nothing changes. */

/** How far a rule has come with its subject. */
export interface KeptWatch {
  rule_id: string;
  subject: string;
  watch: Watch;
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
  watches: { rule_id: string; subject: string; watch: Watch | null }[];
  /** Stored only where no other alert of the rule and subject fires. */
  fired: AlertView[];
  resolved: { rule_id: string; subject: string; at: string }[];
  /** Alerts that fire on though their silence is over: somebody is told now. */
  unsilenced: string[];
}

/** What judging needs from outside. */
export interface JudgePorts extends TellPorts {
  newId: () => string;
  openFigures: OpenFigures;
  read: (tenant: string, at: string) => Promise<Known>;
  write: (tenant: string, changes: Changes) => Promise<void>;
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

const keyOf = (of: { rule_id: string; subject: string }): string => `${of.rule_id} ${of.subject}`;

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
  const { rule_id } = rule;
  const subject = subjectOf(rule);
  const kept = known.watches.find((one) => keyOf(one) === keyOf({ rule_id, subject }));
  const former = kept?.watch ?? null;
  const { watch, happened } = step(former, seen?.observation ?? null, rule, now);
  if (JSON.stringify(watch) !== JSON.stringify(former)) {
    changes.watches.push({ rule_id, subject, watch });
  }
  if (happened === "resolved") changes.resolved.push({ rule_id, subject, at: instant(now) });
  if (happened === "fired" && seen !== null && watch !== null) {
    changes.fired.push(alertOf(ports, look, { rule, seen, since: watch.since }));
  }
}

/** What was watched for a rule that is gone, switched off, or about something else now, is over. */
function dropOrphans({ known, changes, now }: Look, rules: readonly AlertRule[]): void {
  const watched = new Set(
    rules.map((rule) => keyOf({ rule_id: rule.rule_id, subject: subjectOf(rule) })),
  );
  for (const { rule_id, subject, watch } of known.watches) {
    if (watched.has(keyOf({ rule_id, subject }))) continue;
    changes.watches.push({ rule_id, subject, watch: null });
    if (watch.phase === "firing") {
      changes.resolved.push({ rule_id, subject, at: instant(now) });
    }
  }
}

function unsilence({ known, changes, now }: Look): void {
  const over = new Set(changes.resolved.map(keyOf));
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

function isEmpty({ watches, fired, resolved, unsilenced }: Changes): boolean {
  return [watches, fired, resolved, unsilenced].every((some) => some.length === 0);
}

function logChanges(ports: JudgePorts, tenant: string, { fired, resolved }: Changes): void {
  for (const { alert_id, rule_id, subject, severity } of fired) {
    ports.log("warning", "alert_fired", { tenant, alert_id, rule_id, subject, severity });
  }
  for (const { rule_id, subject } of resolved) {
    ports.log("info", "alert_resolved", { tenant, rule_id, subject });
  }
}

/**
 * Judges every enabled rule of a tenant at an instant (epoch milliseconds), writes what has changed, and tells of it.
 *
 * A rule whose figures can't be read is left as it is. Safe to run twice at once: a rule and subject have one alert
 * that fires, and each change is told under one id.
 *
 * @throws when what is known can't be read, or the changes can't be written: then nothing has changed
 */
export async function judgeTenant(ports: JudgePorts, tenant: string, now: number): Promise<void> {
  const known = await ports.read(tenant, instant(now));
  const changes: Changes = { watches: [], fired: [], resolved: [], unsilenced: [] };
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
  const hadUntold = known.alerts.some(({ untold }) => untold.length > 0);
  if (!isEmpty(changes)) {
    await ports.write(tenant, changes);
    logChanges(ports, tenant, changes);
  }
  if (isEmpty(changes) && !hadUntold) return;
  for (const alert of await ports.untold(tenant)) {
    // One after the other: they share the endpoints.
    // oxlint-disable-next-line no-await-in-loop
    await tellUntold(ports, { tenant, now }, alert);
  }
}
