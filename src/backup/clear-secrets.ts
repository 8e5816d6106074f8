import * as z from "zod";

import { SEALED_FORM } from "../lib/seal.ts";
import type { StoredRow, StoredValue } from "../protocol/backup.ts";
import type { BackedTable } from "./tables.ts";

/* Secrets leave D1 sealed or not at all. An early version stored some in clear, and a key that is lost opens none. */

/**
 * What stands in place of a secret that was stored in clear.
 *
 * It has the start of a sealed text and not its form, so that it opens for nobody: whoever signs with it, or is recognised
 * by it, fails until the secret is rotated.
 */
const WITHHELD = "sealed.withheld";

const listSchema = z.array(z.looseObject({ secret: z.string() }));

const isSafe = (secret: string): boolean => SEALED_FORM.test(secret) || secret === WITHHELD;

function safeList(text: string): { text: string; withheld: number } {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return { text: WITHHELD, withheld: 1 };
  }
  const list = listSchema.safeParse(read).data;
  if (list === undefined) return { text: WITHHELD, withheld: 1 };
  const clear = list.filter(({ secret }) => !isSafe(secret)).length;
  if (clear === 0) return { text, withheld: 0 };
  const safe = list.map((one) => (isSafe(one.secret) ? one : { ...one, secret: WITHHELD }));
  return { text: JSON.stringify(safe), withheld: clear };
}

const textOf = (value: StoredValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value);

/** The row without secrets in clear, and how many were taken out. */
export function withoutClearSecrets(
  { secrets = [], secretLists = [] }: BackedTable,
  row: StoredRow,
): { row: StoredRow; withheld: number } {
  const safe = { ...row };
  let withheld = 0;
  for (const column of secrets) {
    const text = textOf(row[column]);
    if (text === null || isSafe(text)) continue;
    safe[column] = WITHHELD;
    withheld += 1;
  }
  for (const column of secretLists) {
    const text = textOf(row[column]);
    if (text === null) continue;
    const list = safeList(text);
    safe[column] = list.text;
    withheld += list.withheld;
  }
  return { row: safe, withheld };
}
