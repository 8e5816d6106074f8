import { pool } from "../../api/agents.ts";
import { Panel } from "../../parts/panel.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { agentsWords } from "../../words/agents.ts";

const EVERY_MS = 10_000;
/** More are not asked for: each is a call of its own. */
const SHOWN = 12;

const PRIORITIES = ["critical", "high", "normal", "low"] as const;

/** One pool as a row; nothing where it has never had a task. */
function Row({ name }: { name: string }) {
  const say = useWords(agentsWords);
  const term = useTerms();
  const { value } = useAnswer(`/v1/pools/${encodeURIComponent(name)}/snapshot`, pool, EVERY_MS);
  if (value === null) return null;
  const waiting = PRIORITIES.filter((one) => value.ready[one] > 0).map(
    (one) => `${value.ready[one]} ${term(one)}`,
  );
  return (
    <tr>
      <th scope="row" class="mono">
        {name}
      </th>
      <td class="wide">
        {waiting.length === 0 ? (
          <span class="quiet">{say("waitingNone")}</span>
        ) : (
          waiting.join(" · ")
        )}
      </td>
      <td class="number" data-title={say("oldest")}>
        <Ago at={value.oldest_ready_at} />
      </td>
      <td class="number" data-title={say("reserved")}>
        {value.reserved}
      </td>
      <td class="number" data-title={say("online")}>
        {value.agents_online}
      </td>
      <td class="number" data-title={say("free")}>
        {value.slots_free}
      </td>
    </tr>
  );
}

/** What waits in pools, and what there is to do it. */
export function Pools({ names }: { names: readonly string[] }) {
  const say = useWords(agentsWords);
  return (
    <Panel title={say("poolsTitle")}>
      <div class="list-frame" role="region" aria-label={say("poolsTitle")} tabIndex={0}>
        <table class="list">
          <caption class="unseen">{say("poolsTitle")}</caption>
          <thead>
            <tr>
              <th scope="col">{say("pool")}</th>
              <th scope="col">{say("waiting")}</th>
              {(["oldest", "reserved", "online", "free"] as const).map((words) => (
                <th key={words} scope="col" class="number">
                  {say(words)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.slice(0, SHOWN).map((name) => (
              <Row key={name} name={name} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
