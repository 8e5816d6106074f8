/** A number as it is printed; null for what is none. */
export function round(value, digits) {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

/** Rows as columns of text: the first one to the left, figures to the right. */
export function table(heads, rows) {
  const lines = rows.map((row) => row.map((value) => String(value ?? "-")));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column].length)),
  );
  const draw = (line) =>
    line
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]),
      )
      .join("  ")
      .trimEnd();
  return [heads, widths.map((width) => "-".repeat(width)), ...lines].map(draw).join("\n");
}
