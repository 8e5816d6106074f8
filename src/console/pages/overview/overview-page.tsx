import { useEffect, useRef } from "preact/hooks";

import { isTold, tidingsOf, type Overview } from "../../api/overview.ts";
import { LiveMark } from "../../parts/live.tsx";
import { announce } from "../../parts/news.ts";
import { Page as Frame } from "../../parts/page.tsx";
import { Answered } from "../../parts/states.tsx";
import { useWords } from "../../parts/use-words.ts";
import { overviewWords } from "../../words/overview.ts";
import { Charts } from "./charts.tsx";
import { DayFigures, NowFigures } from "./figures.tsx";
import { Findings, Health } from "./findings.tsx";
import { Objectives } from "./objectives.tsx";
import { POLL_S, useOverview } from "./use-overview.ts";

/** Reads out when there are more or fewer things that somebody has to look after. */
function useTidings(value: Overview | null): void {
  const say = useWords(overviewWords);
  const before = useRef<string>(undefined);
  const tidings = value && tidingsOf(value);
  const now = tidings && say("tidings", tidings);
  useEffect(() => {
    if (tidings === null || now === null) return;
    const said = `${tidings.alerts} ${tidings.questions}`;
    if (before.current !== undefined && before.current !== said) announce(now);
    before.current = said;
  }, [now]);
}

/** What goes on, at a glance. */
export function Page() {
  const say = useWords(overviewWords);
  const known = useOverview();
  useTidings(known.value);
  return (
    <Frame title={say("title")} aside={<LiveMark state={known.state} everyS={POLL_S} />}>
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            {!value.health.is_ready && <Health of={value} />}
            <section aria-label={say("now")}>
              <h2 class="section">{say("now")}</h2>
              <NowFigures of={value} />
            </section>
            <section aria-label={say("day")}>
              <h2 class="section">{say("day")}</h2>
              <DayFigures of={value} />
            </section>
            {!isTold(value, "series") && <p class="quiet">{say("seriesUnknown")}</p>}
            <Charts of={value} />
            <div class="columns uneven">
              <Objectives of={value} />
              <Findings />
            </div>
            {value.health.is_ready && <Health of={value} />}
          </div>
        )}
      </Answered>
    </Frame>
  );
}
