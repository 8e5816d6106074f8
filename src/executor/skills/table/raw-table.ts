/** A table as text, before any meaning is read into it. Every column has `row_count` cells. */
export interface RawTable {
  columns: RawColumn[];
  row_count: number;
  source: TableSource;
}

export interface RawColumn {
  name: string;
  /** False when the source gave no usable name, so one was made up or changed. */
  is_named: boolean;
  /** Trimmed text; "" where the source had nothing. */
  cells: string[];
}

/** How the table was read, and what had to be mended. Row numbers count data rows from 1. */
export type TableSource = {
  format: "csv" | "rows";
  delimiter: string | null;
  has_header: boolean;
  skipped_lines: number;
  ragged_rows: number;
  ragged_examples: number[];
  malformed_quotes: number;
};

const RAGGED_EXAMPLES = 5;

/**
 * Puts records of uneven length under column names: short ones are padded, long ones cut, both counted.
 *
 * Names that are empty or repeat get a number, so that every column can be told apart.
 *
 * @param header names of the columns, or null to number them
 */
export function tableFrom(
  header: readonly string[] | null,
  records: readonly (readonly string[])[],
  source: Omit<TableSource, "has_header" | "ragged_rows" | "ragged_examples">,
): RawTable {
  const width = header?.length ?? usualLength(records);
  const ragged = records.flatMap((record, index) => (record.length === width ? [] : [index + 1]));
  const names = uniqueNames(header ?? [], width);
  return {
    columns: names.map(({ name, is_named }, index) => ({
      name,
      is_named,
      cells: records.map((record) => record[index] ?? ""),
    })),
    row_count: records.length,
    source: {
      ...source,
      has_header: header !== null,
      ragged_rows: ragged.length,
      ragged_examples: ragged.slice(0, RAGGED_EXAMPLES),
    },
  };
}

/** The length that most records have; of equally common ones the greatest. 0 without records. */
export function usualLength(records: readonly (readonly unknown[])[]): number {
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [best] = [...counts].toSorted((a, b) => b[1] - a[1] || b[0] - a[0]);
  return best?.[0] ?? 0;
}

function uniqueNames(
  header: readonly string[],
  width: number,
): { name: string; is_named: boolean }[] {
  const taken = new Set<string>();
  return Array.from({ length: width }, (_, index) => {
    const given = (header[index] ?? "").slice(0, 100);
    const base = given === "" ? `column_${index + 1}` : given;
    let name = base;
    for (let copy = 2; taken.has(name); copy += 1) name = `${base}_${copy}`;
    taken.add(name);
    return { name, is_named: name === given };
  });
}
