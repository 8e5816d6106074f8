import { trace, type Span, type Task, type Trace } from "../../api/tasks.ts";
import { duration, prettyJson } from "../../lib/format.ts";
import { isRecord } from "../../lib/shape.ts";
import { waterfall, type Bar } from "../../lib/waterfall.ts";
import { Glyph, toneOf } from "../../parts/glyph.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useNow } from "../../parts/use-now.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";

/** How often the trace of a task that goes on is read again, milliseconds. */
const EVERY_MS = 4_000;

function SpanLine({ of: { span, depth, left, width } }: { of: Bar<Span> }) {
  const say = useWords(taskWords);
  const lang = useLang();
  const { name, kind, status, duration_ms, attributes, is_on_slowest_path: isSlow } = span;
  const hasMore = isRecord(attributes) && Object.keys(attributes).length > 0;
  const took = duration_ms === null ? say("traceOpen") : duration(duration_ms, lang);
  return (
    <li class={`span ${isSlow ? "is-slow" : ""} span-${status === "error" ? "error" : "ok"}`}>
      <details>
        <summary>
          <span class="span-name" style={{ paddingInlineStart: `${Math.min(depth, 12) * 0.9}rem` }}>
            {status === "error" && <Glyph tone={toneOf("error")} />}
            {name}
            {isSlow && <span class="unseen">, {say("traceSlow")}</span>}
          </span>
          <span class="span-track" aria-hidden="true">
            <span
              class={`span-bar kind-${kind}`}
              style={{ left: `${left}%`, width: `${width}%` }}
            />
          </span>
          <span class="span-time">{took}</span>
        </summary>
        <pre class="span-data">
          {kind}
          {hasMore && `\n${prettyJson(attributes)}`}
        </pre>
      </details>
    </li>
  );
}

function Waterfall({ of }: { of: Trace }) {
  const say = useWords(taskWords);
  const lang = useLang();
  const now = useNow(2_000);
  const whole = of.duration_ms === null ? say("traceOpen") : duration(of.duration_ms, lang);
  return (
    <Panel
      title={say("trace")}
      aside={<span class="quiet">{say("traceTotal", { t: whole, n: of.spans.length })}</span>}
    >
      {!of.is_complete && <p class="quiet">{say("traceGaps")}</p>}
      <p class="legend-item trace-key">
        <span class="span-bar key" aria-hidden="true" /> {say("traceSlow")}
      </p>
      <ol class="waterfall">
        {waterfall(of.spans, now).map((bar) => (
          <SpanLine key={bar.span.span_id} of={bar} />
        ))}
      </ol>
    </Panel>
  );
}

/** What a task spent its time on, as a waterfall. */
export function TraceView({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const path = `/v1/tasks/${encodeURIComponent(of.task_id)}/trace`;
  const known = useAnswer(path, trace, of.ended_at === null ? EVERY_MS : 0);
  if (known.problem?.status === 404) {
    return (
      <Empty>
        <p>{say("noTrace")}</p>
      </Empty>
    );
  }
  return <Answered known={known}>{(value) => <Waterfall of={value} />}</Answered>;
}
