import * as z from "zod";

import { ok, refuse, type Result } from "../lib/result.ts";
import type { Refusal } from "./refusal.ts";

/** A place in a list that is ordered by an instant and an id, both falling. */
export interface Place {
  at: string;
  id: string;
}

/** One page of a list; `next_cursor` is null on the last one. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

// The stored form of an instant, so that comparing as text is comparing in time.
const placeSchema = z.tuple([z.iso.datetime({ precision: 3 }), z.string().min(1).max(200)]);

function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCodePoint(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** A place as a cursor: opaque to callers, who hand it back as it is. */
export function cursorOf(place: Place): string {
  return base64url(JSON.stringify([place.at, place.id]));
}

/** The refusal of what is no cursor: whatever is wrong with it, the caller can only do one thing, begin again. */
export function noCursor(): Refusal {
  const detail = "is not a cursor of this list; leave it out to begin at the first page";
  return {
    code: "validation_failed",
    detail: `cursor ${detail}`,
    errors: [{ pointer: "/cursor", code: "custom", detail }],
  };
}

/** The place of a cursor, null where none is given. A cursor that `cursorOf` never made is refused. */
export function placeOf(cursor: string | undefined): Result<Place | null, Refusal> {
  if (cursor === undefined) return ok(null);
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (character) => character.codePointAt(0) ?? 0);
    const [at, id] = placeSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return ok({ at, id });
  } catch {
    return refuse(noCursor());
  }
}

/** Of two places the one that comes later in the list, which is the older one. */
export function further(a: Place, b: Place): Place {
  return a.at < b.at || (a.at === b.at && a.id < b.id) ? a : b;
}

/**
 * A page from rows that were read one more than asked for, to see whether more follow.
 *
 * @param place where an item stands in the list
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  form: { place: (row: Row) => Place; item: (row: Row) => Item },
): Page<Item> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => form.item(row)),
    next_cursor: rows.length > limit && last !== undefined ? cursorOf(form.place(last)) : null,
  };
}
