import * as z from "zod";

import { AMOUNTS, DURATIONS, ENDS, STEPS, TOGETHER, type Amount } from "../../db/rollup-table.ts";
import { tallySchema } from "../meter/meter-door.ts";
import type { MeterStep } from "../meter/tally.ts";
import type { Amounts, RollupSteps } from "../rollup/task-series.ts";

/*
 * What an overview needs of the roll-ups, and no more: it is read every two seconds by everybody who watches. All columns of
 * a day, by hour, take three times as long, and all technical figures of a day are most of what there is to parse.
 */

/** What is shown of a day, and of a minute. */
const OF_DAY = [
  "created",
  ...ENDS,
  ...DURATIONS,
  "cost_nano_usd",
  "tokens",
  "quality_sum",
  "quality_count",
] as const satisfies readonly Amount[];
const OF_MINUTE = ["created", ...ENDS, "cost_nano_usd"] as const satisfies readonly Amount[];

/** Epoch seconds, the later one excluded. */
interface Range {
  from: number;
  to: number;
}

const sums = (amounts: readonly Amount[]): string =>
  amounts.map((amount) => `CAST(total(${amount}) AS INTEGER) AS ${amount}`).join(", ");

/** Columns that were not read are 0. */
const amountsSchema: z.ZodType<Amounts> = z.record(z.enum(AMOUNTS), z.number());
function amountsOf(row: Record<string, unknown>): Amounts {
  return amountsSchema.parse(
    Object.fromEntries(AMOUNTS.map((amount) => [amount, row[amount] ?? 0])),
  );
}

const IN_RANGE = "tenant = ?1 AND bucket >= ?2 AND bucket < ?3";

/**
 * The figures of a tenant's tasks over whole hours of which none is older than 90 days, added up; those that an overview
 * does not show are 0.
 *
 * @throws when D1 fails
 */
export async function readDayFigures(
  db: D1Database,
  tenant: string,
  { from, to }: Range,
): Promise<Amounts> {
  const row = await db
    .prepare(
      `SELECT ${sums(OF_DAY)} FROM task_rollup
       WHERE ${IN_RANGE} AND step IN (${STEPS.minute}, ${TOGETHER.hour})`,
    )
    .bind(tenant, from, to)
    .first<Record<string, unknown>>();
  return amountsOf(row ?? {});
}

const minuteSchema = z.looseObject({ at: z.int() });

/**
 * The figures of a tenant's tasks by minute, for minutes that are not folded yet; those that an overview does not show are 0.
 *
 * @throws when D1 fails
 */
export async function readMinuteFigures(
  db: D1Database,
  tenant: string,
  { from, to }: Range,
): Promise<RollupSteps> {
  const { results } = await db
    .prepare(
      `SELECT bucket AS at, ${sums(OF_MINUTE)} FROM task_rollup
       WHERE ${IN_RANGE} AND step = ${STEPS.minute} GROUP BY bucket`,
    )
    .bind(tenant, from, to)
    .all<Record<string, unknown>>();
  return {
    steps: new Map(results.map((row) => [minuteSchema.parse(row).at, amountsOf(row)])),
    coarse: [],
  };
}

const stepSchema = z.object({
  step: z.int(),
  bucket: z.int(),
  tally: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(tallySchema),
});

/**
 * The figures of a tenant's deliveries in whatever minutes and hours they are kept.
 *
 * @throws when D1 fails
 */
export async function readDeliveryFigures(
  db: D1Database,
  tenant: string,
  { from, to }: Range,
): Promise<MeterStep[]> {
  const { results } = await db
    .prepare(
      `SELECT step, bucket, (SELECT json_group_object(key, json(value)) FROM json_each(tally)
         WHERE key GLOB 'batuta_deliver*') AS tally
       FROM meter_minute WHERE ${IN_RANGE} AND step IN (${STEPS.minute}, ${STEPS.hour})`,
    )
    .bind(tenant, from, to)
    .all();
  return results.map((row) => stepSchema.parse(row));
}
