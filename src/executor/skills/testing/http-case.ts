import type { Unmet } from "../http/assertions.ts";
import { documentOf, faultUnmet, filledExpectation, unmetBy } from "../http/expectations.ts";
import { valueAt } from "../http/json-path.ts";
import { shownUrl, type Redaction } from "../http/redaction.ts";
import { requestOf, steered } from "../http/request.ts";
import type { Variables } from "../http/template.ts";
import type { HttpAnswer, JsonObject, JsonValue, SkillTools } from "../skill.ts";
import type { HttpCase } from "./parameters.ts";
import { caseReport, type CaseReport } from "./report.ts";

/** What one case came to, as the journal holds it; `saved` is for the cases after it and is not told. */
export type Played = {
  report: CaseReport;
  saved: JsonObject;
  /** Whether the address might not be called at all. */
  is_refused: boolean;
};

/** A saved value is an id or a token; a document is not handed on. Characters of JSON. */
const LONGEST_SAVED = 4_096;

/** The name of a case: its own, else what it asks. */
export function nameOf({ name, request }: HttpCase): string {
  return (name ?? `${request.method} ${shownUrl(request.url)}`).slice(0, 200);
}

/**
 * Sends one case's request and judges the answer.
 *
 * @param step name of the step in the journal; a request that changes something carries its idempotency key
 * @throws when the run was stopped: half a case is none
 */
export async function play(
  test: HttpCase,
  { step, variables, timeout_ms }: { step: string; variables: Variables; timeout_ms: number },
  { tools, redaction }: { tools: SkillTools; redaction: Redaction },
): Promise<Played> {
  const request = requestOf(test.request, variables, {
    timeout_ms,
    key: tools.idempotencyKey(step),
  });
  redaction.learn(request);
  const at = { group: "http" as const, name: nameOf(test) };
  const refused = steered(test.request, variables);
  if (refused.length > 0) {
    const report = caseReport({ ...at, duration_ms: 0 }, refused);
    return { report: redaction.json(report), saved: {}, is_refused: true };
  }
  tools.signal.throwIfAborted();
  const answer = await tools.http(request);
  tools.signal.throwIfAborted();
  if (!answer.ok) {
    const { class: cause, duration_ms } = answer.refusal;
    const is_refused = cause === "address_refused" || cause === "request_refused";
    const report = caseReport({ ...at, duration_ms }, [faultUnmet(answer.refusal)]);
    return { report: redaction.json(report), saved: {}, is_refused };
  }
  const expect = filledExpectation(test.expect, variables);
  const unmet: Unmet[] = expect.ok
    ? unmetBy(expect.value, answer.value)
    : [{ path: "expect", expected: "an expectation that can be used", received: expect.refusal }];
  const { saved, missing } = save(test.save, answer.value);
  redaction.learnVariables(saved);
  const { duration_ms } = answer.value;
  const report = caseReport({ ...at, duration_ms }, [...unmet, ...missing]);
  return { report: redaction.json(report), saved, is_refused: false };
}

function save(
  wanted: HttpCase["save"],
  answer: HttpAnswer,
): { saved: JsonObject; missing: Unmet[] } {
  const saved: Record<string, JsonValue> = {};
  const missing: Unmet[] = [];
  if (Object.keys(wanted).length === 0) return { saved, missing };
  const read = documentOf(answer);
  for (const [name, path] of Object.entries(wanted)) {
    const value = read.ok ? valueAt(read.value, path) : undefined;
    const isSavable = value !== undefined && JSON.stringify(value).length <= LONGEST_SAVED;
    if (isSavable) saved[name] = value;
    else {
      const received = value === undefined ? "nothing" : `more than ${LONGEST_SAVED} characters`;
      missing.push({ path: `save.${name}`, expected: `a value at ${path}`, received });
    }
  }
  return { saved, missing };
}
