import type { Finding, QualityQuestion } from "../../src/executor/quality/assessment.ts";

/** A question of quality with everything that a test does not care about. */
export function questionOf(given: Partial<QualityQuestion>): QualityQuestion {
  return {
    task_type: "general",
    description: "Answer this for the weekly report",
    input_data: {},
    configuration: {},
    output_schema: null,
    contract_faults: [],
    output: {},
    measured: null,
    ...given,
  };
}

export function codesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ code }) => code);
}
