/** Names as tags; an em dash where there are none. */
export function Tags({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="quiet">—</span>;
  return (
    <span class="tags">
      {of.map((name) => (
        <span key={name} class="tag">
          {name}
        </span>
      ))}
    </span>
  );
}
