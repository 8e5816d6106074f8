import type { DeliveryRow } from "./delivery-row.ts";
import type { DeliveryPlace, DeliveryStore } from "./delivery-store.ts";
import type { RecoveryRow, RecoveryStore } from "./recovery-store.ts";

/** Deliveries that one step looks at: an alarm stays short, and what waits in memory stays small. */
const PAGE = 1_000;

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

function isWanted(row: DeliveryRow, { wanted, since, until }: RecoveryRow): boolean {
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
  now: number,
): DeliveryRow[] {
  const behind: DeliveryPlace = { source: recovery.source, seq: recovery.seq };
  const page = stores.deliveries.page(behind, null, PAGE);
  const opened = page.filter((row) => isWanted(row, recovery)).map((row) => reopened(row, now));
  for (const row of opened) stores.deliveries.save(row);
  const last = page.at(-1) ?? behind;
  stores.recoveries.advance(recovery.recovery_id, last, opened.length, page.length < PAGE);
  return opened;
}
