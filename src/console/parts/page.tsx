import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { announce } from "./news.ts";

/** What had the focus when somebody last set out for another page; undefined before anybody has. */
let leftFrom: Element | null | undefined;

/** Notes that somebody sets out for another page: that one tells them when they are there. */
export function setOut(): void {
  leftFrom = document.activeElement;
}

/** Whether whoever set out still waits where they were. */
function isAwaited(): boolean {
  const { activeElement, body } = document;
  if (leftFrom === undefined) return false;
  return activeElement === null || activeElement === body || activeElement === leftFrom;
}

/** What a page is given: what its address says behind its name. */
export interface PageProps {
  id: string | null;
  query: Record<string, string>;
}

/**
 * The frame of a page: names the document, and takes the focus to its heading when somebody comes from another. Who has
 * gone on while it was on its way, to a switch or into a dialog, keeps their place and hears its name.
 */
export function Page(props: {
  title: string;
  /** Stands over the title, e.g. the way back. */
  above?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    document.title = `${props.title} · Batuta`;
  }, [props.title]);
  // Before anybody can press something on the page: the focus would be taken away from that.
  useLayoutEffect(() => {
    if (isAwaited()) heading.current?.focus({ preventScroll: true });
    else if (leftFrom !== undefined) announce(props.title);
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
