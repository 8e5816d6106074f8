import type { Language } from "../language.ts";
import { ratio, score } from "../score.ts";
import type { SkillFailure, SkillQuality, SkillResult } from "../skill.ts";
import { junitOf } from "./junit.ts";
import type { CaseReport, TestReport } from "./report.ts";

/** Failed tests told in a sentence each. */
const TOLD = 10;

/** The result of a run of tests, whatever they found. */
export function resultOf(report: TestReport, language: Language): SkillResult {
  const told = sentencesOf(report).slice(0, TOLD);
  return {
    output: { language, ...report, junit: junitOf(report) },
    summary: [headline(report, language), ...told].join(" ").slice(0, 2_000),
    quality: assess(report),
    next_steps: told.map((sentence) =>
      language === "es" ? `Corregir: ${sentence}` : `Mend: ${sentence}`,
    ),
    lessons_learned: [],
  };
}

function headline({ tests, passed, failed, skipped }: TestReport, language: Language): string {
  return language === "es"
    ? `${passed} de ${tests} pruebas pasan; ${failed} fallan y ${skipped} se omitieron.`
    : `${passed} of ${tests} tests pass; ${failed} fail and ${skipped} were skipped.`;
}

function sentencesOf({ cases }: TestReport): string[] {
  return cases.filter(({ state }) => state === "failed").map(sentenceOf);
}

function sentenceOf({ name, failures }: CaseReport): string {
  const [first] = failures;
  const what = `${name} – ${first?.path ?? ""}: expected ${first?.expected ?? ""}, received ${first?.received ?? ""}.`;
  return what.slice(0, 400);
}

const REFUSED = /^(address|request)_refused: /;

/**
 * How far the report can be relied on, whatever it says of what was tested:
 *
 * - correctness: share of the tests that could be carried out as they are written (their request may be sent)
 * - completeness: share of the tests that were run; a skipped one, whose reason is another's failure, counts half
 * - efficiency: 1, as each test is run once
 * - maintainability: share of different names, by which the report can be read
 */
function assess({ cases, tests, skipped }: TestReport): SkillQuality {
  const sendable = cases.filter(({ failures }) => !failures.some(isRefusal));
  const correctness = ratio(sendable.length, tests);
  const completeness = 1 - ratio(skipped, 2 * tests);
  const maintainability = ratio(new Set(cases.map(({ name }) => name)).size, tests);
  const overall = 0.4 * correctness + 0.4 * completeness + 0.1 + 0.1 * maintainability;
  return {
    overall_score: score(overall),
    criteria_scores: {
      correctness: score(correctness),
      completeness: score(completeness),
      efficiency: 1,
      maintainability: score(maintainability),
    },
    feedback: `${tests - skipped} of ${tests} tests were run; ${tests - sendable.length} had a request that may not be sent.`,
  };
}

function isRefusal({ path, received }: CaseReport["failures"][number]): boolean {
  return path === "request" && REFUSED.test(received);
}

/** The failure of a task that was to fail with its tests (configuration.fail_task). */
export function failedTests(report: TestReport): SkillFailure {
  const { failed, tests } = report;
  const detail = `${failed} of ${tests} tests failed, and configuration.fail_task makes that a failure of the task.`;
  return {
    error_type: "tests_failed",
    error_message: detail,
    root_cause: { class: "tests_failed", detail, evidence: evidenceOf(report) },
    recovery_suggestions: [
      "Mend what the tests found and submit the task again.",
      "Leave configuration.fail_task out to get the whole report as a result.",
    ],
    retry_recommended: false,
  };
}

/** The failure of a task of which nothing could be sent. */
export function unsendableTests(report: TestReport): SkillFailure {
  const detail = "None of the requests may be sent: nothing was tested.";
  return {
    error_type: "requests_refused",
    error_message: detail,
    root_cause: { class: "address_refused", detail, evidence: evidenceOf(report) },
    recovery_suggestions: [
      "Give public https addresses: the same rules hold as for webhooks.",
      "To test what is inside a network, register an executor there with testing in its task_types.",
    ],
    retry_recommended: false,
  };
}

function evidenceOf(report: TestReport): string {
  return sentencesOf(report).slice(0, TOLD).join("\n").slice(0, 2_000);
}
