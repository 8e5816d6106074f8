import { instant, type Clock } from "../../../lib/ports.ts";
import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { Principal } from "../../../protocol/access.ts";
import type { AlertsQuery, AlertView } from "../../../protocol/alerts.ts";
import type { Page } from "../../../protocol/keyset.ts";
import type { Refusal } from "../../../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Where alerts are kept. */
export interface AlertParts {
  now: Clock;
  list: (tenant: string, query: AlertsQuery) => Answer<Page<AlertView>>;
  get: (tenant: string, alert_id: string) => Promise<AlertView | null>;
  /** Null where no alert of this id fires. */
  acknowledge: (
    of: { tenant: string; alert_id: string },
    by: { acknowledged_at: string; acknowledged_by: string; note: string | null },
  ) => Promise<AlertView | null>;
}

function noAlert(alert_id: string): Refusal {
  const detail = `there is no alert ${alert_id}; GET /v1/alerts lists them`;
  return { code: "alert_not_found", detail };
}

/** Use cases of alerts. */
export function createAlerts({ now, list, get, acknowledge }: AlertParts) {
  return {
    list,
    async get(tenant: string, alert_id: string): Answer<AlertView> {
      const found = await get(tenant, alert_id);
      return found === null ? refuse(noAlert(alert_id)) : ok(found);
    },
    /**
     * Somebody looks after it; done again, the newer one stands. Refused: alert_not_found; alert_closed, because what is
     * over needs nobody.
     */
    async acknowledge(by: Principal, alert_id: string, note: string | null): Answer<AlertView> {
      const { tenant, key_id } = by;
      const noted = { acknowledged_at: instant(now()), acknowledged_by: key_id, note };
      const alert = await acknowledge({ tenant, alert_id }, noted);
      if (alert !== null) return ok(alert);
      const found = await get(tenant, alert_id);
      if (found === null) return refuse(noAlert(alert_id));
      const detail = `the alert is resolved since ${found.resolved_at}`;
      return refuse({ code: "alert_closed", detail });
    },
  };
}
