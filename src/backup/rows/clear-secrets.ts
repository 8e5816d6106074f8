import { SEALED_FORM } from "../../lib/seal.ts";
import type { StoredRow, StoredValue } from "../../protocol/backup.ts";
import type { BackedTable } from "./tables.ts";

/* Secrets leave D1 sealed or not at all. An early version stored some in clear, and a key that is lost opens none. */

/**
 * What stands in place of a secret that was stored in clear.
 *
 * It has the start of a sealed text and not its form, so that it opens for nobody: whoever signs with it, or is recognised
 * by it, fails until the secret is rotated.
 */
const WITHHELD = "sealed.withheld";

const isSafe = (secret: string): boolean => SEALED_FORM.test(secret) || secret === WITHHELD;

/** JSON with each `secret` in it sealed or withheld, and whatever else looks like a signing secret. */
function safeJson(text: string): { text: string; withheld: number } {
  let withheld = 0;
  const safe = (name: string, value: unknown): unknown => {
    if (typeof value !== "string" || isSafe(value)) return value;
    if (name !== "secret" && !value.includes("whsec_")) return value;
    withheld += 1;
    return WITHHELD;
  };
  try {
    const read: unknown = JSON.parse(text, safe);
    // Where there is nothing to withhold the text stays as it is, to the byte.
    return { text: withheld === 0 ? text : JSON.stringify(read), withheld };
  } catch {
    return { text: WITHHELD, withheld: 1 };
  }
}

const textOf = (value: StoredValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value);

/** The row without secrets in clear, and how many were taken out. */
export function withoutClearSecrets(
  { secrets = [], secretTexts = [] }: BackedTable,
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
  for (const column of secretTexts) {
    const text = textOf(row[column]);
    if (text === null) continue;
    const json = safeJson(text);
    safe[column] = json.text;
    withheld += json.withheld;
  }
  return { row: safe, withheld };
}
