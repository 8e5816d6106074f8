import { delivery, type Attempt, type Delivery } from "../../api/webhooks.ts";
import { duration } from "../../lib/format.ts";
import { routeTo } from "../../lib/route.ts";
import { Back } from "../../parts/back.tsx";
import { Badge, Term } from "../../parts/badge.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Page as Frame } from "../../parts/page.tsx";
import { Facts, Panel } from "../../parts/panel.tsx";
import { Answered, ProblemNote } from "../../parts/states.tsx";
import { Ago } from "../../parts/time.tsx";
import { useActs } from "../../parts/use-acts.ts";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { eventWords } from "../../words/events.ts";
import { webhooksWords } from "../../words/webhooks.ts";

const EVERY_MS = 3_000;

const isGood = ({ status_code }: Attempt): boolean =>
  status_code !== null && status_code >= 200 && status_code < 300;

function AttemptItem({ of }: { of: Attempt }) {
  const say = useWords(webhooksWords);
  const term = useTerms();
  const lang = useLang();
  return (
    <li class={`attempt ${isGood(of) ? "is-good" : "is-bad"}`}>
      <p class="row">
        <strong>{say("attemptN", { n: of.attempt })}</strong>
        <Badge tone={isGood(of) ? "good" : "bad"}>
          {of.status_code === null ? say("noStatus") : String(of.status_code)}
        </Badge>
        {of.error_class !== null && <span>{of.error_class.replaceAll("_", " ")}</span>}
        <span class="quiet">{duration(of.duration_ms, lang)}</span>
        <span class="quiet">{term(of.trigger)}</span>
        <span class="quiet">
          <Ago at={of.started_at} />
        </span>
      </p>
      {of.response_body !== null && of.response_body !== "" && (
        <details>
          <summary>{say("body")}</summary>
          <JsonView value={of.response_body} label={say("bodyOf", { n: of.attempt })} />
        </details>
      )}
    </li>
  );
}

function About({ of }: { of: Delivery }) {
  const say = useWords(webhooksWords);
  const term = useTerms();
  const names: Record<string, string> = eventWords[useLang()];
  return (
    <Panel title={names[of.type] ?? of.type}>
      <Facts
        of={[
          [say("state"), <Term of={of.state} />],
          [
            say("task"),
            of.task_id === null ? null : (
              <a class="mono" href={routeTo("tasks", of.task_id)}>
                {of.task_id}
              </a>
            ),
          ],
          [say("place"), of.seq === null ? null : String(of.seq)],
          [say("priority"), term(of.priority)],
          [say("message"), <span class="mono">{of.message_id}</span>],
          [say("when"), <Ago at={of.created_at} />],
          [say("delivered"), of.delivered_at === null ? null : <Ago at={of.delivered_at} />],
          [say("next"), of.next_attempt_at === null ? null : <Ago at={of.next_attempt_at} />],
          [say("reason"), of.delay_reason?.replaceAll("_", " ") ?? null],
        ]}
      />
    </Panel>
  );
}

function Attempts({ of }: { of: readonly Attempt[] }) {
  const say = useWords(webhooksWords);
  return (
    <Panel title={say("attempts")}>
      {of.length === 0 ? (
        <p class="quiet">{say("noAttempts")}</p>
      ) : (
        <ol class="attempts">
          {of.map((attempt) => (
            <AttemptItem key={attempt.attempt} of={attempt} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

/** One delivery with its attempts. */
export function DeliveryView({ id, webhookId }: { id: string; webhookId: string }) {
  const say = useWords(webhooksWords);
  const path = `/v1/deliveries/${encodeURIComponent(id)}`;
  const known = useAnswer(path, delivery, EVERY_MS);
  const acts = useActs(known.reload);
  const replay = (
    <button
      type="button"
      class="button"
      disabled={known.value === null}
      aria-disabled={acts.isBusy}
      onClick={() => acts.run((send) => send("POST", `${path}/replay`, delivery), say("replayed"))}
    >
      {say("replay")}
    </button>
  );
  return (
    <Frame
      title={say("delivery")}
      above={<Back href={routeTo("webhooks", webhookId)}>{say("backToHook")}</Back>}
      aside={replay}
    >
      {acts.problem !== null && <ProblemNote problem={acts.problem} />}
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            <About of={value} />
            <Attempts of={value.attempts} />
          </div>
        )}
      </Answered>
    </Frame>
  );
}
