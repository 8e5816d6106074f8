import { routeTo } from "./route.ts";

/** Changes what the address says of a page's filters, without a new entry in the history. */
export function refilter(page: string, id: string | null, query: Record<string, string>): void {
  history.replaceState(null, "", routeTo(page, id, query));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
