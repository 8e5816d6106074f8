import type { Column } from "./column-types.ts";
import type { Correlations } from "./correlate.ts";
import type { ColumnProfile } from "./describe.ts";
import type { Association, GroupEffect } from "./group-effects.ts";
import type { ColumnOutliers } from "./outliers.ts";
import type { Placeholder } from "./placeholders.ts";
import type { TableSource } from "./raw-table.ts";
import type { Trend } from "./trend.ts";

/** Everything that the steps of an analysis found out about one table. */
export interface Analysis {
  row_count: number;
  source: TableSource;
  columns: Column[];
  time: Column | null;
  profiles: ColumnProfile[];
  duplicate_rows: number;
  trends: Trend[];
  correlations: Correlations;
  effects: GroupEffect[];
  associations: Association[];
  outliers: ColumnOutliers[];
  placeholders: Placeholder[];
}

/** Rows that repeat an earlier row in every cell. */
export function countDuplicateRows(columns: readonly Column[], row_count: number): number {
  const seen = new Set<string>();
  for (let row = 0; row < row_count; row += 1) {
    seen.add(JSON.stringify(columns.map(({ labels }) => labels[row] ?? null)));
  }
  return row_count - seen.size;
}
