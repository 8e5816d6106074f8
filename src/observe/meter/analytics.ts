import type { Log } from "../../lib/log.ts";

/** One point of a dataset of Workers Analytics Engine, as the platform takes it. */
export interface AnalyticsPoint {
  /** One, 96 bytes at most: by it the platform samples (facts/platform.md §4). */
  indexes: [string];
  blobs: string[];
  doubles: number[];
}

/** A dataset that an installation may have; `env.ANALYTICS` is one. */
export interface AnalyticsDataset {
  writeDataPoint(point: AnalyticsPoint): void;
}

/** What a point is about: its first blob. */
interface RequestFact {
  kind: "request";
  tenant: string;
  route: string;
  method: string;
  status: number;
  duration_ms: number;
}
interface DeliveryFact {
  kind: "delivery";
  tenant: string;
  latency_ms: number;
}
export type AnalyticsFact = RequestFact | DeliveryFact;

/** Blobs: kind, tenant, then route, method, status of a request. Doubles: milliseconds. */
export function pointOf(fact: AnalyticsFact): AnalyticsPoint {
  // Who came without a key has no tenant, and a point needs an index.
  const indexes: [string] = [fact.tenant === "" ? "none" : fact.tenant.slice(0, 96)];
  if (fact.kind === "delivery") {
    return { indexes, blobs: [fact.kind, fact.tenant], doubles: [fact.latency_ms] };
  }
  const blobs = [fact.kind, fact.tenant, fact.route, fact.method, String(fact.status)];
  return { indexes, blobs, doubles: [fact.duration_ms] };
}

/** Takes facts one by one. */
export type Analyse = (fact: AnalyticsFact) => void;

/**
 * Writes each fact as a point, where there is a dataset. Never throws: points are sampled anyway, and exact figures are
 * those of the MeterObject. What the platform refuses is logged.
 */
export function createAnalyse(dataset: AnalyticsDataset | null, log: Log): Analyse {
  if (dataset === null) return () => undefined;
  return (fact) => {
    try {
      dataset.writeDataPoint(pointOf(fact));
    } catch (error) {
      log("warning", "analytics_refused", { kind: fact.kind, error: String(error) });
    }
  };
}
