const URGENCIES = ["critical", "high", "medium", "low"];

/** Questions as an inbox shows them: those that are open first, the most urgent of them before, then as they came. */
export function inboxOrder<T extends { state: string; urgency: string }>(rows: readonly T[]): T[] {
  const rank = ({ state, urgency }: T): number =>
    state === "open" ? (URGENCIES.indexOf(urgency) + 5) % 5 : 10;
  return rows.toSorted((a, b) => rank(a) - rank(b));
}
