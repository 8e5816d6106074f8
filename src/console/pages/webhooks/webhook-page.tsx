import { webhook } from "../../api/webhooks.ts";
import { routeTo } from "../../lib/route.ts";
import { Back } from "../../parts/back.tsx";
import { Term } from "../../parts/badge.tsx";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useWords } from "../../parts/use-words.ts";
import { webhooksWords } from "../../words/webhooks.ts";
import { Deliveries } from "./deliveries.tsx";
import { DeliveryView } from "./delivery-view.tsx";
import { Level } from "./level.tsx";
import { RecoveryProgress } from "./recover.tsx";
import { WebhookActions } from "./webhook-actions.tsx";
import { AboutWebhook, WebhookFigures } from "./webhook-figures.tsx";

const EVERY_MS = 5_000;

function One({ id, query }: { id: string; query: Record<string, string> }) {
  const say = useWords(webhooksWords);
  const known = useAnswer(`/v1/webhooks/${encodeURIComponent(id)}`, webhook, EVERY_MS);
  const title = known.value?.name ?? known.value?.url ?? id;
  const recovery = query["recovery"];
  return (
    <Frame title={title} above={<Back href={routeTo("webhooks")}>{say("back")}</Back>}>
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            <p class="row">
              <strong class="state">
                <Term of={value.state} />
              </strong>
              <span class="row">
                <span class="quiet">{say("level")}</span> <Level of={value} isLong />
              </span>
            </p>
            {!value.is_verified && <p class="note-box">{say("unverified")}</p>}
            <WebhookActions of={value} onDone={known.reload} />
            {recovery !== undefined && <RecoveryProgress of={id} id={recovery} />}
            <WebhookFigures id={id} />
            <AboutWebhook of={value} />
          </div>
        )}
      </Answered>
      {known.value !== null && (
        <div class="after">
          <Deliveries id={id} query={query} />
        </div>
      )}
    </Frame>
  );
}

/** One endpoint; where the address names a delivery, that one. */
export function Page({ id, query }: PageProps) {
  const name = id ?? "";
  const delivery = query["delivery"];
  return delivery === undefined ? (
    <One id={name} query={query} />
  ) : (
    <DeliveryView key={delivery} id={delivery} webhookId={name} />
  );
}
