/**
 * Whole parts of a whole number in proportion to weights, by largest remainder: their sum is the number again.
 *
 * @param weights positive
 */
export function shareOut(total: number, weights: ReadonlyMap<string, number>): Map<string, number> {
  const all = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const exact = [...weights].map(([name, weight]) => ({ name, part: (total * weight) / all }));
  const missing = total - exact.reduce((sum, { part }) => sum + Math.floor(part), 0);
  const byRemainder = exact.toSorted((a, b) => (b.part % 1) - (a.part % 1));
  return new Map(
    byRemainder.map(({ name, part }, rank) => [name, Math.floor(part) + (rank < missing ? 1 : 0)]),
  );
}
