import type { Overview } from "../../api/overview.ts";
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

/** What goes on at the moment. */
export function NowFigures({ of: { tasks, agents, webhooks, ...rest } }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const firing = rest.alerts.reduce((sum, alert) => sum + alert.firing, 0);
  const odd = [
    ...(agents.stale > 0 ? [say("stale", { n: agents.stale })] : []),
    ...(agents.draining > 0 ? [say("draining", { n: agents.draining })] : []),
  ];
  return (
    <dl class="figures">
      <Figure name={say("active")} href={routeTo("tasks")} note={<Statuses of={tasks.by_status} />}>
        {count(tasks.active, lang)}
        {!tasks.is_complete && <small> {say("activeMore")}</small>}
      </Figure>
      <Figure
        name={say("agents")}
        href={routeTo("agents")}
        note={[say("agentsNote", { used: agents.slots_in_use, slots: agents.slots }), ...odd].join(
          ", ",
        )}
      >
        {count(agents.online, lang)}
      </Figure>
      <Figure
        name={say("alerts")}
        href={routeTo("alerts")}
        note={firing === 0 ? say("allWell") : <Severities of={rest.alerts} />}
      >
        <Marked isBad={firing > 0}>{count(firing, lang)}</Marked>
      </Figure>
      <Figure
        name={say("webhooks")}
        href={routeTo("webhooks")}
        note={say("webhooksNote", { n: webhooks.total })}
      >
        <Marked isBad={webhooks.troubled > 0}>{count(webhooks.troubled, lang)}</Marked>
      </Figure>
      <Figure name={say("escalations")} href={routeTo("escalations")} note={say("escalationsNote")}>
        <Marked isBad={rest.escalations_open > 0}>{count(rest.escalations_open, lang)}</Marked>
      </Figure>
      {rest.cleanup_debts_open > 0 && (
        <Figure name={say("debts")} note={say("debtsNote")}>
          <Marked isBad>{count(rest.cleanup_debts_open, lang)}</Marked>
        </Figure>
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
export function DayFigures({ of: { tasks, deliveries, ...rest } }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const share = (value: number | null): string => (value === null ? "—" : percent(value, lang));
  const { delivered, failed, oldest_due_age_s } = deliveries;
  const notes = {
    completion: { ended: count(tasks.ended, lang), created: count(tasks.created, lang) },
    deliveries: { delivered: count(delivered, lang), failed: count(failed, lang) },
  };
  return (
    <dl class="figures">
      <Figure name={say("completion")} note={say("completionNote", notes.completion)}>
        {share(tasks.completion_rate)}
      </Figure>
      <Figure name={say("duration")} note={say("p95", { t: seconds(tasks.duration_p95_s, lang) })}>
        {seconds(tasks.duration_p50_s, lang)}
      </Figure>
      <Figure name={say("cost")} note={say("tokens", { n: count(rest.tokens, lang) })}>
        {money(rest.cost_usd, lang)}
      </Figure>
      {tasks.quality !== null && <Figure name={say("quality")}>{share(tasks.quality)}</Figure>}
      <Figure name={say("deliveries")} note={say("deliveriesNote", notes.deliveries)}>
        {share(deliveries.success_rate)}
      </Figure>
      <Figure
        name={say("latency")}
        note={
          oldest_due_age_s === null
            ? say("nothingWaits")
            : say("oldest", { t: seconds(oldest_due_age_s, lang) })
        }
      >
        {seconds(deliveries.p95_s, lang)}
      </Figure>
    </dl>
  );
}
