/** Views of one page, as links: the one that is shown stands in the address. */
export function Views(props: {
  label: string;
  of: readonly (readonly [view: string, words: string])[];
  shown: string;
  href: (view: string) => string;
}) {
  return (
    <nav class="tabs" aria-label={props.label}>
      {props.of.map(([view, words]) => (
        <a
          key={view}
          href={props.href(view)}
          aria-current={view === props.shown ? "true" : undefined}
        >
          {words}
        </a>
      ))}
    </nav>
  );
}
