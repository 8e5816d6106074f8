import { useState } from "preact/hooks";

import type { TaskEvent } from "../../api/tasks.ts";
import { summaryOf } from "../../lib/event-summary.ts";
import { clockTime, fullTime, instantOf } from "../../lib/format.ts";
import { isRecord, text } from "../../lib/shape.ts";
import { Glyph, toneOf, type Tone } from "../../parts/glyph.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Empty } from "../../parts/states.tsx";
import { useLang, useWords } from "../../parts/use-words.ts";
import { eventWords } from "../../words/events.ts";
import { taskWords } from "../../words/task.ts";

/** Events that are on the page at once, until more are asked for. */
const SHOWN = 200;

const TONES: Record<string, Tone> = {
  task_started: "live",
  task_progress: "live",
  task_completed: "good",
  task_approved: "good",
  escalation_resolved: "good",
  task_failed: "bad",
  lease_expired: "bad",
  task_escalated: "warn",
  task_declined: "warn",
  retry_scheduled: "warn",
  budget_warning: "warn",
};

function toneOfEvent({ type, data }: TaskEvent): Tone {
  const said = isRecord(data) ? text(data["completion_status"]) || text(data["outcome"]) : "";
  return TONES[type] ?? (said === "" ? "idle" : toneOf(said));
}

/** The name of a type of event; one that is not known is shown as it came. */
function useEventName(): (type: string) => string {
  const known: Record<string, string> = eventWords[useLang()];
  return (type) => (Object.hasOwn(known, type) ? (known[type] ?? type) : type);
}

function Line({ event }: { event: TaskEvent }) {
  const say = useWords(taskWords);
  const lang = useLang();
  const name = useEventName();
  const [isOpen, setOpen] = useState(false);
  const at = instantOf(event.at);
  const summary = summaryOf(event.data);
  return (
    <li class="event">
      <span class="event-mark">
        <Glyph tone={toneOfEvent(event)} />
      </span>
      <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary>
          <span class="event-name">{name(event.type)}</span>{" "}
          {summary !== "" && <span class="event-summary">{summary}</span>}{" "}
          <span class="event-by">
            {at !== null && (
              <time dateTime={event.at} title={fullTime(at, lang)}>
                {clockTime(at, lang, true)}
              </time>
            )}{" "}
            {say("by", { who: `${event.actor.kind} ${event.actor.id}` })} · {event.seq}
          </span>
        </summary>
        {isOpen && <JsonView value={event.data} label={`${name(event.type)} ${event.seq}`} />}
      </details>
    </li>
  );
}

/** What has happened to a task, the newest first, as it happens. */
export function Timeline({ events }: { events: readonly TaskEvent[] }) {
  const say = useWords(taskWords);
  const [shown, setShown] = useState(SHOWN);
  if (events.length === 0) {
    return (
      <Empty>
        <p>{say("noEvents")}</p>
      </Empty>
    );
  }
  return (
    <>
      <ol class="timeline" reversed>
        {events
          .slice(-shown)
          .toReversed()
          .map((event) => (
            <Line key={event.seq} event={event} />
          ))}
      </ol>
      {events.length > shown && (
        <p class="list-foot">
          <button type="button" class="button" onClick={() => setShown(shown + SHOWN)}>
            {say("earlier")}
          </button>
        </p>
      )}
    </>
  );
}
