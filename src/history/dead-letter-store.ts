import { desc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isBefore } from "../db/keyset.ts";
import { deadLetterTable } from "../db/tables.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { pageOf, placeOf, type Page } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** A queue message that could not be worked off. `received_at` is an instant, `body` its JSON text. */
export type DeadLetter = typeof deadLetterTable.$inferSelect;

/**
 * Stores dead letters in one round trip; one that is stored already stays as it is.
 *
 * @throws when D1 fails; then nothing was written
 */
export async function writeDeadLetters(
  db: D1Database,
  letters: readonly DeadLetter[],
): Promise<void> {
  const orm = drizzle(db);
  const [first, ...others] = letters.map((letter) =>
    orm.insert(deadLetterTable).values(letter).onConflictDoNothing(),
  );
  if (first !== undefined) await orm.batch([first, ...others]);
}

/**
 * Dead letters of the whole installation, newest first.
 *
 * Refuses a cursor that is not one, and everyone but the bootstrap key: bodies are of all tenants.
 */
export async function listDeadLetters(
  db: D1Database,
  by: Pick<Principal, "isBootstrap">,
  page: { cursor?: string | undefined; limit: number },
): Promise<Result<Page<DeadLetter>, Refusal>> {
  if (!by.isBootstrap) {
    const detail = "Dead letters are of all tenants: only the bootstrap key may read them.";
    return refuse({ code: "forbidden", detail });
  }
  const from = placeOf(page.cursor);
  if (!from.ok) return from;
  const { received_at, id } = deadLetterTable;
  const rows = await drizzle(db)
    .select()
    .from(deadLetterTable)
    .where(isBefore({ at: received_at, id }, from.value))
    .orderBy(desc(received_at), desc(id))
    .limit(page.limit + 1);
  return ok(
    pageOf(rows, page.limit, {
      place: (row) => ({ at: row.received_at, id: row.id }),
      item: (row) => row,
    }),
  );
}
