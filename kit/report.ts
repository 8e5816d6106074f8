import type { Finding, Outcome } from "./check.ts";

/* The report, for a person and for a program. Pure. */

/** All that was found. */
export interface Report {
  batuta: string;
  counts: Readonly<Record<Outcome, number>>;
  duration_ms: number;
  checks: readonly Finding[];
}

const MARKS: Readonly<Record<Outcome, string>> = { passed: "✓", failed: "✗", not_applicable: "–" };

/** Puts findings together. */
export function reportOf(batuta: string, checks: readonly Finding[], durationMs: number): Report {
  const count = (outcome: Outcome): number =>
    checks.filter((check) => check.outcome === outcome).length;
  return {
    batuta,
    counts: {
      passed: count("passed"),
      failed: count("failed"),
      not_applicable: count("not_applicable"),
    },
    duration_ms: durationMs,
    checks,
  };
}

/** One finding as lines: a failure with all there is to know of it, the others as one line. */
export function findingLines(finding: Finding): string[] {
  const { outcome, role, id, title, duration_ms, why, seen, rule, section, advice } = finding;
  const head = `${MARKS[outcome]} ${role}/${id}: ${title} (${(duration_ms / 1_000).toFixed(1)} s)`;
  if (outcome === "passed") return [head];
  if (outcome === "not_applicable")
    return [head, ...why.map((line) => `    not applicable: ${line}`)];
  return [
    head,
    ...why.map((line) => `    wrong: ${line}`),
    `    rule:  ${rule} (${section})`,
    `    do:    ${advice}`,
    "    seen:",
    ...seen.map((line) => `      ${line}`),
  ];
}

/** The last line. */
export function summaryLine({ counts, duration_ms }: Report): string {
  const { passed, failed, not_applicable } = counts;
  const seconds = (duration_ms / 1_000).toFixed(0);
  return `${passed} passed, ${failed} failed, ${not_applicable} not applicable, in ${seconds} s`;
}

/** 0 when nothing failed and something passed, 1 otherwise. */
export function exitCodeOf({ counts }: Report): 0 | 1 {
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}
