import { and, asc, eq, gt, gte, inArray, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { meterMinuteTable as minute } from "../../db/meter-table.ts";
import type { TechnicalName } from "./catalogue.ts";
import type { MeterMinute } from "./meter-book.ts";
import { tallySchema } from "./meter-door.ts";
import { sumOf, type Fold, type MeterStep, type Tally } from "./tally.ts";

/* The steps of time of a tenant's technical figures in D1. Its MeterObject alone writes them. */

/** Rows that one fold reads at most: what is more is for the next one. */
const FOLDED_AT_ONCE = 240;

/** Rows that one statement may name: D1 binds 100 parameters (facts/platform.md §3). */
const NAMED_AT_ONCE = 90;

/** Rows of one reading: three hours of minutes, 90 days of hours, and years of days. */
const MAX_ROWS = 5_000;

/** Lengths of the steps that are kept, seconds. */
const STEPS_S = [60, 3_600, 86_400] as const;

const tallyOf = (text: string): Tally => tallySchema.parse(JSON.parse(text));

function upserts(db: D1Database, tenant: string, steps: readonly MeterStep[]) {
  return steps.map(({ step, bucket, tally }) =>
    drizzle(db)
      .insert(minute)
      .values({ tenant, step, bucket, tally: JSON.stringify(tally) })
      .onConflictDoUpdate({
        target: [minute.tenant, minute.step, minute.bucket],
        set: { tally: sql`excluded.tally` },
      }),
  );
}

/** Writes minutes, one row each; written again they are replaced. */
export async function writeMinutes(
  db: D1Database,
  tenant: string,
  minutes: readonly MeterMinute[],
): Promise<void> {
  const [first, ...more] = upserts(
    db,
    tenant,
    minutes.map((of) => ({ ...of, step: 60 })),
  );
  if (first !== undefined) await drizzle(db).batch([first, ...more]);
}

/**
 * Adds steps up to longer ones, and removes them in the same transaction; a portion of them. The tenant's MeterObject
 * calls it, and nobody else: two at once would count the same twice.
 *
 * @returns whether that was all
 */
export async function foldSteps(
  db: D1Database,
  tenant: string,
  { from, to, before }: Fold,
): Promise<boolean> {
  const rows = await drizzle(db)
    .select({ bucket: minute.bucket, tally: minute.tally })
    .from(minute)
    .where(and(eq(minute.tenant, tenant), eq(minute.step, from), lt(minute.bucket, before)))
    .orderBy(asc(minute.bucket))
    .limit(FOLDED_AT_ONCE);
  if (rows.length === 0) return true;
  const buckets = [...new Set(rows.map(({ bucket }) => bucket - (bucket % to)))];
  const known = await drizzle(db)
    .select({ bucket: minute.bucket, tally: minute.tally })
    .from(minute)
    .where(
      and(
        eq(minute.tenant, tenant),
        eq(minute.step, to),
        gte(minute.bucket, buckets[0] ?? 0),
        lt(minute.bucket, (buckets.at(-1) ?? 0) + to),
      ),
    );
  const longer = buckets.map((bucket) => {
    const parts = rows.filter((row) => row.bucket - (row.bucket % to) === bucket);
    const own = known.filter((row) => row.bucket === bucket);
    return {
      step: to,
      bucket,
      tally: sumOf([...own, ...parts].map(({ tally }) => tallyOf(tally))),
    };
  });
  const gone = Array.from({ length: Math.ceil(rows.length / NAMED_AT_ONCE) }, (_, index) =>
    rows.slice(index * NAMED_AT_ONCE, (index + 1) * NAMED_AT_ONCE).map(({ bucket }) => bucket),
  ).map((named) =>
    drizzle(db)
      .delete(minute)
      .where(and(eq(minute.tenant, tenant), eq(minute.step, from), inArray(minute.bucket, named))),
  );
  const [first, ...more] = [...upserts(db, tenant, longer), ...gone];
  if (first !== undefined) await drizzle(db).batch([first, ...more]);
  return rows.length < FOLDED_AT_ONCE;
}

/** All steps of a tenant that overlap a range of epoch seconds, the later one excluded. */
export async function readSteps(
  db: D1Database,
  tenant: string,
  range: { from: number; to: number },
): Promise<MeterStep[]> {
  // One search of the key for each length: a row that began before the range may reach into it.
  const parts = STEPS_S.map((step) =>
    drizzle(db)
      .select({ step: minute.step, bucket: minute.bucket, tally: minute.tally })
      .from(minute)
      .where(
        and(
          eq(minute.tenant, tenant),
          eq(minute.step, step),
          gt(minute.bucket, range.from - step),
          lt(minute.bucket, range.to),
        ),
      )
      .limit(MAX_ROWS),
  );
  const [first, ...more] = parts;
  const results = first === undefined ? [] : await drizzle(db).batch([first, ...more]);
  return results.flat().map((row) => ({ ...row, tally: tallyOf(row.tally) }));
}

const countSchema = z.object({ key: z.string(), count: z.number() });

/**
 * What counters of a tenant came to in the steps that begin in a range of epoch seconds, the later one excluded: added up
 * by D1, so that weeks of them are some rows.
 *
 * @throws when D1 fails
 */
export async function readCounts(
  db: D1Database,
  tenant: string,
  { metrics, from, to }: { metrics: readonly TechnicalName[]; from: number; to: number },
): Promise<Tally> {
  const { results } = await db
    .prepare(
      `SELECT series.key, total(series.value ->> '$[0]') AS count
       FROM meter_minute, json_each(tally) AS series
       WHERE tenant = ?1 AND step IN (${STEPS_S.join(", ")}) AND bucket >= ?2 AND bucket < ?3
         AND (${metrics.map((metric) => `series.key GLOB '${metric} *'`).join(" OR ")})
       GROUP BY series.key`,
    )
    .bind(tenant, from, to)
    .all();
  const counts = results.map((row) => countSchema.parse(row));
  return Object.fromEntries(counts.map(({ key, count }) => [key, [count]]));
}

/** Tenants that have figures, by name; the installation's own "" is not among them. */
export async function readMeterTenants(
  db: D1Database,
  limit: number,
): Promise<{ tenants: string[]; isComplete: boolean }> {
  // Each turn is one search of the key: a scan would read all rows of all tenants.
  const { results } = await db
    .prepare(
      `WITH RECURSIVE known(tenant) AS (
         SELECT (SELECT min(tenant) FROM meter_minute WHERE tenant > '')
         UNION ALL
         SELECT (SELECT min(tenant) FROM meter_minute WHERE tenant > known.tenant)
         FROM known WHERE known.tenant IS NOT NULL LIMIT ?1)
       SELECT tenant FROM known WHERE tenant IS NOT NULL`,
    )
    .bind(limit + 1)
    .all<{ tenant: string }>();
  const tenants = results.map(({ tenant }) => tenant);
  return { tenants: tenants.slice(0, limit), isComplete: tenants.length <= limit };
}
