/* Texts measured in the tokens of models, before any of them has counted. */

/**
 * Tokens that a text has at most, roughly: a third of its UTF-8 bytes. English has about four characters a token, other
 * scripts up to one; so the estimate errs on the safe side.
 */
export function tokensOf(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) bytes += code > 0x7ff ? 2 : 1;
  }
  return Math.ceil(bytes / 3);
}

/** What the notice of what was left out takes: a text as short as that is given whole. */
const NOTICE_TOKENS = 20;

/**
 * A text of so many tokens at most: its beginning and its end, and between them how much was left out.
 *
 * @returns characters left out, 0 when all of it fits
 */
export function fitted(text: string, tokens: number): { text: string; left_out: number } {
  if (tokensOf(text) <= Math.max(tokens, NOTICE_TOKENS)) return { text, left_out: 0 };
  const room = Math.max(0, tokens - NOTICE_TOKENS);
  let kept = Math.min(text.length, 3 * room);
  while (kept > 0 && tokensOf(ends(text, kept)) > room) kept = Math.floor(kept * 0.8);
  const left_out = text.length - kept;
  const head = text.slice(0, headOf(kept)).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(text.length - (kept - headOf(kept))).replace(/^[\udc00-\udfff]/, "");
  return { text: `${head}\n[… ${left_out} characters left out …]\n${tail}`, left_out };
}

/** Three quarters of what is kept are the beginning: headings, column names and definitions stand there. */
function headOf(kept: number): number {
  return Math.ceil(kept * 0.75);
}

function ends(text: string, kept: number): string {
  return text.slice(0, headOf(kept)) + text.slice(text.length - (kept - headOf(kept)));
}
