import { ok, refuse } from "../../lib/result.ts";
import { readParameters } from "./http/read-parameters.ts";
import { Redaction } from "./http/redaction.ts";
import { missingIn } from "./http/template.ts";
import { readerLanguage, type Language } from "./language.ts";
import { progressAt } from "./progress.ts";
import type {
  JsonObject,
  JsonValue,
  Skill,
  SkillFailure,
  SkillOutcome,
  SkillProgress,
  SkillTask,
  SkillTools,
} from "./skill.ts";
import { stoppedFailure } from "./stopped.ts";
import { nameOf, play } from "./testing/http-case.ts";
import { documentsOf, judgeDocuments, judgeExamples } from "./testing/offline-cases.ts";
import { parametersSchema, type HttpCase, type TestInput } from "./testing/parameters.ts";
import { caseReport, reportOf, type CaseReport } from "./testing/report.ts";
import { failedTests, resultOf, unsendableTests } from "./testing/test-result.ts";

const WORDS = {
  en: {
    reading: "Reading the tests",
    request: "Testing",
    judging: "Judging documents and schemas",
  },
  es: {
    reading: "Leyendo las pruebas",
    request: "Probando",
    judging: "Juzgando documentos y esquemas",
  },
} as const;

/**
 * Tests HTTP services, JSON documents and JSON Schemas; needs no model.
 *
 * Input: `http` (up to 50 cases `{name, request, expect, save}`, in turn), `variables` for the `{{name}}` in them,
 * `documents` (`[{name, json, assertions}]`) or one `json` with `assertions`, `schema` with `valid` and `invalid`
 * examples. Configuration: `timeout_ms` (10,000), `fail_task` (a failed test fails the task; false), `language`. The
 * output is the report, with the same as JUnit XML in `junit`. A case whose variables could not be saved is skipped.
 */
export const testing: Skill = {
  task_type: "testing",
  prior_quality: 0.9,
  estimate: ({ http }) => 1 + (Array.isArray(http) ? http.length : 0),
  lack: ({ input_data: { http, documents, json, schema } }) =>
    [http, documents, json, schema].every((given) => given === undefined)
      ? "Testing without a model needs tests that are written down: input_data.http, input_data.documents or json with assertions, or input_data.schema with examples; to run a project's own test suite takes a sandbox."
      : null,
  run: test,
};

async function* test(
  task: SkillTask,
  tools: SkillTools,
): AsyncGenerator<SkillProgress, SkillOutcome> {
  const read = readParameters(parametersSchema, task);
  if (!read.ok) return read;
  const { input_data, configuration } = read.value;
  const language = readerLanguage(task.configuration["language"], task.description);
  const redaction = new Redaction();
  redaction.learnVariables(input_data.variables);
  const steps = stepsOf(input_data, redaction, language);
  const played = yield* playAll(
    { input: input_data, timeout_ms: configuration.timeout_ms, steps },
    { tools, redaction },
  );
  if (!played.ok) return played;
  yield progressAt(steps, steps.length - 1, countsOf(played.value.cases));
  const offline = [...judgeDocuments(documentsOf(input_data)), ...judgeExamples(input_data)];
  const cases = [...played.value.cases, ...redaction.json(offline)];
  const report = reportOf(cases);
  if (report.tests === 0) return refuse(NO_TESTS);
  if (played.value.refused === cases.length) return refuse(unsendableTests(report));
  if (configuration.fail_task && report.state === "failed") return refuse(failedTests(report));
  return ok(resultOf(report, language));
}

const NO_TESTS: SkillFailure = {
  error_type: "input_no_tests",
  error_message: "There is no test to run.",
  root_cause: {
    class: "no_tests",
    detail: "The input has no test.",
    evidence: "None of input_data.http, documents, json and schema is there.",
  },
  recovery_suggestions: ["Give input_data.http, documents, json with assertions, or schema."],
  retry_recommended: false,
};

interface Plan {
  input: TestInput;
  timeout_ms: number;
  steps: readonly string[];
}

async function* playAll(
  { input, timeout_ms, steps }: Plan,
  means: { tools: SkillTools; redaction: Redaction },
): AsyncGenerator<
  SkillProgress,
  { ok: true; value: Played } | { ok: false; refusal: SkillFailure }
> {
  const cases: CaseReport[] = [];
  const saved: Record<string, JsonValue> = {};
  let refused = 0;
  for (const [index, one] of (input.http ?? []).entries()) {
    yield progressAt(steps, index + 1, countsOf(cases));
    const variables = { given: input.variables, saved };
    const missing = missingIn([one.request, one.expect], variables);
    if (missing.length > 0) {
      cases.push(skipped(one, missing));
      continue;
    }
    const step = `http-${index}`;
    try {
      const done = await means.tools.step(step, () =>
        play(one, { step, variables, timeout_ms }, means),
      );
      cases.push(done.report);
      Object.assign(saved, done.saved);
      means.redaction.learnVariables(done.saved);
      if (done.is_refused) refused += 1;
    } catch (cause) {
      if (!means.tools.signal.aborted) throw cause;
      return refuse(stoppedFailure(`${cases.length} HTTP tests were run.`));
    }
  }
  return ok({ cases, refused });
}

interface Played {
  cases: CaseReport[];
  /** Cases of which nothing could be sent. */
  refused: number;
}

function skipped(one: HttpCase, missing: readonly string[]): CaseReport {
  const reason = `no earlier test could save ${missing.map((name) => `{{${name}}}`).join(", ")}`;
  const report = caseReport({ group: "http", name: nameOf(one), duration_ms: 0 }, []);
  return { ...report, state: "skipped", reason };
}

function stepsOf(input: TestInput, redaction: Redaction, language: Language): string[] {
  const words = WORDS[language];
  const requests = (input.http ?? []).map((one) => `${words.request} ${nameOf(one)}`);
  return [words.reading, ...requests, words.judging].map((step) => redaction.text(step));
}

function countsOf(cases: readonly CaseReport[]): JsonObject {
  const { tests, passed, failed, skipped: left } = reportOf(cases);
  return { tests, passed, failed, skipped: left };
}
