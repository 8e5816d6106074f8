/**
 * The smallest value that at least `share` of all do not exceed (nearest rank), so it is always one that occurred.
 *
 * @param ascending values in ascending order
 * @param share above 0, at most 1
 * @returns null where there are no values
 */
export function percentile(ascending: readonly number[], share: number): number | null {
  return ascending[Math.ceil(share * ascending.length) - 1] ?? null;
}
