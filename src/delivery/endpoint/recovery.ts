import type { Ordering } from "../../protocol/webhook-options.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { DeliveryPlace, DeliveryStore } from "./delivery-store.ts";
import type { RecoveryRow, RecoveryStore } from "./recovery-store.ts";
import { TEST_PREFIX } from "./test-item.ts";

/** Deliveries that one step looks at: an alarm stays short, and what waits in memory stays small. */
const PAGE = 1_000;

/** The same where one order holds for the whole endpoint: each page has to be looked for among all. */
const ORDERED_PAGE = 10_000;

/** A delivery that is to be sent again as if it were new: its place, its id and its bytes stay. */
function reopened(row: DeliveryRow, now: number): DeliveryRow {
  return {
    ...row,
    state: "open",
    tries: 0,
    due: now,
    first_failed_at: null,
    is_recovering: 1,
    batch_id: null,
  };
}

/** A test belongs to nobody: nothing waits for it. */
function isTest({ seq, source }: DeliveryRow): boolean {
  return seq === 0 && source.startsWith(TEST_PREFIX);
}

function isWanted(row: DeliveryRow, { wanted, since, until }: RecoveryRow): boolean {
  if (isTest(row)) return false;
  return row.state === wanted && row.position >= since * 1_000 && row.position < until * 1_000;
}

/**
 * One step of a recovery: opens what matches in the next page, and stores how far it has come. The caller makes it
 * one commit.
 *
 * @returns what was opened, in the order of its lanes
 */
export function recoverPage(
  recovery: RecoveryRow,
  stores: { deliveries: DeliveryStore; recoveries: RecoveryStore },
  { ordering, now }: { ordering: Ordering; now: number },
): DeliveryRow[] {
  const isOrdered = ordering === "endpoint";
  const size = isOrdered ? ORDERED_PAGE : PAGE;
  const behind: DeliveryPlace = { source: recovery.source, seq: recovery.seq };
  // Where one order holds, `seq` of the recovery is the position up to which it has come.
  const page = isOrdered
    ? stores.deliveries.pageByPosition(recovery.seq, size)
    : stores.deliveries.page(behind, null, size);
  const opened = page.filter((row) => isWanted(row, recovery)).map((row) => reopened(row, now));
  for (const row of opened) stores.deliveries.save(row);
  const last = page.at(-1);
  const place = isOrdered ? { source: "", seq: last?.position ?? recovery.seq } : (last ?? behind);
  stores.recoveries.advance(recovery.recovery_id, place, opened.length, page.length < size);
  return opened;
}
