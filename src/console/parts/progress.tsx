/** How far something is, in per cent: never 100 before it is all. */
export function Progress({ value, label }: { value: number; label: string }) {
  const shown = Math.max(0, Math.min(100, value));
  return (
    <span class="progress">
      <progress max={100} value={shown} aria-label={label} />
      <span class="nowrap">{Math.floor(shown)} %</span>
    </span>
  );
}
