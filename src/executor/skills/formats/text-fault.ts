/** Where a text can't be read and why; `line` and `column` count from 1, in UTF-16 units. */
export interface TextFault {
  line: number;
  column: number;
  detail: string;
}

/** Line and column, from 1, of an offset; an offset beyond the text is its end. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const end = Math.min(offset, text.length);
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: end - start + 1 };
}

/** The same text without a byte order mark, which no reader of these formats wants. */
export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
