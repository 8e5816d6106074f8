import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { CleanupDebtView, DebtSettlement, DebtsQuery } from "../protocol/cleanup-debt.ts";
import type { Page } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Actor } from "../protocol/task-view.ts";
import { decides, readsAll } from "./interventions.ts";
import { actorOf } from "./submission.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases are built from. */
export interface DebtsParts {
  now: Clock;
  log: Log;
  list: (tenant: string, query: DebtsQuery) => Answer<Page<CleanupDebtView>>;
  get: (tenant: string, debt_id: string) => Promise<CleanupDebtView | null>;
  /** Settles an open debt; null where it is not open any more. */
  settle: (
    debt: { tenant: string; debt_id: string },
    settled: { at: string; by: Actor; note: string | null },
  ) => Promise<CleanupDebtView | null>;
  /** Whether a key may read a task: an executor's only what its agents hold or held. */
  readable: (by: Principal, task_id: string) => Answer<unknown>;
  /** The key that an executor is bound to, or null. */
  keyOfAgent: (tenant: string, agent_id: string) => Promise<string | null>;
}

/** Use cases of those who look after what the ends of tasks left undone. */
export interface Debts {
  list: (by: Principal, query: DebtsQuery) => Answer<Page<CleanupDebtView>>;
  /** Refused: debt_not_found, also to an executor's key whose agents neither had the task nor own the debt. */
  get: (by: Principal, debt_id: string) => Answer<CleanupDebtView>;
  /**
   * Refused: debt_not_found; debt_closed with the `state` it is in; to a key without the scopes orchestrate and admin
   * forbidden where no executor owns the debt, agent_not_yours where another one does.
   */
  settle: (by: Principal, debt_id: string, settlement: DebtSettlement) => Answer<CleanupDebtView>;
}

const UNKNOWN: Refusal = {
  code: "debt_not_found",
  detail: "There is no cleanup debt with this id.",
};

const OWNED_BY_AGENT = /^agent ([A-Za-z0-9_.:@-]{1,100})$/;

/** The executor that a debt's owner names, or null where it is something else. */
function agentOf({ owner }: CleanupDebtView): string | null {
  return OWNED_BY_AGENT.exec(owner)?.[1] ?? null;
}

async function owns(parts: DebtsParts, by: Principal, debt: CleanupDebtView): Promise<boolean> {
  const agent_id = agentOf(debt);
  return agent_id !== null && (await parts.keyOfAgent(by.tenant, agent_id)) === by.key_id;
}

async function find(parts: DebtsParts, by: Principal, debt_id: string): Answer<CleanupDebtView> {
  const debt = await parts.get(by.tenant, debt_id);
  if (debt === null) return refuse(UNKNOWN);
  const maySee =
    readsAll(by) || (await owns(parts, by, debt)) || (await parts.readable(by, debt.task_id)).ok;
  // Nobody learns from a refusal that there is something that it may not see.
  return maySee ? ok(debt) : refuse(UNKNOWN);
}

/** Why an executor's key may not settle a debt; null when it may. */
async function executorFault(
  parts: DebtsParts,
  by: Principal,
  debt: CleanupDebtView,
): Promise<Refusal | null> {
  if (await owns(parts, by, debt)) return null;
  return agentOf(debt) === null
    ? {
        code: "forbidden",
        detail: `An orchestrator settles what ${debt.owner} owes; an executor only what it owes itself.`,
      }
    : {
        code: "agent_not_yours",
        detail: `${debt.owner} owes it: its own key settles it, or an orchestrator.`,
      };
}

function closed(debt: CleanupDebtView): Refusal {
  return {
    code: "debt_closed",
    detail: `The debt is ${debt.state} already.`,
    extra: { state: debt.state, settled_at: debt.settled_at },
  };
}

async function settleOne(
  parts: DebtsParts,
  by: Principal,
  { debt_id, note }: { debt_id: string; note: string | null },
): Answer<CleanupDebtView> {
  const found = await find(parts, by, debt_id);
  if (!found.ok) return found;
  const fault = decides(by) ? null : await executorFault(parts, by, found.value);
  if (fault !== null) return refuse(fault);
  if (found.value.state !== "open") return refuse(closed(found.value));
  const { tenant } = by;
  const actor = actorOf(by);
  const settled = await parts.settle(
    { tenant, debt_id },
    { at: instant(parts.now()), by: actor, note },
  );
  if (settled === null) {
    // The sweeper or somebody else was faster.
    const now = await parts.get(tenant, debt_id);
    return refuse(now === null ? UNKNOWN : closed(now));
  }
  const { task_id, kind, owner, tries } = settled;
  const fields = { tenant, task_id, debt_id, kind, owner, tries, by: `${actor.kind} ${actor.id}` };
  parts.log("info", "cleanup_debt_settled", fields);
  return ok(settled);
}

/** The use cases of cleanup debts. */
export function createDebts(parts: DebtsParts): Debts {
  return {
    list: (by, query) => parts.list(by.tenant, query),
    get: (by, debt_id) => find(parts, by, debt_id),
    settle: (by, debt_id, { note = null }) => settleOne(parts, by, { debt_id, note }),
  };
}
