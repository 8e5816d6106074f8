import * as z from "zod";

import { breakerStateSchema, initialBreaker, type BreakerState } from "../breaker-state.ts";
import { isQuiet } from "../breaker.ts";
import { endpointConfigSchema, type EndpointConfig } from "../endpoint-config.ts";
import { levelReportSchema, type LevelReport } from "../level-report.ts";
import { SCHEMA, UPGRADE } from "./schema.ts";

const factsRowSchema = z.object({
  config: z.string(),
  paused_until: z.int(),
  is_index_complete: z.int(),
  breaker: z.string().nullable(),
  rate_reserved: z.number(),
  swept_day: z.int(),
  reports: z.string(),
});
const reportsSchema = z.array(levelReportSchema);
const nameRowSchema = z.object({ name: z.string() });

/** What an endpoint knows of itself. Instants are epoch milliseconds. */
export interface EndpointFacts {
  config: EndpointConfig;
  /** Until when the receiver asked for a pause; 0 when it did not. */
  pausedUntil: number;
  /** Whether every open delivery is found from `delivery_due`: it, or an earlier one of its task, has failed. */
  isIndexComplete: boolean;
  breaker: BreakerState;
  /** No request was or is sent whose theoretical arrival time is later (delivery/rate-limit.ts). */
  rateReserved: number;
  /** The last day, counted from the epoch, on which what is too old was removed. */
  sweptDay: number;
  /** Changes of the level that the registry does not know yet. */
  reports: readonly LevelReport[];
}

/** What an endpoint knows of itself when it hears of its configuration for the first time. */
export function firstFacts(config: EndpointConfig): EndpointFacts {
  return {
    config,
    pausedUntil: 0,
    isIndexComplete: false,
    breaker: initialBreaker(),
    rateReserved: 0,
    sweptDay: 0,
    reports: [],
  };
}

/** What one endpoint's object stores of itself. Callers make transactions; nothing here awaits. */
export class EndpointStore {
  readonly #sql: SqlStorage;
  #facts: EndpointFacts | null = null;
  #savedBreaker: BreakerState | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Null while nobody has configured this endpoint: then there are no tables either. */
  facts(): EndpointFacts | null {
    this.#facts ??= this.#readFacts();
    return this.#facts;
  }

  #readFacts(): EndpointFacts | null {
    const columns = this.#sql
      .exec("SELECT name FROM pragma_table_info('endpoint')")
      .toArray()
      .map((column) => nameRowSchema.parse(column).name);
    if (columns.length === 0) return null;
    if (!columns.includes("breaker")) this.#sql.exec(UPGRADE);
    const row = factsRowSchema.parse(this.#sql.exec("SELECT * FROM endpoint").one());
    const breaker =
      row.breaker === null ? initialBreaker() : breakerStateSchema.parse(JSON.parse(row.breaker));
    this.#savedBreaker = breaker;
    return {
      config: endpointConfigSchema.parse(JSON.parse(row.config)),
      pausedUntil: row.paused_until,
      isIndexComplete: row.is_index_complete === 1,
      breaker,
      rateReserved: row.rate_reserved,
      sweptDay: row.swept_day,
      reports: reportsSchema.parse(JSON.parse(row.reports)),
    };
  }

  /** Stores what the endpoint knows of itself: one row. The first time creates the tables. */
  saveFacts(facts: EndpointFacts): void {
    if (this.facts() === null) this.#sql.exec(SCHEMA);
    this.#sql.exec(
      `INSERT INTO endpoint (id, config, paused_until, is_index_complete, breaker, rate_reserved, swept_day, reports)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       config = excluded.config, paused_until = excluded.paused_until,
       is_index_complete = excluded.is_index_complete, breaker = excluded.breaker,
       rate_reserved = excluded.rate_reserved, swept_day = excluded.swept_day, reports = excluded.reports`,
      JSON.stringify(facts.config),
      facts.pausedUntil,
      Number(facts.isIndexComplete),
      JSON.stringify(facts.breaker),
      facts.rateReserved,
      facts.sweptDay,
      JSON.stringify(facts.reports),
    );
    this.#facts = facts;
    this.#savedBreaker = facts.breaker;
  }

  /** Stores some of it anew; nothing happens while nobody has configured this endpoint. */
  change(changes: Partial<EndpointFacts>): void {
    const facts = this.facts();
    if (facts !== null) this.saveFacts({ ...facts, ...changes });
  }

  /** Keeps a breaker's state in memory until `unsavedBreaker` is stored or anything else is. */
  remember(breaker: BreakerState): void {
    if (this.#facts !== null) this.#facts = { ...this.#facts, breaker };
  }

  /** The breaker's state if losing it would change how the endpoint is served: a healthy one costs no row. */
  unsavedBreaker(): Pick<EndpointFacts, "breaker"> | null {
    const breaker = this.#facts?.breaker;
    if (breaker === undefined || breaker === this.#savedBreaker) return null;
    const wasSick = this.#savedBreaker !== null && isSick(this.#savedBreaker);
    return isSick(breaker) || wasSick ? { breaker } : null;
  }

  /** Forgets what was read: after an error it may not be what is stored. */
  forget(): void {
    this.#facts = null;
  }
}

/** Whether a state says something that holds however long ago it was: a level, failures in a row, fewer slots. */
function isSick(breaker: BreakerState): boolean {
  return !isQuiet(breaker, Number.MAX_SAFE_INTEGER);
}
