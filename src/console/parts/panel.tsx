import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** A part of a page, with its heading and what belongs beside it. */
export function Panel(props: {
  title: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}) {
  const id = useId();
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** A figure with its name: the name first, for those who listen. */
export function Figure(props: {
  name: string;
  children: ComponentChildren;
  note?: ComponentChildren;
  href?: string;
}) {
  return (
    <div class="figure">
      <dt>
        {props.href === undefined ? (
          props.name
        ) : (
          <a class="cover" href={props.href}>
            {props.name}
          </a>
        )}
      </dt>
      <dd>
        <span class="figure-value">{props.children}</span>
        {props.note !== undefined && <span class="figure-note">{props.note}</span>}
      </dd>
    </div>
  );
}

/** Names and values of one thing, as a list of definitions. A value that is null is left out. */
export function Facts({ of }: { of: [name: string, value: ComponentChildren][] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) =>
        value === null || value === "" ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
