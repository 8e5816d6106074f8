/** A share; 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** A score as it goes into a quality assessment: three decimals, in [0, 1]. */
export function score(value: number): number {
  return Math.round(1000 * Math.min(1, Math.max(0, value))) / 1000;
}
