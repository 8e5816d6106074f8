import { useEffect } from "preact/hooks";

/** What has the focus, and where it stands in a list. */
export interface Place {
  /** null where nothing has it. */
  element: HTMLElement | null;
  rows: HTMLTableSectionElement | null;
  index: number;
}

function isNothing(element: Element | null): boolean {
  return element === null || element === document.body;
}

/** Which row an element stands in, or next to as a button does that adds rows to the list above or below it. */
function standingOf(element: Element): { rows: HTMLTableSectionElement | null; index: number } {
  const row = element.closest("tr");
  const rows = row?.closest("tbody") ?? null;
  if (row !== null && rows !== null) return { rows, index: row.sectionRowIndex };
  const foot = element.closest(".list-foot");
  const above = foot?.previousElementSibling?.querySelector("tbody") ?? null;
  if (above !== null) return { rows: above, index: above.rows.length };
  return { rows: foot?.nextElementSibling?.querySelector("tbody") ?? null, index: 0 };
}

/** The place of what has the focus, to go back there. */
export function placeOf(focused: Element | null): Place {
  const element = focused instanceof HTMLElement && !isNothing(focused) ? focused : null;
  return { element, ...(element === null ? { rows: null, index: 0 } : standingOf(element)) };
}

/** What stands now where it stood: the row of the list that has moved there, else the heading of the page. */
function nextTo({ rows, index }: Place): HTMLElement | null {
  const left = rows?.isConnected === true ? [...rows.rows] : [];
  const near = left[Math.min(index, left.length - 1)];
  return (
    near?.querySelector<HTMLElement>("a[href], button") ??
    // A list with nothing in it to go to has the focus as a whole.
    near?.closest<HTMLElement>(".list-frame[tabindex]") ??
    document.querySelector<HTMLElement>("h1")
  );
}

/**
 * Gives the focus back to what had it, or where that is gone or takes it no more, to what stands there now. Does
 * nothing under an open dialog.
 */
export function backTo(place: Place): void {
  const { element } = place;
  element?.focus({ preventScroll: true });
  if (element === null || document.activeElement !== element) {
    nextTo(place)?.focus({ preventScroll: true });
  }
}

/**
 * Keeps the focus on the page when what has it goes away or is put elsewhere, such as a row that no longer fits or a
 * button that has done its work: else those who use a keyboard or a reader would begin at the top again.
 */
export function useFocusKeeper(): void {
  useEffect(() => {
    let held: Place | null = null;
    const take = ({ target }: FocusEvent): void => {
      held = target instanceof HTMLElement ? placeOf(target) : null;
    };
    const look = (records: readonly MutationRecord[]): void => {
      const element = held?.element ?? null;
      if (held === null || element === null) return;
      if (!isNothing(document.activeElement)) {
        // Rows may have come or gone above it.
        held = element.isConnected ? placeOf(element) : null;
        return;
      }
      // Where rows cannot be moved in one step they lose the focus though they stay.
      const isTaken = ({ removedNodes }: MutationRecord): boolean =>
        [...removedNodes].some((node) => node.contains(element));
      if (element.isConnected && !records.some(isTaken)) return;
      const gone = held;
      held = null;
      backTo(gone);
    };
    const observer = new MutationObserver(look);
    const leave = (): void => {
      const left = held;
      // What is taken away has left the page a moment later; what was left by somebody has not, and what has the focus
      // of a window that is not in front has it still.
      queueMicrotask(() => {
        look(observer.takeRecords());
        const element = left?.element ?? null;
        if (held !== left || element === null) return;
        if (element.isConnected && document.activeElement !== element) held = null;
      });
    };
    observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener("focusin", take);
    document.addEventListener("focusout", leave);
    return () => {
      observer.disconnect();
      document.removeEventListener("focusin", take);
      document.removeEventListener("focusout", leave);
    };
  }, []);
}
