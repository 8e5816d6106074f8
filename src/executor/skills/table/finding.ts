import type { ColumnType } from "./column-types.ts";
import type { SeasonSummary, TrendSummary } from "./trend.ts";

/** One thing worth saying about a table, as facts; a wording turns it into a sentence. */
export type Finding =
  | {
      kind: "overview";
      rows: number;
      columns: number;
      by_type: { kind: "measure" | "date" | "group" | "other"; count: number }[];
      missing_share: number;
      period: { from: number; to: number; with_time: boolean; daily: boolean; gaps: number } | null;
    }
  | { kind: "season"; strongest: SeasonSummary; columns: { name: string; share: number }[] }
  | { kind: "trend"; trend: TrendSummary; is_line_plausible: boolean }
  | { kind: "no_trend"; columns: string[]; has_season: boolean }
  | {
      kind: "correlation";
      left: string;
      right: string;
      count: number;
      pearson: number;
      spearman: number;
      is_positive: boolean;
      /** The ranks agree clearly better than the values: one-way, but not along a line. */
      is_bent: boolean;
      net_of_time: number | null;
    }
  | { kind: "redundant"; left: string; right: string; pearson: number }
  | {
      kind: "reversal";
      left: string;
      right: string;
      category: string;
      overall: number;
      within: number;
    }
  | {
      kind: "group_effect";
      category: string;
      measure: string;
      share: number;
      highest: { label: string; mean: number };
      lowest: { label: string; mean: number };
      groups: number;
    }
  | { kind: "association"; left: string; right: string; cramers_v: number }
  | {
      kind: "outliers";
      column: string;
      count: number;
      share: number;
      extreme: { value: number; row: number; at: string | null; is_high: boolean };
      median: number;
    }
  | { kind: "placeholder"; column: string; value: number; count: number }
  | {
      kind: "long_tail";
      column: string;
      mean: number;
      median: number;
      zero_share: number;
      top_tenth_share: number;
      max: number;
    }
  | {
      kind: "composition";
      column: string;
      top: { value: string; share: number }[];
      others: number;
      others_share: number;
    }
  | { kind: "missing"; columns: { name: string; share: number }[] }
  | { kind: "constant"; columns: string[] }
  | { kind: "duplicates"; count: number; share: number }
  | { kind: "ragged"; count: number; rows: number[] }
  | { kind: "unreadable"; column: string; type: ColumnType; count: number; examples: string[] }
  | { kind: "ambiguous_dates"; column: string }
  | { kind: "few_rows"; rows: number };

/** A wording: one sentence, without judgement beyond the facts, for each kind of finding. */
export type Wording = {
  [K in Finding["kind"]]: (finding: Extract<Finding, { kind: K }>) => string;
};

/** A finding in its place: `importance` in [0, 1] is what findings are ranked by. */
export interface RankedFinding {
  importance: number;
  columns: string[];
  finding: Finding;
}

/** The sentence of a finding. */
export function say<K extends Finding["kind"]>(
  wording: Wording,
  finding: Extract<Finding, { kind: K }>,
): string {
  // The mapped type ties each key to its finding; TypeScript cannot follow that through a lookup.
  const speak = wording[finding.kind] as (found: typeof finding) => string;
  return speak(finding);
}
