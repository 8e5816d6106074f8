import { useState } from "preact/hooks";

import { webhookStats, type Webhook, type WebhookStats } from "../../api/webhooks.ts";
import { count, duration } from "../../lib/format.ts";
import { rate } from "../../lib/rates.ts";
import { ChoiceField } from "../../parts/field.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Facts, Figure, Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { Tags } from "../../parts/tags.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { eventGroupWords } from "../../words/event-groups.ts";
import { webhooksWords } from "../../words/webhooks.ts";

const EVERY_MS = 10_000;
const WINDOWS = ["3600", "86400", "604800"] as const;

function Latency({ of: { p50_ms, p95_ms } }: { of: WebhookStats }) {
  const say = useWords(webhooksWords);
  const lang = useLang();
  return (
    <Figure
      name={say("median")}
      note={p95_ms === null ? undefined : say("p95", { t: duration(p95_ms, lang) })}
    >
      {p50_ms === null ? "—" : duration(p50_ms, lang)}
    </Figure>
  );
}

function LastError({ of }: { of: NonNullable<WebhookStats["last_error"]> }) {
  const say = useWords(webhooksWords);
  return (
    <p class="note-box">
      <strong>{say("lastError")}</strong>{" "}
      {[of.status_code, of.error_class?.replaceAll("_", " ") ?? null]
        .filter((part) => part !== null)
        .join(" · ")}{" "}
      <span class="quiet">
        <Ago at={of.at} />
      </span>
    </p>
  );
}

function Numbers({ of }: { of: WebhookStats }) {
  const say = useWords(webhooksWords);
  const lang = useLang();
  const waits = of.oldest_due_age_s;
  return (
    <div class="stack">
      <dl class="figures">
        <Figure
          name={say("successRate")}
          note={say("attemptsNote", { n: count(of.attempts, lang), retried: of.retried })}
        >
          {rate(of.success_rate, lang)}
        </Figure>
        <Figure name={say("arrived")} note={say("failedNote", { n: of.failed })}>
          {count(of.delivered, lang)}
        </Figure>
        <Latency of={of} />
        <Figure name={say("throughput")}>{count(of.throughput_per_s * 60, lang)}</Figure>
        <Figure name={say("waiting")}>
          {waits === null ? "—" : duration(waits * 1_000, lang)}
        </Figure>
      </dl>
      {of.last_error !== null && <LastError of={of.last_error} />}
    </div>
  );
}

/** How an endpoint does, over a time that can be chosen. */
export function WebhookFigures({ id }: { id: string }) {
  const say = useWords(webhooksWords);
  const [seconds, setSeconds] = useState<string>(WINDOWS[0]);
  const path = `/v1/webhooks/${encodeURIComponent(id)}/stats?window=${seconds}`;
  const known = useAnswer(path, webhookStats, EVERY_MS);
  const choice = (
    <ChoiceField
      label={say("window")}
      value={seconds}
      onValue={setSeconds}
      choices={WINDOWS.map((one) => [one, say(`window${one}`)] as const)}
    />
  );
  return (
    <Panel title={say("figures")} aside={choice} class="with-choice">
      <Answered known={known}>{(value) => <Numbers of={value} />}</Answered>
    </Panel>
  );
}

/** What an endpoint was registered with. */
export function AboutWebhook({ of }: { of: Webhook }) {
  const say = useWords(webhooksWords);
  const groups: Record<string, string> = eventGroupWords[useLang()];
  const orders: Record<string, string> = {
    task: say("orderingTask"),
    endpoint: say("orderingEndpoint"),
    none: say("orderingNone"),
  };
  const more = (
    [
      ["filters", of.filters],
      ["retryPolicy", of.retry_policy],
      ["batching", of.batching],
      ["rateLimit", of.rate_limit],
    ] as const
  ).filter(([, value]) => value !== null && value !== undefined);
  return (
    <Panel title={say("about")}>
      <Facts
        of={[
          [say("url"), <span class="mono">{of.url}</span>],
          [say("events"), <Tags of={of.events.map((event) => groups[event] ?? event)} />],
          [say("ordering"), orders[of.ordering] ?? of.ordering],
          [say("timeout"), String(of.timeout)],
          [say("headers"), Object.keys(of.headers).join(", ")],
          [say("created"), <Ago at={of.created_at} />],
        ]}
      />
      {more.map(([words, value]) => (
        <details key={words}>
          <summary>{say(words)}</summary>
          <JsonView value={value} label={say(words)} />
        </details>
      ))}
    </Panel>
  );
}
