import type { MetricSeries } from "../../../protocol/metric-series.ts";
import { readSteps } from "../minute-store.ts";
import { isFineEnough, seriesFrom, type MeterSeriesQuery } from "./series.ts";

/**
 * The technical series of a tenant: deliveries by outcome, delivery_latency, http_requests by class of status,
 * http_request_duration and rows_written by store. Other names are passed over; a line without figures in the range is
 * left out. The present minute is not among them: it comes a minute later.
 *
 * Minutes are kept for three hours after theirs, hours for 90 days, days for ever: a step that is kept only in longer
 * ones is null, and `isComplete` is false then.
 *
 * @throws when D1 fails
 */
export async function readMeterSeries(
  db: D1Database,
  tenant: string,
  query: MeterSeriesQuery,
): Promise<{ series: MetricSeries[]; isComplete: boolean }> {
  const { from, to, step_s } = query;
  const kept = await readSteps(db, tenant, { from: from - (from % step_s), to });
  return { series: seriesFrom(kept, query), isComplete: isFineEnough(kept, query) };
}
