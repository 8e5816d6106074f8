import { LiveMark } from "../../parts/live.tsx";
import { Page as Frame } from "../../parts/page.tsx";
import { Answered } from "../../parts/states.tsx";
import { useWords } from "../../parts/use-words.ts";
import { overviewWords } from "../../words/overview.ts";
import { Charts } from "./charts.tsx";
import { DayFigures, NowFigures } from "./figures.tsx";
import { Findings, Health } from "./findings.tsx";
import { Objectives } from "./objectives.tsx";
import { POLL_S, useOverview } from "./use-overview.ts";

/** What goes on, at a glance. */
export function Page() {
  const say = useWords(overviewWords);
  const known = useOverview();
  return (
    <Frame title={say("title")} aside={<LiveMark state={known.state} everyS={POLL_S} />}>
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            {!value.health.is_ready && <Health of={value.health} />}
            <section aria-label={say("now")}>
              <h2 class="section">{say("now")}</h2>
              <NowFigures of={value} />
            </section>
            <section aria-label={say("day")}>
              <h2 class="section">{say("day")}</h2>
              <DayFigures of={value} />
            </section>
            <Charts of={value} />
            <div class="columns uneven">
              <Objectives of={value.objectives} />
              <Findings />
            </div>
            {value.health.is_ready && <Health of={value.health} />}
          </div>
        )}
      </Answered>
    </Frame>
  );
}
