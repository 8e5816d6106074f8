import type { Fault } from "../../protocol/refusal.ts";
import type { Assessment, Finding } from "../quality/assessment.ts";
import type { Attempt, Made } from "./attempt.ts";
import { isKeepable, MOST_RESULT_BYTES } from "./say/bounds.ts";

/** Something made, and what the gate says of it. */
export interface Reviewed {
  made: Made;
  quality: Assessment;
  /** All that is wrong with it, what blocks it first. */
  findings: Finding[];
  /** Whether it may be sent as the result. */
  isGood: boolean;
}

/** The contract's faults are told by the path into the result, without the envelope of the notification. */
function contractFinding({ pointer, code, detail, expected, received }: Fault): Finding {
  const facts = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(received === undefined ? [] : [`received ${received}`]),
  ];
  return {
    check: "contract",
    code,
    location: pointer.replace(/^\/data\/result/, "") || "/",
    detail: [detail, ...facts].join("; "),
    is_blocking: true,
  };
}

/** A task can't keep such a result; a model may be able to say it in fewer words. */
const TOO_LARGE: Finding = {
  check: "syntactic",
  code: "result_too_large",
  location: "/",
  detail: `The result has more than ${MOST_RESULT_BYTES} bytes as JSON; give less of it`,
  is_blocking: true,
};

/**
 * The quality gate: what the task's contract says of a result, how good it is, and whether both will do. Nothing below
 * the task's quality threshold, and nothing that breaks its contract, is ever sent as completed.
 */
export function review(attempt: Attempt, made: Made): Reviewed {
  const { task, asked, ports, output_schema } = attempt;
  const outcome = (overall_score: number) => ({
    result: made.output,
    quality_assessment: { overall_score },
  });
  // A perfect score keeps the threshold out of what the contract says of the result itself.
  const contract = ports.judge(task, outcome(1));
  const assessed = ports.assess({
    task_type: task.task_type,
    ...asked,
    // What came beside the input is a source as well.
    input_data: { ...asked.input_data, ...asked.around },
    output_schema,
    contract_faults: contract.map(({ pointer, detail }) => ({ pointer, detail })),
    output: made.output,
    measured: made.measured,
  });
  const quality = isKeepable(made)
    ? assessed
    : { ...assessed, findings: [TOO_LARGE, ...assessed.findings] };
  const all = ports.judge(task, outcome(quality.overall_score));
  const found = quality.findings.filter(({ check }) => check !== "contract");
  const blocking = found.filter(({ is_blocking }) => is_blocking);
  const findings = [
    ...all.map(contractFinding),
    ...blocking,
    ...found.filter(({ is_blocking }) => !is_blocking),
  ];
  return { made, quality, findings, isGood: all.length === 0 && blocking.length === 0 };
}
