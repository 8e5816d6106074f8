/**
 * A number as it goes into a result: six significant digits, null where it is not finite.
 *
 * Six digits hide the last-bit noise of floating point, so equal runs compare equal on any machine.
 */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

/** As `rounded`, for values known to be finite; anything else becomes 0. */
export function finite(value: number): number {
  return rounded(value) ?? 0;
}
