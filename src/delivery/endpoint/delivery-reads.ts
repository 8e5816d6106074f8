import * as z from "zod";

import { ok, refuse, type Result } from "../../lib/result.ts";
import type { DeliveryState } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import { parseDeliveryId } from "../delivery-id.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { DeliveryPlace, DeliveryStore } from "./delivery-store.ts";
import type { EndpointStore } from "./endpoint-store.ts";

/** What is read of an endpoint. */
interface ReadStores {
  endpoint: EndpointStore;
  deliveries: DeliveryStore;
}

/** What a list of deliveries asks for. */
export interface DeliveriesQuery {
  state?: DeliveryState | undefined;
  task_id?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

/** One page of deliveries. */
export interface DeliveriesPage {
  items: DeliveryView[];
  next_cursor: string | null;
}

/** Rows that one call may look at: a rare state makes a page short, never slow. */
const MOST_SCANNED = 2_000;

const cursorSchema = z.tuple([z.string(), z.int()]);

/**
 * A page of deliveries, by task and inside it by seq. A page may be short, or empty, and still have a next one.
 *
 * Refuses `validation_failed` for a cursor that did not come from here.
 */
export function deliveriesPage(
  stores: ReadStores,
  query: DeliveriesQuery,
  viewOf: (row: DeliveryRow) => DeliveryView,
): Result<DeliveriesPage, Refusal> {
  if (stores.endpoint.facts() === null) return ok({ items: [], next_cursor: null });
  const behind = query.cursor === undefined ? { source: "", seq: -1 } : placeOf(query.cursor);
  if (behind === null) return refuse(BAD_CURSOR);
  const rows = stores.deliveries.page(behind, query.task_id ?? null, MOST_SCANNED);
  const items: DeliveryView[] = [];
  let last: DeliveryPlace | undefined;
  for (const row of rows) {
    if (items.length === query.limit) return ok({ items, next_cursor: cursorOf(last) });
    last = row;
    const view = viewOf(row);
    if (query.state === undefined || view.state === query.state) items.push(view);
  }
  const isEnd = rows.length < MOST_SCANNED;
  return ok({ items, next_cursor: isEnd ? null : cursorOf(last) });
}

const BAD_CURSOR: Refusal = {
  code: "validation_failed",
  detail: "The cursor is none that this list gave.",
  errors: [{ pointer: "/cursor", code: "invalid_value", detail: "use next_cursor of a page" }],
};

function cursorOf(place: DeliveryPlace | undefined): string | null {
  if (place === undefined) return null;
  // Base64 of ASCII: ids have no other characters.
  return btoa(JSON.stringify([place.source, place.seq]))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

function placeOf(cursor: string): DeliveryPlace | null {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const [source, seq] = cursorSchema.parse(JSON.parse(text));
    return { source, seq };
  } catch {
    // Whatever is wrong with it, the caller is told that it is no cursor.
    return null;
  }
}

/** The delivery with this id; refuses `delivery_not_found`. */
export function findDelivery(
  stores: ReadStores,
  delivery_id: string,
): Result<DeliveryRow, Refusal> {
  const key = parseDeliveryId(delivery_id);
  const facts = stores.endpoint.facts();
  const row =
    key === null || facts === null || facts.config.webhook_id !== key.webhook_id
      ? null
      : stores.deliveries.read(key);
  return row === null
    ? refuse({ code: "delivery_not_found", detail: `There is no delivery ${delivery_id}.` })
    : ok(row);
}
