import { agentPage, type Agent } from "../../api/agents.ts";
import { rate } from "../../lib/rates.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Page as Frame } from "../../parts/page.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Tags } from "../../parts/tags.tsx";
import { Ago } from "../../parts/time.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { agentsWords } from "../../words/agents.ts";
import { Pools } from "./pools.tsx";
import { Slots } from "./slots.tsx";

/** How often agents are looked at, milliseconds. */
const EVERY_MS = 5_000;

const keyOf = ({ agent_id }: Agent): string => agent_id;

function useColumns(): readonly Column<Agent>[] {
  const say = useWords(agentsWords);
  const lang = useLang();
  return [
    {
      id: "agent",
      title: say("agent"),
      cell: ({ agent_id }) => <span class="mono">{agent_id}</span>,
    },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    { id: "slots", title: say("slots"), cell: (row) => <Slots of={row} /> },
    {
      id: "success",
      title: say("success"),
      kind: "number",
      cell: ({ stats }) => rate(stats?.success_rate ?? null, lang),
    },
    {
      id: "quality",
      title: say("quality"),
      kind: "number",
      cell: ({ stats }) => rate(stats?.quality ?? null, lang),
    },
    {
      id: "on-time",
      title: say("onTime"),
      kind: "number",
      cell: ({ stats }) => rate(stats?.on_time_rate ?? null, lang),
    },
    { id: "pools", title: say("pools"), kind: "extra", cell: ({ pools }) => <Tags of={pools} /> },
    {
      id: "capabilities",
      title: say("capabilities"),
      kind: "wide",
      cell: ({ capabilities }) => <Tags of={capabilities} />,
    },
    {
      id: "seen",
      title: say("seen"),
      kind: "number",
      cell: ({ last_seen_at }) => <Ago at={last_seen_at} />,
    },
  ];
}

/** The list of agents, and what waits in their pools. */
export function Page() {
  const say = useWords(agentsWords);
  const columns = useColumns();
  const known = usePages("/v1/agents", {}, agentPage, { keyOf, everyMs: EVERY_MS });
  const pools = [...new Set(known.value?.flatMap((agent) => agent.pools))].toSorted();
  return (
    <Frame title={say("title")}>
      <div class="stack">
        <div>
          <Paged
            known={known}
            caption={say("caption")}
            columns={columns}
            rowKey={keyOf}
            href={(row) => routeTo("agents", row.agent_id)}
            nothing={say("none")}
          />
        </div>
        {pools.length > 0 && <Pools names={pools} />}
      </div>
    </Frame>
  );
}
