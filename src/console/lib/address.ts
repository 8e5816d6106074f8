import { parseRoute, routeTo } from "./route.ts";

/**
 * Changes a part of what the address says of a page's filters, without a new entry in the history. The rest is as it
 * stands there now, not as it was when a part of the page was drawn.
 */
export function refilter(page: string, id: string | null, part: Record<string, string>): void {
  const { query } = parseRoute(location.hash);
  history.replaceState(null, "", routeTo(page, id, { ...query, ...part }));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
