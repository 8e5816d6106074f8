import type { Unmet } from "../http/assertions.ts";

/** One test: what became of it, and where it did not hold. */
export type CaseReport = {
  group: "http" | "json" | "schema";
  name: string;
  state: "passed" | "failed" | "skipped";
  duration_ms: number;
  failures: Unmet[];
  /** Why it was not run, or why not all of it is told. */
  reason: string | null;
};

/** All tests. */
export type TestReport = {
  state: "passed" | "failed";
  tests: number;
  passed: number;
  failed: number;
  skipped: number;
  duration_ms: number;
  cases: CaseReport[];
};

/** Failures told of one test, and of all: the report and its JUnit form must fit a message of 1 MiB. */
const MOST_FAILURES = 20;
const MOST_IN_ALL = 200;

/** Of the failures only the first of each test are kept: the rest seldom says more. */
export function caseReport(
  test: Pick<CaseReport, "group" | "name" | "duration_ms">,
  failures: readonly Unmet[],
): CaseReport {
  const state = failures.length === 0 ? "passed" : "failed";
  return { ...test, state, failures: failures.slice(0, MOST_FAILURES), reason: null };
}

/** Counts the tests. A skipped one makes no failure: the one before it, which it needed, does. */
export function reportOf(cases: readonly CaseReport[]): TestReport {
  const count = (state: CaseReport["state"]): number =>
    cases.filter((test) => test.state === state).length;
  const failed = count("failed");
  return {
    state: failed === 0 ? "passed" : "failed",
    tests: cases.length,
    passed: count("passed"),
    failed,
    skipped: count("skipped"),
    duration_ms: cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0),
    cases: withFewFailures(cases),
  };
}

function withFewFailures(cases: readonly CaseReport[]): CaseReport[] {
  let left = MOST_IN_ALL;
  return cases.map((test) => {
    const failures = test.failures.slice(0, left);
    left -= failures.length;
    const isCut = failures.length < test.failures.length;
    return { ...test, failures, reason: isCut ? "more failures are left out" : test.reason };
  });
}
