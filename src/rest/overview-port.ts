import type { Result } from "../lib/result.ts";
import type { Forecast, ForecastQuery } from "../protocol/forecast.ts";
import type { Overview } from "../protocol/overview.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** What is going on at one glance, and what is to be expected. */
export interface OverviewPort {
  /** Never fails. */
  look(tenant: string): Promise<Overview>;
  /**
   * For who looks again and again, until they leave; what is dear to ask may be ten seconds old, and all who watch a tenant
   * share their looks. A look never fails. Refused with rate_limited when too many watch already.
   */
  watch(tenant: string): Result<{ look: () => Promise<Overview>; leave: () => void }, Refusal>;
  /** Refused with unavailable while D1 is down. */
  forecast(tenant: string, query: ForecastQuery): Promise<Result<Forecast, Refusal>>;
}
