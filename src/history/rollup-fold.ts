import { STEPS } from "../db/rollup-table.ts";
import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";

/** From what steps to what, and which: those that began before this instant, epoch seconds. */
export interface RollupFold {
  from: number;
  to: number;
  before: number;
}

/** A tenant with steps to fold, and the start of its oldest one, epoch seconds. */
export interface DueFold {
  tenant: string;
  oldest: number;
}

/** Minutes stay minutes for three hours after theirs, and hours stay hours for 90 days: what dashboards look at closely. */
const MINUTES_FOR_S = 3 * STEPS.hour;
const HOURS_FOR_S = 90 * STEPS.day;

/** Tenants of one reading; transactions of one sweep: an invocation has 1,000 statements (facts/platform.md §4). */
const TENANTS = 50;
const MAX_FOLDS = 100;

/** What folding needs from outside. */
export interface FoldPorts {
  now: Clock;
  log: Log;
  /** Tenants that have steps which began before an instant, and their oldest. */
  due: (fold: Pick<RollupFold, "from" | "before">, limit: number) => Promise<DueFold[]>;
  /** In one transaction. */
  fold: (tenant: string, fold: RollupFold) => Promise<void>;
}

/** The start of the step that holds an instant. */
function startOf(at_s: number, length: number): number {
  return Math.floor(at_s / length) * length;
}

/** Folds one longer step of each tenant that is due, so that no transaction is long; how many there were. */
async function foldRound(
  ports: FoldPorts,
  { from, to, before }: RollupFold,
  { left, failed }: { left: number; failed: Set<string> },
): Promise<number> {
  const due = await ports.due({ from, before }, TENANTS);
  const sound = due.filter(({ tenant }) => !failed.has(tenant)).slice(0, left);
  for (const { tenant, oldest } of sound) {
    try {
      await ports.fold(tenant, { from, to, before: Math.min(startOf(oldest, to) + to, before) });
    } catch (error) {
      failed.add(tenant);
      ports.log("error", "rollup_not_folded", { tenant, error: String(error) });
    }
  }
  return sound.length;
}

/**
 * Folds what is old: minutes into hours after three hours, hours into days after 90 days. Bounded; what is left comes with
 * the next sweep. A tenant that cannot be folded does not keep the others.
 *
 * @throws when D1 cannot be asked what is due
 */
export async function foldRollups(ports: FoldPorts): Promise<void> {
  const now_s = Math.floor(ports.now() / 1_000);
  const folds: RollupFold[] = [
    { from: STEPS.minute, to: STEPS.hour, before: startOf(now_s - MINUTES_FOR_S, STEPS.hour) },
    { from: STEPS.hour, to: STEPS.day, before: startOf(now_s - HOURS_FOR_S, STEPS.day) },
  ];
  for (const fold of folds) {
    const failed = new Set<string>();
    for (let left = MAX_FOLDS; left > 0;) {
      const folded = await foldRound(ports, fold, { left, failed });
      if (folded === 0) break;
      left -= folded;
    }
  }
}
