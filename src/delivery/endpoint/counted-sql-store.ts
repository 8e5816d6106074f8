import type { DeliveryMeter } from "../level-report.ts";
import type { EndpointFacts } from "./endpoint-store.ts";

/** Counts the rows that an object's statements write, as they are billed: index entries and schema included. */
export class CountedSql {
  /** The object's own SQL; what is executed through it is counted. */
  readonly sql: SqlStorage;
  readonly #meter: DeliveryMeter;
  #rows = 0;

  constructor(sql: SqlStorage, meter: DeliveryMeter) {
    this.#meter = meter;
    const exec: SqlStorage["exec"] = (query, ...bindings) => {
      const cursor = sql.exec<never>(query, ...bindings);
      // A statement has written all that it writes once it has given its first row.
      this.#rows += cursor.rowsWritten;
      return cursor;
    };
    this.sql = new Proxy(sql, {
      get: (target, name) => (name === "exec" ? exec : Reflect.get(target, name, target)),
    });
  }

  /** Tells what was counted since the last time, of what the object sent too. Never fails. */
  async tell(facts: Pick<EndpointFacts, "config"> | null): Promise<void> {
    if (facts === null) return;
    const { tenant } = facts.config;
    this.#meter.wrote(tenant, this.#rows);
    this.#rows = 0;
    await this.#meter.tell(tenant);
  }
}
