import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Task, TaskEvent } from "../../api/tasks.ts";
import { routeTo } from "../../lib/route.ts";
import { LiveMark } from "../../parts/live.tsx";
import { announce } from "../../parts/news.ts";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Answered } from "../../parts/states.tsx";
import { isFinal } from "../../parts/use-answer.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";
import { Commands } from "./commands.tsx";
import { Deliveries } from "./deliveries.tsx";
import { Explain } from "./explain.tsx";
import { About, Head } from "./head.tsx";
import { More } from "./more.tsx";
import { Outcome } from "./outcome.tsx";
import { Timeline } from "./timeline.tsx";
import { TraceView } from "./trace-view.tsx";
import { POLL_S, useTask } from "./use-task.ts";

const VIEWS = ["timeline", "result", "trace", "deliveries", "more"] as const;
type View = (typeof VIEWS)[number];

interface ViewProps {
  of: Task;
  events: readonly TaskEvent[];
}

const BODIES: Record<View, (props: ViewProps) => JSX.Element> = {
  timeline: ({ events }) => <Timeline events={events} />,
  result: ({ of }) => <Outcome of={of} />,
  trace: ({ of }) => <TraceView of={of} />,
  deliveries: ({ of }) => <Deliveries of={of} />,
  more: ({ of }) => <More of={of} />,
};

function Tabs({ id, view }: { id: string; view: View }) {
  const say = useWords(taskWords);
  return (
    <nav class="tabs" aria-label={say("viewLabel")}>
      {VIEWS.map((name) => (
        <a
          key={name}
          href={routeTo("tasks", id, name === "timeline" ? {} : { view: name })}
          aria-current={name === view ? "true" : undefined}
        >
          {say(name)}
        </a>
      ))}
    </nav>
  );
}

/** Reads out where the task has come, when that changes. */
function useTidings(id: string, status: string | undefined): void {
  const say = useWords(taskWords);
  const term = useTerms();
  const before = useRef<string>(undefined);
  useEffect(() => {
    if (status === undefined) return;
    if (before.current !== undefined && before.current !== status) {
      announce(say("nowIs", { id, status: term(status) }));
    }
    before.current = status;
  }, [status]);
}

/** Whether what is shown is as of now; of what there is nothing to show, nothing. */
function Live({ of: { state, value, problem } }: { of: ReturnType<typeof useTask> }) {
  if (state !== "refused") return <LiveMark state={state} everyS={POLL_S} />;
  if (value === null || (problem !== null && isFinal(problem))) return null;
  return <LiveMark state={value.ended_at === null ? state : "over"} everyS={POLL_S} />;
}

/** One task. */
export function Page({ id, query }: PageProps) {
  const say = useWords(taskWords);
  const name = id ?? "";
  const known = useTask(name);
  useTidings(name, known.value?.status);
  const view = VIEWS.find((one) => one === query["view"]) ?? "timeline";
  const Body = BODIES[view];
  const back = (
    <p class="back">
      <a href={routeTo("tasks")}>← {say("back")}</a>
    </p>
  );
  return (
    <Frame title={name} above={back} aside={<Live of={known} />}>
      <Answered known={known}>
        {(task) => (
          <div class="task">
            <Head of={task} />
            <Commands of={task} onDone={known.reload} />
            <div class="task-columns">
              <div class="task-main">
                <Tabs id={name} view={view} />
                <Body of={task} events={known.events} />
              </div>
              <aside class="stack task-aside">
                <Explain of={task} />
                <About of={task} />
              </aside>
            </div>
          </div>
        )}
      </Answered>
    </Frame>
  );
}
