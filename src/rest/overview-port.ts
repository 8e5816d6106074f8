import type { Result } from "../lib/result.ts";
import type { Forecast, ForecastQuery } from "../protocol/forecast.ts";
import type { Overview } from "../protocol/overview.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** What is going on at one glance, and what is to be expected. */
export interface OverviewPort {
  /** Looks at a tenant again and again; what is dear to ask may be ten seconds old. A look never fails. */
  watch(tenant: string): () => Promise<Overview>;
  /** Refused with unavailable while D1 is down. */
  forecast(tenant: string, query: ForecastQuery): Promise<Result<Forecast, Refusal>>;
}
