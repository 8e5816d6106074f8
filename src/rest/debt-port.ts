import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { CleanupDebtView, DebtSettlement, DebtsQuery } from "../protocol/cleanup-debt.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the ends of tasks left undone. Refused with unavailable while D1 is down. */
export interface DebtPort {
  list(
    by: Principal,
    query: DebtsQuery,
  ): Answer<{ items: CleanupDebtView[]; next_cursor: string | null }>;
  get(by: Principal, debt_id: string): Answer<CleanupDebtView>;
  settle(by: Principal, debt_id: string, settlement: DebtSettlement): Answer<CleanupDebtView>;
}
