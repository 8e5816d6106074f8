import { agent, type Agent } from "../../api/agents.ts";
import { queryOf } from "../../api/client.ts";
import { taskPage, type Task } from "../../api/tasks.ts";
import { safeUrl } from "../../lib/format.ts";
import { routeTo } from "../../lib/route.ts";
import { Back } from "../../parts/back.tsx";
import { Term } from "../../parts/badge.tsx";
import { DataList } from "../../parts/data-list.tsx";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Facts, Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { Tags } from "../../parts/tags.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { agentsWords } from "../../words/agents.ts";
import { tasksWords } from "../../words/tasks.ts";
import { taskColumns } from "../tasks/task-columns.tsx";
import { TASK_TYPES } from "../tasks/task-filters.tsx";
import { AgentActions } from "./agent-actions.tsx";
import { Day, Standing } from "./agent-figures.tsx";
import { Slots } from "./slots.tsx";

const EVERY_MS = 5_000;
const SHOWN_TASKS = 10;

/** An address as a link, where it is one of the web. */
function Address({ of }: { of: string }) {
  const url = safeUrl(of);
  return url === null ? (
    <>{of}</>
  ) : (
    <a href={url} rel="noopener noreferrer" target="_blank">
      {of}
    </a>
  );
}

function Registration({ of }: { of: Agent }) {
  const say = useWords(agentsWords);
  const term = useTerms();
  const labels = Object.entries(of.labels).map(([name, value]) => `${name}=${value}`);
  return (
    <Panel title={say("registration")}>
      <Facts
        of={[
          [say("capabilities"), <Tags of={of.capabilities} />],
          [say("pools"), <Tags of={of.pools} />],
          [
            say("types"),
            of.task_types.length === TASK_TYPES.length
              ? say("allTypes")
              : of.task_types.map(term).join(", "),
          ],
          [say("labels"), labels.length === 0 ? null : <Tags of={labels} />],
          [say("weight"), String(of.weight)],
          [say("version"), of.version],
          [say("pushedTo"), of.url === null ? null : <Address of={of.url} />],
        ]}
      />
    </Panel>
  );
}

function Tasks({ id }: { id: string }) {
  const say = useWords(agentsWords);
  const list = useWords(tasksWords);
  const term = useTerms();
  const lang = useLang();
  const path = `/v1/tasks${queryOf({ agent_id: id, limit: SHOWN_TASKS })}`;
  const known = useAnswer(path, taskPage, EVERY_MS);
  const columns = taskColumns(list, term, lang).filter((column) => column.id !== "agent");
  const all = <a href={routeTo("tasks", null, { agent_id: id })}>{say("allTasks")}</a>;
  return (
    <Panel title={say("tasks")} aside={all}>
      <Answered known={known}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet">{say("noTasks")}</p>
          ) : (
            <DataList<Task>
              caption={say("tasks")}
              columns={columns}
              rows={items}
              rowKey={({ task_id }) => task_id}
              href={({ task_id }) => routeTo("tasks", task_id)}
            />
          )
        }
      </Answered>
    </Panel>
  );
}

/** One agent. */
export function Page({ id }: PageProps) {
  const say = useWords(agentsWords);
  const name = id ?? "";
  const known = useAnswer(`/v1/agents/${encodeURIComponent(name)}`, agent, EVERY_MS);
  return (
    <Frame title={name} above={<Back href={routeTo("agents")}>{say("back")}</Back>}>
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            <div class="row">
              <strong class="state">
                <Term of={value.state} />
              </strong>
              <Slots of={value} />
              <span class="quiet">
                {say("seen")} <Ago at={value.last_seen_at} />
              </span>
            </div>
            <AgentActions of={value} onDone={known.reload} />
            <Day id={name} />
            {value.stats !== null && <Standing of={value.stats} />}
            <Registration of={value} />
            <Tasks id={name} />
          </div>
        )}
      </Answered>
    </Frame>
  );
}
