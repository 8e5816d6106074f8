/* Who waits for whom in a batch or a plan, by index. Pure. */

/** For each item the items that it waits for. */
export type Graph = readonly (readonly number[])[];

/**
 * A circle in a graph as the indexes along it, each waiting for the next and the last for the first; null
 * when there is none. The one that is found is the same for the same graph.
 */
export function circleIn(graph: Graph): number[] | null {
  const isDone = new Set<number>();
  for (const start of graph.keys()) {
    const circle = circleFrom(graph, start, isDone);
    if (circle !== null) return circle;
  }
  return null;
}

/** Walks down from one item without recursion: a chain may be as long as the batch. */
function circleFrom(graph: Graph, start: number, isDone: Set<number>): number[] | null {
  const path: number[] = [];
  const next: number[] = [];
  const enter = (item: number): void => {
    path.push(item);
    next.push(0);
  };
  if (!isDone.has(start)) enter(start);
  while (path.length > 0) {
    const place = path.length - 1;
    const item = path[place] ?? start;
    const turn = next[place] ?? 0;
    next[place] = turn + 1;
    const wanted = graph[item]?.[turn];
    if (wanted === undefined) {
      isDone.add(item);
      path.pop();
      next.pop();
    } else if (path.includes(wanted)) {
      return path.slice(path.indexOf(wanted));
    } else if (!isDone.has(wanted)) {
      enter(wanted);
    }
  }
  return null;
}

/** The items in groups, each item after all that it waits for, as early as can be. The graph has no circle. */
export function wavesOf(graph: Graph): number[][] {
  const waves: number[][] = [];
  const isIn = new Set<number>();
  while (isIn.size < graph.length) {
    const wave = [...graph.keys()].filter(
      (item) => !isIn.has(item) && (graph[item] ?? []).every((other) => isIn.has(other)),
    );
    if (wave.length === 0) throw new Error("a graph with a circle has no order");
    for (const item of wave) isIn.add(item);
    waves.push(wave);
  }
  return waves;
}

/** The longest way through the graph, where each item takes as long as `lengthOf` says. The graph has no circle. */
export function longestWay(graph: Graph, lengthOf: (item: number) => number): number {
  const until = new Map<number, number>();
  for (const item of wavesOf(graph).flat()) {
    const from = Math.max(0, ...(graph[item] ?? []).map((other) => until.get(other) ?? 0));
    until.set(item, from + lengthOf(item));
  }
  return Math.max(0, ...until.values());
}
