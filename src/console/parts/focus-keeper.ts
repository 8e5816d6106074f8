import { useEffect } from "preact/hooks";

/** What has the focus, and where it stands in a list. */
interface Held {
  element: HTMLElement;
  rows: HTMLElement | null;
  index: number;
}

function heldOf(element: HTMLElement): Held {
  const row = element.closest("tr");
  const rows = row?.closest("tbody") ?? null;
  return { element, rows, index: rows === null || row === null ? 0 : [...rows.rows].indexOf(row) };
}

/** What stands now where it stood: the row of the list that has moved up, else the heading of the page. */
function nextTo({ rows, index }: Held): HTMLElement | null {
  const left = rows?.isConnected === true ? [...rows.querySelectorAll<HTMLElement>("tr")] : [];
  const near = left[Math.min(index, left.length - 1)];
  return near?.querySelector<HTMLElement>("a[href], button") ?? document.querySelector("h1");
}

/**
 * Keeps the focus on the page when what has it goes away, such as a row that no longer fits or a button that has done
 * its work: else those who use a keyboard or a reader would begin at the top again.
 */
export function useFocusKeeper(): void {
  useEffect(() => {
    let held: Held | null = null;
    const take = ({ target }: FocusEvent): void => {
      held = target instanceof HTMLElement ? heldOf(target) : null;
    };
    const leave = (): void => {
      const left = held;
      // What is taken away has left the page a moment later; what was left by somebody has not.
      queueMicrotask(() => {
        if (held === left && left?.element.isConnected === true) held = null;
      });
    };
    const look = (): void => {
      if (held === null || held.element.isConnected) return;
      const gone = held;
      held = null;
      const { activeElement, body } = document;
      if (activeElement === null || activeElement === body) {
        nextTo(gone)?.focus({ preventScroll: true });
      }
    };
    const observer = new MutationObserver(look);
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
