import type { Log } from "../../lib/log.ts";
import { instant, type Clock } from "../../lib/ports.ts";
import type { EndpointPorts } from "../level-report.ts";
import type { EndpointStores } from "./courier.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { DeliveryPlace } from "./delivery-store.ts";
import type { RecoveryStore } from "./recovery-store.ts";
import { recoverPage } from "./recovery.ts";
import { DAY_MS, dayOf, isTooOld, nextSweepAt } from "./retention.ts";

/** Deliveries that a sweep looks at before it lets others go first. */
const PAGE = 2_000;

/** Pages of one call: a second of work at the most, after which others have their turn. */
const MOST_PAGES = 10;

/** What upkeep is given. */
interface UpkeepPorts extends EndpointPorts {
  now: Clock;
  log: Log;
  /** Name of the object. */
  name: string;
  transaction: <Value>(write: () => Value) => Value;
}

/** What an endpoint does beside sending: recoveries, reports of its level, and forgetting what is too old. */
export class Upkeep {
  readonly #stores: EndpointStores & { recoveries: RecoveryStore };
  readonly #ports: UpkeepPorts;
  #sweptTo: DeliveryPlace | null = null;

  constructor(stores: EndpointStores & { recoveries: RecoveryStore }, ports: UpkeepPorts) {
    this.#stores = stores;
    this.#ports = ports;
  }

  /** Whether there is something to do at once. */
  get isPending(): boolean {
    return this.#sweptTo !== null || this.#stores.recoveries.running() !== null;
  }

  /** Whether the day's sweep is still to come. */
  get isSweepDue(): boolean {
    const facts = this.#stores.endpoint.facts();
    return facts !== null && facts.sweptDay < dayOf(this.#ports.now());
  }

  /** Opens the next deliveries of a recovery; gives them in the order of their lanes. */
  recover(): DeliveryRow[] {
    const { recoveries, endpoint } = this.#stores;
    const recovery = recoveries.running();
    const facts = endpoint.facts();
    if (recovery === null || facts === null) return [];
    const about = { ordering: facts.config.ordering, now: this.#ports.now() };
    return this.#ports.transaction(() => {
      const opened = recoverPage(recovery, this.#stores, about);
      if (opened.length > 0) endpoint.change({ isIndexComplete: false });
      return opened;
    });
  }

  /** Tells others of changed levels, in order; what they have heard is told no more. */
  async report(): Promise<void> {
    const { endpoint } = this.#stores;
    for (let facts = endpoint.facts(); facts !== null; facts = endpoint.facts()) {
      const [report] = facts.reports;
      if (report === undefined) return;
      await this.#ports.report(facts.config.tenant, facts.config.webhook_id, report);
      const reports = endpoint.facts()?.reports ?? [];
      endpoint.change({
        reports: reports.filter(({ report_id }) => report_id !== report.report_id),
      });
    }
  }

  /** On the first occasion of a day: forgets what is too old, and has itself woken when more will be. */
  async sweepDaily(): Promise<void> {
    const facts = this.#stores.endpoint.facts();
    const now = this.#ports.now();
    if (facts === null || (facts.sweptDay >= dayOf(now) && this.#sweptTo === null)) return;
    this.sweepSome();
    if (this.#sweptTo !== null) return;
    // First the appointment: without one nothing would come back to an endpoint that has become quiet.
    await this.#ports.scheduleSweep(this.#ports.name, nextSweepAt(this.#ports.retention, now));
    this.#stores.endpoint.change({ sweptDay: dayOf(now) });
  }

  /** Whether nothing will ever come again: it was deleted, or is a callback that any task may name anew. */
  get isOver(): boolean {
    const config = this.#stores.endpoint.facts()?.config;
    return config?.state === "deleted" || config?.webhook_id.startsWith("cb_") === true;
  }

  /** Forgets what is too old, some pages of it. Whether anything is left, or has not been looked at. */
  sweepSome(): boolean {
    const { deliveries, endpoint } = this.#stores;
    if (endpoint.facts() === null) return false;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      if (this.sweepPage()) return deliveries.page({ source: "", seq: -1 }, null, 1).length > 0;
    }
    return true;
  }

  /** Forgets what is too old among the next deliveries. Whether that was the last page. */
  sweepPage(): boolean {
    const { deliveries, batches, endpoint } = this.#stores;
    const facts = endpoint.facts();
    if (facts === null) return true;
    const now = this.#ports.now();
    const { retention } = this.#ports;
    const page = deliveries.page(this.#sweptTo ?? { source: "", seq: -1 }, null, PAGE);
    const old = page.filter((row) => isTooOld(row, facts.config, retention, now));
    this.#ports.transaction(() => {
      for (const row of old) deliveries.remove(row);
      batches.removeBefore(instant(now - retention.undeliveredDays * DAY_MS));
    });
    if (old.length > 0) {
      const { webhook_id } = facts.config;
      this.#ports.log("info", "deliveries_swept", { webhook_id, count: old.length });
    }
    this.#sweptTo = page.length < PAGE ? null : (page.at(-1) ?? null);
    return this.#sweptTo === null;
  }
}
