import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

import type { Grid } from "../lib/chart-data.ts";
import { clockTime, type Lang } from "../lib/format.ts";
import { theme } from "../lib/preferences.ts";
import { useStore } from "./use-store.ts";
import { useLang } from "./use-words.ts";

/** How a line is drawn: a colour of the style sheet, and dashes that tell it from others without colour. */
export interface LineStyle {
  colour: string;
  dash?: number[];
}

const HEIGHT = 168;

/** A colour of the style sheet as a canvas takes it, in the theme of the moment. */
function colourOf(name: string, within: HTMLElement): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The same colour, less opaque: computed colours are `rgb(r, g, b)`. */
function faint(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.13)");
}

interface Drawing {
  grid: Grid;
  styles: readonly LineStyle[];
  /** Numbers on the axis, where there is little room. */
  axisFormat: (value: number) => string;
  lang: Lang;
  onPoint: (index: number | null) => void;
}

function optionsOf(drawing: Drawing, frame: HTMLElement): uPlot.Options {
  const { styles, axisFormat, lang, onPoint } = drawing;
  const quiet = colourOf("--quiet", frame);
  const line = colourOf("--line", frame);
  const axis = {
    stroke: quiet,
    font: "11px system-ui, sans-serif",
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  };
  return {
    width: frame.clientWidth,
    height: HEIGHT,
    padding: [10, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false }, points: { size: 7 } },
    scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.15 : 1] } },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        values: (_, splits) => splits.map((at) => clockTime(at * 1_000, lang).slice(0, 5)),
      },
      { ...axis, size: 52, space: 40, values: (_, splits) => splits.map(axisFormat) },
    ],
    series: [
      {},
      ...styles.map(({ colour, dash }): uPlot.Series => {
        const stroke = colourOf(colour, frame);
        return {
          stroke,
          width: 1.75,
          points: { show: false },
          ...(dash === undefined ? { fill: faint(stroke) } : { dash }),
        };
      }),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

/** The data as uPlot takes it. */
function dataOf({ times, lines }: Grid): uPlot.AlignedData {
  return [times, ...lines.map(({ values }) => values)];
}

/** Lines over time on a canvas. What it shows is said beside it in words; this is for the eye alone. */
export function Chart(props: Omit<Drawing, "lang">) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const lang = useLang();
  const colours = useStore(theme);
  const newest = useRef(props);
  newest.current = props;

  useEffect(() => {
    const { current } = frame;
    if (current === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      const { grid } = newest.current;
      plot.current = new uPlot(
        optionsOf({ ...newest.current, lang }, current),
        dataOf(grid),
        current,
      );
    };
    draw();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    const watcher = new ResizeObserver(() =>
      plot.current?.setSize({ width: current.clientWidth, height: HEIGHT }),
    );
    watcher.observe(current);
    return () => {
      dark.removeEventListener("change", draw);
      watcher.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [lang, colours]);

  useEffect(() => plot.current?.setData(dataOf(props.grid)), [props.grid]);

  return <div class="chart" ref={frame} aria-hidden="true" />;
}
