import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Whether another page was shown before: then whoever comes here is told by the focus where they are. */
let hasMoved = false;

/** What a page is given: what its address says behind its name. */
export interface PageProps {
  id: string | null;
  query: Record<string, string>;
}

/** The frame of a page: names the document, and takes the focus to its heading when somebody comes from another. */
export function Page(props: {
  title: string;
  /** Stands over the title, e.g. the way back. */
  above?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.title} · Batuta`;
  }, [props.title]);
  useEffect(() => {
    if (hasMoved) heading.current?.focus({ preventScroll: true });
    hasMoved = true;
    window.scrollTo(0, 0);
  }, []);
  return (
    <>
      {props.above}
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {props.title}
        </h1>
        <div class="page-aside">{props.aside}</div>
      </header>
      {props.children}
    </>
  );
}
