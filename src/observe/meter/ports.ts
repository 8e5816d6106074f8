import type { MetricName } from "./catalogue.ts";

/* What others give /metrics: figures of theirs, by names and labels of the catalogue, in the units of the names. */

interface SampleHead {
  metric: MetricName;
  /** All labels that the catalogue has for the metric, and no other. */
  labels: Readonly<Record<string, string>>;
}

/** A counter or gauge. */
interface NumberSample extends SampleHead {
  value: number;
}

/** A histogram, or a summary, which has no bounds and one count. */
interface SpreadSample extends SampleHead {
  /** Upper bounds, ascending, without the infinite one. */
  bounds: readonly number[];
  /** Of each bucket by itself, one more than there are bounds. */
  counts: readonly number[];
  sum: number;
}

export type Sample = NumberSample | SpreadSample;

/** Figures of one kind, of one tenant. */
export interface SampleSource {
  /** Its name in `batuta_scrape_complete`. */
  name: string;
  /** Where all tenants are asked at once: those that it is asked of. All, where it is not said. */
  most?: number;
  /**
   * Refused by throwing: the other sources are shown then, and it is said that this one is missing.
   *
   * `statements`: how often D1 was asked, or would have been; once, where it is not said.
   */
  read(tenant: string): Promise<{ samples: Sample[]; isComplete: boolean; statements?: number }>;
}

/** The totals of tasks since the tenant's first one, from the roll-ups of history. They never fall. */
export type ReadTaskTotals = (tenant: string) => Promise<Sample[]>;
