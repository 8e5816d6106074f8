import { randomId, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Courier } from "./courier.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { Reader } from "./reader.ts";
import { DELETED, UNKNOWN } from "./recoveries.ts";
import { testItem } from "./test-item.ts";

/** What replays work on. */
interface ReplayParts {
  endpoint: EndpointStore;
  deliveries: DeliveryStore;
  reader: Reader;
  courier: Courier;
  now: Clock;
}

const IN_FLIGHT: Refusal = { code: "delivery_in_flight", detail: "It is being sent just now." };

/** What an operator wants sent once, beside the lanes. The caller has loaded what is open, and has it sent. */
export class Replays {
  readonly #parts: ReplayParts;

  constructor(parts: ReplayParts) {
    this.#parts = parts;
  }

  /**
   * A delivery to be sent again, whatever became of it. One that waits behind others of its lane keeps waiting: no
   * replay breaks their order.
   *
   * Refuses `delivery_not_found`, `webhook_not_found` and `delivery_in_flight`.
   */
  replay(delivery_id: string): Result<DeliveryRow, Refusal> {
    const { endpoint, deliveries, reader, courier, now } = this.#parts;
    const found = reader.find(delivery_id);
    if (!found.ok) return found;
    const config = endpoint.facts()?.config;
    if (config === undefined || config.state === "deleted") return refuse(DELETED);
    if (courier.isInFlight(found.value)) return refuse(IN_FLIGHT);
    const isBehind =
      found.value.state === "open" && deliveries.isBehindOpen(found.value, config.ordering);
    if (found.value.replay_at !== null || isBehind) return found;
    const row = { ...found.value, replay_at: now() };
    deliveries.save(row);
    courier.addReplay(row);
    return ok(row);
  }

  /** A test notification, sent also while the endpoint is paused. Once: a failed test is not tried again. */
  test(): Result<DeliveryRow, Refusal> {
    const { endpoint, deliveries, courier, now } = this.#parts;
    if (endpoint.facts() === null) return refuse(UNKNOWN);
    const replay_at = now();
    const item = testItem(randomId(), replay_at);
    const row = deliveries.insert(item, replay_at, { state: "exhausted", replay_at });
    if (row === null) throw new Error(`The test ${item.event_id} exists already`);
    courier.addReplay(row);
    return ok(row);
  }
}
