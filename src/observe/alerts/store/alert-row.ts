import type { alertTable } from "../../../db/alert-table.ts";
import { alertViewSchema, type AlertView } from "../../../protocol/alerts.ts";
import type { KeptAlert } from "../judge.ts";
import type { AlertChange } from "../ports.ts";

export type AlertRow = typeof alertTable.$inferSelect;

/** An alert as it is shown, of its row. @throws ZodError for a row that is none */
export function viewOf({ tenant: _tenant, untold: _untold, ...row }: AlertRow): AlertView {
  const { evidence, told } = row;
  return alertViewSchema.parse({
    ...row,
    evidence: JSON.parse(evidence),
    told: JSON.parse(told),
  });
}

const UNTOLD: Readonly<Record<string, readonly AlertChange[]>> = {
  fired: ["fired"],
  resolved: ["resolved"],
  both: ["fired", "resolved"],
};

/** An alert, and what is untold of it. */
export function keptOf(row: AlertRow): KeptAlert {
  return { alert: viewOf(row), untold: UNTOLD[row.untold ?? ""] ?? [] };
}

/** The row of an alert that has just fired: somebody has to be told, unless it is silenced. */
export function rowOf(tenant: string, alert: AlertView): AlertRow {
  const { evidence, told, silenced_by } = alert;
  return {
    ...alert,
    tenant,
    evidence: JSON.stringify(evidence),
    told: JSON.stringify(told),
    untold: silenced_by === null ? "fired" : null,
  };
}
