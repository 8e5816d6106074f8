/** A statement as it went to D1. */
export interface Sent {
  sql: string;
  params: unknown[];
}

/** The real D1, with a note of everything that is sent to it. */
export interface RecordingDb {
  db: D1Database;
  sent: Sent[];
  /** Round trips so far. */
  trips: () => number;
  /** Rows written by batches so far. */
  rowsWritten: () => number;
  /** Rows read by batches so far. */
  rowsRead: () => number;
}

const CALLS = new Set<PropertyKey>(["all", "run", "raw", "first"]);

/** Passes everything on to `real` and keeps count of it. */
export function recordingDb(real: D1Database): RecordingDb {
  const sent: Sent[] = [];
  const originals = new WeakMap<object, { statement: D1PreparedStatement; note: Sent }>();
  let trips = 0;
  let rowsWritten = 0;
  let rowsRead = 0;

  const prepared = (statement: D1PreparedStatement, note: Sent): D1PreparedStatement => {
    const proxy = new Proxy(statement, {
      get(target, name) {
        if (name === "bind") {
          return (...params: unknown[]) => prepared(target.bind(...params), { ...note, params });
        }
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          if (CALLS.has(name)) {
            trips += 1;
            sent.push(note);
          }
          return Reflect.apply(member, target, args);
        };
      },
    });
    originals.set(proxy, { statement, note });
    return proxy;
  };

  const db = new Proxy(real, {
    get(target, name) {
      if (name === "prepare") {
        return (sql: string) => prepared(target.prepare(sql), { sql, params: [] });
      }
      if (name !== "batch") return Reflect.get(target, name) as unknown;
      return async (statements: D1PreparedStatement[]) => {
        trips += 1;
        const known = statements.flatMap((statement) => originals.get(statement) ?? []);
        sent.push(...known.map(({ note }) => note));
        const results = await target.batch(known.map(({ statement }) => statement));
        for (const { meta } of results) {
          rowsWritten += meta.rows_written;
          rowsRead += meta.rows_read;
        }
        return results;
      };
    },
  });
  return { db, sent, trips: () => trips, rowsWritten: () => rowsWritten, rowsRead: () => rowsRead };
}

/** Rows that a statement reads when it is sent again. */
export async function rowsReadBy(real: D1Database, { sql, params }: Sent): Promise<number> {
  const { meta } = await real
    .prepare(sql)
    .bind(...params)
    .all();
  return meta.rows_read;
}

/** How SQLite finds the rows of a statement, a line for each table. */
export async function planOf(real: D1Database, { sql, params }: Sent): Promise<string[]> {
  const { results } = await real
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...params)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

/** Lines of a plan that read a whole table. JSON parameters and results of subqueries are no tables. */
export function fullScans(plan: readonly string[]): string[] {
  const tables =
    "validation_record|task|task_log|removed_task|gone|escalation|dead_letter|api_key|agent|webhook|webhook_subscription|callback_secret|audit|endpoint_sweep|lesson|sweep_cursor|old|aged|routing_cell|routing_decision|routing_breaker|model_statistic|task_rollup|task_rating|meter_minute|alert|alert_rule|alert_watch|objective|silence|tenant_shard";
  return plan.filter((line) => new RegExp(`^SCAN (${tables})\\b`).test(line));
}

/** Lines of a plan that search figures by time: each of them has to be bounded, not one of several statements. */
export function rollUpSearches(plan: readonly string[]): string[] {
  return plan.filter((line) => /^SEARCH (task_rollup|meter_minute)\b/.test(line));
}
