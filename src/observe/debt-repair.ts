import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import { TIMED_OUT, withinLimit } from "../lib/within-limit.ts";
import { debtRepairSchema } from "../protocol/cleanup-debt.ts";
import type { Refusal, RefusalCode } from "../protocol/refusal.ts";

/** Debts that one run tries, and how many at one time: a run stays within what it may call. */
const MAX_REPAIRED = 50;
const TOGETHER = 10;

/**
 * How long one try may take, milliseconds. Twice the usual limit of an end phase (protocol.md §7, Verdict); five groups
 * of them end within the 15 minutes that a cron has (facts/platform.md §4).
 */
const REPAIR_LIMIT_MS = 60_000;

/** Delay after the first try, doubled by each further one up to the longest. Milliseconds. */
const FIRST_DELAY_MS = 60_000;
const LONGEST_DELAY_MS = 3_600_000;

/** When an action that an executor owes is looked at again: nearly when it expires. Milliseconds. */
const ACTION_DELAY_MS = 86_400_000;

/** Doublings after which the delay is the longest one: 60 s × 2^6 is more than an hour. */
const MOST_DOUBLINGS = 6;

/** What is known of a debt whose time has come. */
export interface DueDebt {
  tenant: string;
  debt_id: string;
  task_id: string;
  kind: string;
  owner: string;
  expires_at: string | null;
  /** How often it was tried. */
  tries: number;
}

/** What becomes of a debt; instants in the stored form. */
export interface DebtOutcome {
  state: "open" | "settled" | "expired";
  at: string;
  /** What the try said; null where none was made. */
  detail: string | null;
  /** When it is tried again, if it is open. */
  due_at: string;
}

/** What one try said. */
interface Answer {
  state: DebtOutcome["state"];
  detail: string;
}

/** What repairing needs from outside. */
export interface DebtRepairPorts {
  now: Clock;
  log: Log;
  /** Open debts of all tenants that are due, the longest due first. */
  due: (now: string, limit: number) => Promise<DueDebt[]>;
  /** Has the task's object try once more; the answer is JSON text. */
  repair: (debt: DueDebt) => Promise<Result<string, Refusal>>;
  /** Writes down what became of an open debt; false where somebody else has closed it. */
  record: (debt: DueDebt, outcome: DebtOutcome) => Promise<boolean>;
}

/** Codes by which a task's object says that it has nothing left of the task. */
const GONE: readonly RefusalCode[] = ["task_not_found", "task_gone"];

/**
 * How long a debt waits after a try that did not settle it, milliseconds: 1, 2, 4 … 60 minutes.
 *
 * @param tries tries already made, from 1
 */
export function debtDelayMs(tries: number): number {
  const doublings = Math.min(Math.max(0, tries - 1), MOST_DOUBLINGS);
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** doublings);
}

function isOver({ expires_at }: DueDebt, now: number): boolean {
  return expires_at !== null && Date.parse(expires_at) <= now;
}

/** Whether a due debt gets another try: one that is over gets a single one, if it never had any. */
export function isTried(debt: DueDebt, now: number): boolean {
  return debt.tries === 0 || !isOver(debt, now);
}

/** What becomes of a debt by a try, or by none where its time is over. Never due later than it expires. */
export function outcomeOf(debt: DueDebt, answer: Answer | null, now: number): DebtOutcome {
  const at = instant(now);
  if (answer === null) return { state: "expired", at, detail: null, due_at: at };
  const { detail } = answer;
  if (answer.state !== "open") return { state: answer.state, at, detail, due_at: at };
  if (isOver(debt, now)) return { state: "expired", at, detail, due_at: at };
  const { kind, expires_at } = debt;
  // Trying does not help what only its owner can do.
  const delay_ms = kind === "action" ? ACTION_DELAY_MS : debtDelayMs(debt.tries + 1);
  const next = instant(now + delay_ms);
  return {
    state: "open",
    at,
    detail,
    due_at: expires_at !== null && expires_at < next ? expires_at : next,
  };
}

async function answerOf(ports: DebtRepairPorts, debt: DueDebt): Promise<Answer> {
  const done = await withinLimit(REPAIR_LIMIT_MS, () => ports.repair(debt));
  if (done === TIMED_OUT) {
    const { tenant, task_id, debt_id } = debt;
    ports.log("warning", "cleanup_debt_not_answered", { tenant, task_id, debt_id });
    return {
      state: "open",
      detail: `The task did not answer within ${REPAIR_LIMIT_MS / 1_000} s.`,
    };
  }
  if (done.ok) return debtRepairSchema.parse(JSON.parse(done.value));
  const { code, detail } = done.refusal;
  // The report of an ended task never changes: no further try will find it there.
  if (code === "debt_not_found") return { state: "expired", detail };
  return GONE.includes(code)
    ? { state: "expired", detail: "The task was removed, and with it what could repair this." }
    : { state: "open", detail };
}

async function attempt(ports: DebtRepairPorts, debt: DueDebt): Promise<Answer> {
  try {
    return await answerOf(ports, debt);
  } catch (error) {
    const { tenant, task_id, debt_id } = debt;
    const fields = { tenant, task_id, debt_id, error: String(error) };
    ports.log("error", "cleanup_debt_not_tried", fields);
    // Anyone of the tenant reads it, so it says only that it broke.
    return { state: "open", detail: "The try broke; it will be repeated." };
  }
}

/** Deals with one debt. Never throws: the others must not wait for it, and it is due again in the next run. */
async function settle(ports: DebtRepairPorts, debt: DueDebt): Promise<void> {
  const { tenant, task_id, debt_id, kind, owner } = debt;
  const answer = isTried(debt, ports.now()) ? await attempt(ports, debt) : null;
  const outcome = outcomeOf(debt, answer, ports.now());
  try {
    const isOurs = await ports.record(debt, outcome);
    if (!isOurs || outcome.state === "open") return;
    const tries = debt.tries + (answer === null ? 0 : 1);
    const fields = { tenant, task_id, debt_id, kind, owner, tries, detail: outcome.detail };
    if (outcome.state === "settled") ports.log("info", "cleanup_debt_settled", fields);
    else ports.log("warning", "cleanup_debt_expired", fields);
  } catch (error) {
    const fields = { tenant, task_id, debt_id, error: String(error) };
    ports.log("error", "cleanup_debt_not_recorded", fields);
  }
}

/**
 * Has what the ends of tasks left undone tried once more, for debts that are due: 50 a run, the longest due first.
 *
 * A debt that is not settled waits 1 minute, then 2, 4 … 60. It is expired once its time is over or its task is gone; its
 * owner is named in the log then. A task that breaks or hangs stops no other.
 *
 * @throws when the debts can't be read
 */
export async function repairDebts(ports: DebtRepairPorts): Promise<void> {
  const debts = await ports.due(instant(ports.now()), MAX_REPAIRED);
  for (let start = 0; start < debts.length; start += TOGETHER) {
    const group = debts.slice(start, start + TOGETHER);
    await Promise.all(group.map((debt) => settle(ports, debt)));
  }
}
