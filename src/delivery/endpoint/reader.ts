import { instant, type Clock } from "../../lib/ports.ts";
import { ok, type Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import type { Courier } from "./courier.ts";
import {
  deliveriesPage,
  findDelivery,
  type DeliveriesPage,
  type DeliveriesQuery,
} from "./delivery-reads.ts";
import { deliveryView, type DeliveryRow } from "./delivery-row.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { StatisticsStore } from "./statistics-store.ts";
import type { EndpointFigures } from "./statistics.ts";

/** What a reader reads. */
interface ReaderStores {
  endpoint: EndpointStore;
  deliveries: DeliveryStore;
  statistics: StatisticsStore;
}

/** Shows an endpoint's deliveries and how it has done. Changes nothing. */
export class Reader {
  readonly #stores: ReaderStores;
  readonly #courier: Courier;
  readonly #now: Clock;

  constructor(stores: ReaderStores, { courier, now }: { courier: Courier; now: Clock }) {
    this.#stores = stores;
    this.#courier = courier;
    this.#now = now;
  }

  /** A page of deliveries, by task and seq. */
  page(query: DeliveriesQuery): Result<DeliveriesPage, Refusal> {
    return deliveriesPage(this.#stores, query, (row) => this.view(row));
  }

  /** The delivery with this id, as it is stored; refuses `delivery_not_found`. */
  find(delivery_id: string): Result<DeliveryRow, Refusal> {
    return findDelivery(this.#stores, delivery_id);
  }

  /** One delivery with its attempts; refuses `delivery_not_found`. */
  delivery(delivery_id: string): Result<DeliveryView, Refusal> {
    const found = this.find(delivery_id);
    if (!found.ok) return found;
    const attempts = this.#stores.deliveries.attempts(found.value);
    return ok({ ...this.view(found.value), attempts });
  }

  /** The breaker's level: 4 when the endpoint is disabled, whoever did it; 0 while nobody has configured it. */
  level(): number {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return 0;
    return facts.config.state === "disabled" ? 4 : facts.breaker.level;
  }

  /** How the endpoint has done in the last seconds. Null while nobody has configured it. */
  figures(window_s: number): EndpointFigures | null {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return null;
    const { statistics } = this.#stores;
    const now = this.#now();
    return {
      ...statistics.figuresSince(instant(now - window_s * 1_000)),
      level: this.level(),
      oldestDue: statistics.oldestDue(now),
      last_error: statistics.lastError(),
    };
  }

  /** A delivery as the contract shows it. */
  view(row: DeliveryRow): DeliveryView {
    const facts = this.#stores.endpoint.facts();
    const gate = this.#courier.gate();
    if (facts === null || gate === null) throw new Error("A delivery without an endpoint");
    return deliveryView(row, {
      config: facts.config,
      gate,
      isInFlight: this.#courier.isInFlight(row),
      isBehind: this.#courier.isBehind(row),
      now: this.#now(),
    });
  }
}
