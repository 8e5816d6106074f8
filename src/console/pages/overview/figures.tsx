import type { ComponentChildren } from "preact";

import { isTold, type Overview } from "../../api/overview.ts";
import { count, duration, money, percent, type Lang } from "../../lib/format.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import { Glyph } from "../../parts/glyph.tsx";
import { Figure } from "../../parts/panel.tsx";
import { useLang, useWords } from "../../parts/use-words.ts";
import { overviewWords } from "../../words/overview.ts";

/** The order in which statuses are shown: what goes on first. */
const STATUSES = ["running", "pending", "escalated"];

/** Seconds as people read them; a dash where nothing is known. */
function seconds(value: number | null, lang: Lang): string {
  return value === null ? "—" : duration(value * 1_000, lang);
}

const share = (value: number | null, lang: Lang): string =>
  value === null ? "—" : percent(value, lang);

/** A figure, or a dash where it could not be told. */
function Told(props: {
  of: Overview;
  member: keyof Overview;
  name: string;
  href?: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}) {
  const say = useWords(overviewWords);
  const { of, member, name, href, note, children } = props;
  const link = href === undefined ? {} : { href };
  if (isTold(of, member)) {
    return (
      <Figure name={name} note={note} {...link}>
        {children}
      </Figure>
    );
  }
  return (
    <Figure name={name} note={say("unknown")} {...link}>
      —
    </Figure>
  );
}

function Agents({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const { online, stale, draining, slots, slots_in_use, is_complete } = of.agents;
  const notes = [
    say("agentsNote", { used: slots_in_use, slots }),
    ...(stale > 0 ? [say("stale", { n: stale })] : []),
    ...(draining > 0 ? [say("draining", { n: draining })] : []),
  ];
  return (
    <Told
      of={of}
      member="agents"
      name={say("agents")}
      href={routeTo("agents")}
      note={notes.join(", ")}
    >
      {count(online, lang)}
      {!is_complete && <small> {say("activeMore")}</small>}
    </Told>
  );
}

function Alerts({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const firing = of.alerts.reduce((sum, alert) => sum + alert.firing, 0);
  return (
    <Told
      of={of}
      member="alerts"
      name={say("alerts")}
      href={routeTo("alerts")}
      note={firing === 0 ? say("allWell") : <Severities of={of.alerts} />}
    >
      <Marked isBad={firing > 0}>{count(firing, lang)}</Marked>
    </Told>
  );
}

/** What goes on at the moment. */
export function NowFigures({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const { tasks, webhooks, escalations_open, cleanup_debts_open } = of;
  return (
    <dl class="figures">
      <Told
        of={of}
        member="tasks"
        name={say("active")}
        href={routeTo("tasks")}
        note={<Statuses of={tasks.by_status} />}
      >
        {count(tasks.active, lang)}
        {!tasks.is_complete && <small> {say("activeMore")}</small>}
      </Told>
      <Agents of={of} />
      <Alerts of={of} />
      <Told
        of={of}
        member="webhooks"
        name={say("webhooks")}
        href={routeTo("webhooks")}
        note={say("webhooksNote", { n: webhooks.total })}
      >
        <Marked isBad={webhooks.troubled > 0}>{count(webhooks.troubled, lang)}</Marked>
      </Told>
      <Told
        of={of}
        member="escalations_open"
        name={say("escalations")}
        href={routeTo("escalations")}
        note={say("escalationsNote")}
      >
        <Marked isBad={escalations_open > 0}>{count(escalations_open, lang)}</Marked>
      </Told>
      {(cleanup_debts_open > 0 || !isTold(of, "cleanup_debts_open")) && (
        <Told of={of} member="cleanup_debts_open" name={say("debts")} note={say("debtsNote")}>
          <Marked isBad>{count(cleanup_debts_open, lang)}</Marked>
        </Told>
      )}
    </dl>
  );
}

function Statuses({ of }: { of: Overview["tasks"]["by_status"] }) {
  const lang = useLang();
  return (
    <span class="figure-list">
      {STATUSES.flatMap((status) => of.filter((one) => one.status === status && one.count > 0)).map(
        (one) => (
          <a key={one.status} href={routeTo("tasks", null, { status: one.status })}>
            {count(one.count, lang)} <Term of={one.status} />
          </a>
        ),
      )}
    </span>
  );
}

function Severities({ of }: { of: Overview["alerts"] }) {
  return (
    <span class="figure-list">
      {of
        .filter(({ firing }) => firing > 0)
        .map(({ severity, firing }) => (
          <span key={severity}>
            {firing} <Term of={severity} />
          </span>
        ))}
    </span>
  );
}

/** A number that should be 0, with a mark where it is not. */
function Marked({ isBad, children }: { isBad: boolean; children?: string }) {
  return isBad ? (
    <span class="marked tone-warn">
      <Glyph tone="warn" />
      {children}
    </span>
  ) : (
    <>{children}</>
  );
}

/** What the last day was like. */
export function DayFigures({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const { tasks } = of;
  const notes = { ended: count(tasks.ended, lang), created: count(tasks.created, lang) };
  const tokens = isTold(of, "tokens") ? say("tokens", { n: count(of.tokens, lang) }) : undefined;
  return (
    <dl class="figures">
      <Told of={of} member="tasks" name={say("completion")} note={say("completionNote", notes)}>
        {share(tasks.completion_rate, lang)}
      </Told>
      <Told
        of={of}
        member="tasks"
        name={say("duration")}
        note={say("p95", { t: seconds(tasks.duration_p95_s, lang) })}
      >
        {seconds(tasks.duration_p50_s, lang)}
      </Told>
      <Told of={of} member="cost_usd" name={say("cost")} note={tokens}>
        {money(of.cost_usd, lang)}
      </Told>
      {tasks.quality !== null && isTold(of, "tasks") && (
        <Figure name={say("quality")}>{share(tasks.quality, lang)}</Figure>
      )}
      <Sent of={of} />
    </dl>
  );
}

/** Deliveries of the last day. */
function Sent({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const { delivered, failed, success_rate, p95_s, oldest_due_age_s } = of.deliveries;
  const notes = { delivered: count(delivered, lang), failed: count(failed, lang) };
  return (
    <>
      <Told
        of={of}
        member="deliveries"
        name={say("deliveries")}
        note={say("deliveriesNote", notes)}
      >
        {share(success_rate, lang)}
      </Told>
      <Told
        of={of}
        member="deliveries"
        name={say("latency")}
        note={
          oldest_due_age_s === null
            ? say("noneTroubled")
            : say("oldest", { t: seconds(oldest_due_age_s, lang) })
        }
      >
        {seconds(p95_s, lang)}
      </Told>
    </>
  );
}
