import { createDebts } from "./dispatch/debts.ts";
import type { Tasks } from "./dispatch/tasks.ts";
import { listDebts, readDebt, settleDebt } from "./history/debt-store.ts";
import { consoleLog } from "./lib/log.ts";
import { readDueDebts, recordDebt } from "./observe/debt-repair-store.ts";
import { repairDebts } from "./observe/debt-repair.ts";
import type { NoteRepair } from "./observe/repairs/tally.ts";
import type { DebtPort } from "./rest/debt-port.ts";
import { doorsOf, now } from "./services-doors.ts";
import { dueIn } from "./services-history.ts";
import { keyOfAgent } from "./services-tasks.ts";

/* What looks after the debts of tasks is built of. */

/** Debts as those see and settle them who may. */
export function debtPort(env: Env, tasks: Pick<Tasks, "readable">): DebtPort {
  const doors = doorsOf(env);
  const { history } = doors;
  return createDebts({
    now,
    log: consoleLog("debts", now),
    list: (tenant, query) => history.read(tenant, (db) => listDebts(db, tenant, query)),
    get: (tenant, debt_id) => history.get(tenant, (db) => readDebt(db, tenant, debt_id)),
    settle: async (debt, settled) => settleDebt(await history.of(debt.tenant), debt, settled),
    readable: (by, task_id) => tasks.readable(by, task_id),
    keyOfAgent: (tenant, agent_id) => keyOfAgent(doors, tenant, agent_id),
  });
}

/** What the report of a run says of a debt that it dealt with. */
const NOTED_AS = {
  settled: "debt_settled",
  expired: "debt_expired",
  open: "debt_still_open",
} as const;

/** Has what the ends of tasks left undone tried once more, where it is due. */
export function sweepDebts(env: Env, note: NoteRepair = () => {}): Promise<void> {
  const { task, history } = doorsOf(env);
  return repairDebts({
    now,
    log: consoleLog("sweep", now),
    due: (at, limit) => dueIn(history, limit, (db) => readDueDebts(db, at, limit)),
    repair: ({ tenant, task_id, debt_id }) => task(tenant, task_id).repair(debt_id),
    record: async (debt, outcome) => {
      const isOurs = await recordDebt(await history.of(debt.tenant), debt, outcome);
      if (isOurs) note(NOTED_AS[outcome.state], debt.tenant, debt.debt_id);
      return isOurs;
    },
  });
}
