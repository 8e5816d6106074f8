/** Where the console is: a page, what it is about, and how it is filtered. All of it is in the address behind `#`. */
export interface Route {
  page: string;
  /** What stands behind the page's name, such as a task's id. */
  id: string | null;
  query: Record<string, string>;
}

/** The page that is shown where the address names none. */
const HOME = "overview";

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody typed a lone %; as it stands is better than nothing.
    return part;
  }
}

/** Reads `#/tasks/abc?tab=trace`. Every text is a route. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  const id = decoded(rest.join("/"));
  return {
    page: decoded(page) || HOME,
    id: id === "" ? null : id,
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** The address of a route, to be put into a link. Empty parts of the query are left out. */
export function routeTo(page: string, id?: string | null, query?: Record<string, string>): string {
  const kept = Object.entries(query ?? {}).filter(([, value]) => value !== "");
  const search = new URLSearchParams(kept).toString();
  const path = id ? `${page}/${encodeURIComponent(id)}` : page;
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}
