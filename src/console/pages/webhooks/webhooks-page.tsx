import { useState } from "preact/hooks";

import { webhookPage, webhookStats, type Webhook } from "../../api/webhooks.ts";
import { duration } from "../../lib/format.ts";
import { rate } from "../../lib/rates.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Once } from "../../parts/once.tsx";
import { Page as Frame } from "../../parts/page.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Tags } from "../../parts/tags.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { usePages } from "../../parts/use-pages.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { eventGroupWords } from "../../words/event-groups.ts";
import { webhooksWords } from "../../words/webhooks.ts";
import { Level } from "./level.tsx";
import { RegisterDialog } from "./register-dialog.tsx";

/** How often endpoints and their figures are looked at, milliseconds. */
const EVERY_MS = 10_000;
const FIGURES_MS = 60_000;

const keyOf = ({ webhook_id }: Webhook): string => webhook_id;

/** Success and latency of the last hour. */
function LastHour({ id }: { id: string }) {
  const say = useWords(webhooksWords);
  const lang = useLang();
  const path = `/v1/webhooks/${encodeURIComponent(id)}/stats?window=3600`;
  const { value } = useAnswer(path, webhookStats, FIGURES_MS);
  if (value === null) return <span class="quiet">—</span>;
  if (value.attempts === 0) return <span class="quiet">{say("nothingSent")}</span>;
  return (
    <span class="nowrap">
      {rate(value.success_rate, lang)}
      {value.p50_ms !== null && <span class="quiet"> · {duration(value.p50_ms, lang)}</span>}
    </span>
  );
}

function useColumns(): readonly Column<Webhook>[] {
  const say = useWords(webhooksWords);
  const groups: Record<string, string> = eventGroupWords[useLang()];
  return [
    {
      id: "endpoint",
      title: say("endpoint"),
      kind: "wide",
      cell: ({ name, url }) => (
        <>
          {name ?? url}
          {name !== null && <span class="below mono">{url}</span>}
        </>
      ),
    },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    { id: "level", title: say("level"), cell: (row) => <Level of={row} /> },
    {
      id: "hour",
      title: say("lastHour"),
      kind: "number",
      cell: ({ webhook_id }) => <LastHour id={webhook_id} />,
    },
    {
      id: "events",
      title: say("events"),
      kind: "extra",
      cell: ({ events }) => <Tags of={events.map((event) => groups[event] ?? event)} />,
    },
  ];
}

/** The list of endpoints. */
export function Page() {
  const say = useWords(webhooksWords);
  const columns = useColumns();
  const known = usePages("/v1/webhooks", {}, webhookPage, { keyOf, everyMs: EVERY_MS });
  const [isRegistering, setRegistering] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const register = (
    <button type="button" class="button primary" onClick={() => setRegistering(true)}>
      {say("register")}
    </button>
  );
  return (
    <Frame title={say("title")} aside={register}>
      <Paged
        known={known}
        caption={say("caption")}
        columns={columns}
        rowKey={keyOf}
        href={(row) => routeTo("webhooks", row.webhook_id)}
        nothing={say("noneYet")}
      />
      {isRegistering && (
        <RegisterDialog
          onSecret={(minted) => {
            setSecret(minted);
            known.reload();
          }}
          onClose={() => setRegistering(false)}
        />
      )}
      {secret !== null && (
        <Once title={say("secretTitle")} secret={secret} onClose={() => setSecret(null)} />
      )}
    </Frame>
  );
}
