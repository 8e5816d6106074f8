import { useLayoutEffect, useRef } from "preact/hooks";

/** What a key does, by KeyboardEvent.key; two keys one after the other with a space between: "g t". */
export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

/** How long the second of two keys may take, milliseconds. */
const CHORD_MS = 1_200;

/** The last that was put on the page is asked first, so that a dialog's keys win over those below it. */
const maps: { current: KeyMap }[] = [];
let first: { key: string; at: number } | null = null;

/** Whether somebody is writing, choosing or reading a dialog: letters then are theirs. */
function isBusy(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog[open]") !== null) return true;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || isBusy(event)) return;
  const chord = first !== null && event.timeStamp - first.at < CHORD_MS ? first.key : null;
  first = null;
  const name = chord === null ? event.key : `${chord} ${event.key}`;
  const found = maps.findLast(({ current }) => Object.hasOwn(current, name));
  if (found !== undefined) {
    event.preventDefault();
    found.current[name]?.(event);
  } else if (
    maps.some(({ current }) => Object.keys(current).some((key) => key.startsWith(`${name} `)))
  ) {
    first = { key: name, at: event.timeStamp };
  }
}

/** Gives keys a meaning as long as the component is on the page. */
export function useKeys(map: KeyMap): void {
  const held = useRef(map);
  held.current = map;
  // At once: what is pressed until the next frame is meant for what is seen.
  useLayoutEffect(() => {
    if (maps.length === 0) document.addEventListener("keydown", press);
    maps.push(held);
    return () => {
      maps.splice(maps.indexOf(held), 1);
      if (maps.length === 0) document.removeEventListener("keydown", press);
    };
  }, []);
}
