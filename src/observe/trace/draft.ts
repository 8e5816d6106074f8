import type { JsonObject } from "../../protocol/primitives.ts";
import type { Span } from "../../protocol/trace.ts";

/** A span before it has its id and its place; instants are epoch milliseconds. */
export interface Draft {
  /** Its name in the trace, by which others hang below it. */
  key: string;
  /** The key of its parent; null for the root. */
  parent: string | null;
  kind: Span["kind"];
  name: string;
  start: number;
  /** Null while it goes on. */
  end: number | null;
  status: Span["status"];
  attributes: JsonObject;
}

/** Longest text of an attribute: a trace is read at a glance, the log holds the rest. Characters. */
const SHOWN_LENGTH = 200;

/** A text of others as an attribute. */
export function shown(text: string): string {
  if (text.length <= SHOWN_LENGTH) return text;
  // Put together anew: a slice keeps the whole text in memory, which may be as large as a body.
  return `${Array.from(text.slice(0, SHOWN_LENGTH - 1)).join("")}…`;
}
