/** A span as a trace has it. */
interface SpanLike {
  span_id: string;
  parent_id: string | null;
  started_at: string;
  ended_at: string | null;
}

/** A span in its place: how deep, and from where to where in per cent of the whole. */
export interface Bar<S> {
  span: S;
  depth: number;
  left: number;
  width: number;
}

/** Narrowest bar, per cent: what took no time still is to be seen. */
const NARROWEST = 0.4;

const at = (instant: string | null, otherwise: number): number => {
  const parsed = Date.parse(instant ?? "");
  return Number.isNaN(parsed) ? otherwise : parsed;
};

/**
 * Lays the spans of a trace out: children under their parents, by their start. Spans whose parent is unknown stand at
 * the top, and one that is its own ancestor is shown once; clocks that disagree stay inside the picture.
 *
 * @param now end of what still goes on, epoch milliseconds
 */
export function waterfall<S extends SpanLike>(spans: readonly S[], now: number): Bar<S>[] {
  const ids = new Set(spans.map(({ span_id }) => span_id));
  const starts = spans.map(({ started_at }) => at(started_at, now));
  const ends = spans.map(({ ended_at }) => at(ended_at, now));
  const from = Math.min(...starts);
  const whole = Math.max(...ends, from + 1) - from;
  const byParent = Map.groupBy(
    spans.toSorted((a, b) => at(a.started_at, now) - at(b.started_at, now)),
    ({ parent_id }) => (parent_id !== null && ids.has(parent_id) ? parent_id : ""),
  );
  const shown = new Set<string>();
  const bars: Bar<S>[] = [];
  const put = (span: S, depth: number): void => {
    if (shown.has(span.span_id)) return;
    shown.add(span.span_id);
    const left = ((at(span.started_at, now) - from) / whole) * 100;
    const right = ((at(span.ended_at, now) - from) / whole) * 100;
    const place = Math.min(Math.max(left, 0), 100 - NARROWEST);
    bars.push({
      span,
      depth,
      left: place,
      width: Math.min(Math.max(right - place, NARROWEST), 100 - place),
    });
    for (const child of byParent.get(span.span_id) ?? []) put(child, depth + 1);
  };
  for (const root of byParent.get("") ?? []) put(root, 0);
  // What hangs in a circle has no root.
  for (const span of spans) put(span, 0);
  return bars;
}
