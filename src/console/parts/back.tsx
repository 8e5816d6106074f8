/** The way back to the list that a page belongs to. */
export function Back({ href, children }: { href: string; children: string }) {
  return (
    <p class="back">
      <a href={href}>← {children}</a>
    </p>
  );
}
