import type { FunctionComponent } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import type { Grid } from "../lib/chart-data.ts";
import { clockTime } from "../lib/format.ts";
import { chartWords } from "../words/chart.ts";
import type { LineStyle } from "./chart.tsx";
import { Panel } from "./panel.tsx";
import { useLang, useWords } from "./use-words.ts";

type ChartOf = FunctionComponent<{
  grid: Grid;
  styles: readonly LineStyle[];
  axisFormat: (value: number) => string;
  onPoint: (index: number | null) => void;
}>;

/** The code that draws, read when there is something to draw. */
function useChart(): ChartOf | null {
  const [chart, setChart] = useState<{ Chart: ChartOf } | null>(null);
  useEffect(() => {
    let isWanted = true;
    // Without it the legend and the table still say everything.
    import("./chart.tsx").then(
      ({ Chart }) => isWanted && setChart({ Chart }),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, []);
  return chart?.Chart ?? null;
}

interface ChartPanelProps {
  title: string;
  grid: Grid;
  /** Names of the lines, by id. */
  names: Record<string, string>;
  styles: readonly LineStyle[];
  format: (value: number) => string;
  /** For the axis, where there is little room; `format` when absent. */
  axisFormat?: (value: number) => string;
}

function Legend(props: ChartPanelProps & { index: number | null }) {
  const say = useWords(chartWords);
  const lang = useLang();
  const { grid, names, styles, format, index } = props;
  const time = index === null ? undefined : grid.times[index];
  return (
    <p class="legend">
      {grid.lines.map(({ id, values, total }, line) => (
        <span key={id} class="legend-item">
          <svg viewBox="0 0 22 6" width="22" height="6" aria-hidden="true">
            <path
              d="M0 3h22"
              style={{ stroke: `var(${styles[line]?.colour ?? "--quiet"})` }}
              stroke-dasharray={styles[line]?.dash?.join(" ") ?? "none"}
            />
          </svg>
          {names[id] ?? id} <strong>{format(index === null ? total : (values[index] ?? 0))}</strong>
        </span>
      ))}
      <span class="quiet">
        {time === undefined ? say("hour") : clockTime(time * 1_000, lang).slice(0, 5)}
      </span>
    </p>
  );
}

function Numbers({ title, grid, names, format }: ChartPanelProps) {
  const say = useWords(chartWords);
  const lang = useLang();
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{say("asTable")}</summary>
      {isOpen && (
        <div class="list-frame" tabIndex={0} role="region" aria-label={title}>
          <table class="list plain">
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{say("minute")}</th>
                {grid.lines.map(({ id }) => (
                  <th key={id} scope="col" class="number">
                    {names[id] ?? id}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {grid.times.map((time, index) => (
                <tr key={time}>
                  <th scope="row">{clockTime(time * 1_000, lang).slice(0, 5)}</th>
                  {grid.lines.map(({ id, values }) => (
                    <td key={id} class="number">
                      {format(values[index] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** Lines over time with their legend in words, and the numbers as a table for whoever does not see lines. */
export function ChartPanel(props: ChartPanelProps) {
  const Chart = useChart();
  const [index, setIndex] = useState<number | null>(null);
  const onPoint = useCallback((at: number | null) => setIndex(at), []);
  const { grid, styles, format, axisFormat = format } = props;
  return (
    <Panel title={props.title}>
      <Legend {...props} index={index} />
      {Chart === null ? (
        <div class="chart" />
      ) : (
        <Chart grid={grid} styles={styles} axisFormat={axisFormat} onPoint={onPoint} />
      )}
      <Numbers {...props} />
    </Panel>
  );
}
