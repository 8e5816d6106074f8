/** How figures are shown. */

/** A number with so many digits after the point; null of what is none. */
export function round(value, digits) {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

/** Rows below their heads, the first column to the left and all others to the right. */
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
