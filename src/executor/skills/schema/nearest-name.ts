/**
 * The known name that a mistyped one most likely means, or null.
 *
 * By edit distance, at most a third of the length of the name: "prot" means "port", "x" means nothing.
 */
export function nearestName(name: string, known: readonly string[]): string | null {
  const limit = Math.floor(Math.min(name.length, 60) / 3);
  let best: string | null = null;
  let least = limit + 1;
  for (const each of known.slice(0, 500)) {
    if (Math.abs(each.length - name.length) >= least) continue;
    const distance = distanceOf(name.toLowerCase(), each.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = each;
  }
  return best;
}

/** Optimal string alignment: an exchange of neighbours, the commonest slip, counts once. */
function distanceOf(left: string, right: string): number {
  let before: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let row = 1; row <= left.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      if (left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      }
      next.push(cost);
    }
    before = last;
    last = next;
  }
  return last[right.length] ?? 0;
}
