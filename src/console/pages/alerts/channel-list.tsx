import { channelPage, type Channel } from "../../api/alerts.ts";
import { routeTo } from "../../lib/route.ts";
import { json } from "../../lib/shape.ts";
import { Badge } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Paged } from "../../parts/paged.tsx";
import { ProblemNote } from "../../parts/states.tsx";
import { Tags } from "../../parts/tags.tsx";
import { useActs, type Acts } from "../../parts/use-acts.ts";
import { usePages } from "../../parts/use-pages.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";
import { Present } from "./parts.tsx";

const EVERY_MS = 30_000;
const keyOf = ({ channel_id }: Channel): string => channel_id;

function TestButton({ of, acts }: { of: Channel; acts: Acts }) {
  const say = useWords(alertsWords);
  const path = `/v1/alert-channels/${encodeURIComponent(of.channel_id)}/test`;
  return (
    <button
      type="button"
      class="button small"
      aria-disabled={acts.isBusy}
      aria-label={say("testOf", { name: of.name })}
      onClick={() => acts.run((send) => send("POST", path, json), say("tested", { name: of.name }))}
    >
      {say("test")}
    </button>
  );
}

function useColumns(acts: Acts): readonly Column<Channel>[] {
  const say = useWords(alertsWords);
  const term = useTerms();
  return [
    {
      id: "channel",
      title: say("channel"),
      kind: "wide",
      cell: ({ name, channel_id }) => (
        <>
          {name}
          <span class="below mono">{channel_id}</span>
        </>
      ),
    },
    { id: "kind", title: say("kind"), cell: ({ kind }) => term(kind) },
    {
      id: "severities",
      title: say("severities"),
      cell: ({ severities }) => <Tags of={severities.map((one) => term(one))} />,
    },
    {
      id: "enabled",
      title: say("enabled"),
      cell: ({ is_enabled }) => (
        <Badge tone={is_enabled ? "good" : "off"}>{say(is_enabled ? "on" : "off")}</Badge>
      ),
    },
    {
      id: "secret",
      title: say("secret"),
      kind: "extra",
      cell: ({ has_secret }) => (has_secret ? say("hasSecret") : "—"),
    },
    {
      id: "endpoint",
      title: say("endpoint"),
      kind: "extra",
      cell: ({ webhook_id }) => <a href={routeTo("webhooks", webhook_id)}>{say("toEndpoint")}</a>,
    },
    { id: "acts", title: say("actions"), cell: (row) => <TestButton of={row} acts={acts} /> },
  ];
}

/** Where alerts go, with a way to try it. */
export function ChannelList() {
  const say = useWords(alertsWords);
  const known = usePages("/v1/alert-channels", {}, channelPage, { keyOf, everyMs: EVERY_MS });
  const acts = useActs(known.reload);
  const columns = useColumns(acts);
  return (
    <Present known={known}>
      {acts.problem !== null && <ProblemNote problem={acts.problem} />}
      <Paged
        known={known}
        caption={say("channelsCaption")}
        columns={columns}
        rowKey={keyOf}
        nothing={say("noChannels")}
      />
    </Present>
  );
}
