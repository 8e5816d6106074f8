import type { Analysis } from "./analysis.ts";
import type { ColumnType } from "./column-types.ts";
import { presentValues } from "./columns.ts";
import type { Finding, RankedFinding } from "./finding.ts";

/** Fewer rows than this carry a pattern by chance too easily to act on. */
const FEW_ROWS = 20;
/** Under this share, missing cells stand in the profile and need no sentence. */
const MIN_MISSING = 0.01;

/** With more gaps than this a table of days is not one row after another. */
const MAX_GAPS = 0.2;

type Group = "measure" | "date" | "group" | "other";

const GROUP_OF: Readonly<Record<ColumnType, Group>> = {
  integer: "measure",
  number: "measure",
  date: "date",
  datetime: "date",
  boolean: "group",
  category: "group",
  text: "other",
  identifier: "other",
  empty: "other",
};

/** The overview, which comes first, then whatever about the table limits what can be concluded. */
export function dataQualityFindings(analysis: Analysis): RankedFinding[] {
  return [overview(analysis), ...rowFindings(analysis), ...columnFindings(analysis)];
}

function overview({ row_count, columns, time, profiles }: Analysis): RankedFinding {
  const groups: readonly Group[] = ["measure", "date", "group", "other"];
  const by_type = groups.flatMap((kind) => {
    const count = columns.filter(({ type }) => GROUP_OF[type] === kind).length;
    return count === 0 ? [] : [{ kind, count }];
  });
  const missing = columns.reduce((sum, column) => sum + column.missing, 0);
  const finding: Finding = {
    kind: "overview",
    rows: row_count,
    columns: columns.length,
    by_type,
    missing_share: missing / (row_count * columns.length),
    period: null,
  };
  const distribution = profiles.find(({ name }) => name === time?.name)?.distribution;
  if (time !== null && distribution?.kind === "dates") {
    const instants = presentValues(time);
    finding.period = {
      from: instants.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      to: instants.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
      with_time: time.type === "datetime",
      daily: distribution.step_days === 1 && distribution.gaps <= MAX_GAPS * instants.length,
      gaps: distribution.gaps,
    };
  }
  return { importance: 1, columns: [], finding };
}

function rowFindings({ row_count, duplicate_rows, source }: Analysis): RankedFinding[] {
  const found: RankedFinding[] = [];
  const add = (importance: number, finding: Finding) =>
    found.push({ importance, columns: [], finding });
  if (row_count < FEW_ROWS) add(0.8, { kind: "few_rows", rows: row_count });
  if (duplicate_rows > 0) {
    const share = duplicate_rows / row_count;
    add(Math.min(0.9, 0.5 + share), { kind: "duplicates", count: duplicate_rows, share });
  }
  if (source.ragged_rows > 0) {
    add(0.65, { kind: "ragged", count: source.ragged_rows, rows: source.ragged_examples });
  }
  return found;
}

function columnFindings({ columns, profiles, placeholders }: Analysis): RankedFinding[] {
  const found: RankedFinding[] = [];
  const add = (importance: number, names: string[], finding: Finding) =>
    found.push({ importance, columns: names, finding });
  for (const placeholder of placeholders) {
    add(0.95, [placeholder.column], { kind: "placeholder", ...placeholder });
  }
  const gappy = profiles
    .filter(({ missing_share }) => missing_share >= MIN_MISSING)
    .toSorted((a, b) => b.missing_share - a.missing_share)
    .map(({ name, missing_share }) => ({ name, share: missing_share }));
  const [worst] = gappy;
  if (worst !== undefined) {
    const names = gappy.map(({ name }) => name);
    add(Math.min(0.9, 0.45 + 0.5 * worst.share), names, { kind: "missing", columns: gappy });
  }
  const constant = profiles.filter(({ is_constant }) => is_constant).map(({ name }) => name);
  if (constant.length > 0) add(0.5, constant, { kind: "constant", columns: constant });
  for (const { name, type, unreadable, unreadable_examples: examples } of profiles) {
    if (unreadable === 0) continue;
    add(0.7, [name], { kind: "unreadable", column: name, type, count: unreadable, examples });
  }
  for (const { name, has_ambiguous_dates } of columns) {
    if (has_ambiguous_dates) add(0.85, [name], { kind: "ambiguous_dates", column: name });
  }
  return found;
}
