import type { Result } from "../../../lib/result.ts";
import type { Unmet } from "../http/assertions.ts";
import { documentOf, faultUnmet, filledExpectation, unmetBy } from "../http/expectations.ts";
import { valueAt } from "../http/json-path.ts";
import { shownHook, shownUrl, type Redaction } from "../http/redaction.ts";
import { requestOf, steered } from "../http/request.ts";
import { missingIn } from "../http/template.ts";
import type { Variables } from "../http/template.ts";
import type {
  HttpAnswer,
  HttpFault,
  HttpRequest,
  JsonObject,
  JsonValue,
  SkillTools,
} from "../skill.ts";
import type { Check, Hook } from "./parameters.ts";

export type Stage = "canary" | "deploy" | "rollback";

/**
 * What a call came to. A hook's is "accepted"; "refused" when its server said no, so that nothing was changed; "unclear"
 * when something may have been. A check's is "passed" or "failed".
 */
export type CallReport = {
  stage: Stage;
  kind: "hook" | "check";
  name: string;
  /** A hook's server only, because the path of a hook is its password. */
  target: string;
  state: "accepted" | "refused" | "unclear" | "passed" | "failed";
  status: number | null;
  attempts: number;
  duration_ms: number;
  unmet: Unmet[];
};

/** A call, with what its answer brought for later ones. */
export type Called = { report: CallReport; saved: JsonObject };

/** What calls are made with. */
export interface Means {
  tools: SkillTools;
  redaction: Redaction;
  timeout_ms: number;
}

/** Pause before a hook without a clear answer is called again, times the attempts made. Milliseconds. */
const HOOK_PAUSE_MS = 2_000;

const MOST_UNMET = 5;
const LONGEST_SAVED = 4_096;

/** A hook to call. */
export interface HookCall {
  stage: Stage;
  hook: Hook;
  /** Whether an earlier attempt of the task began to call it and left no report. */
  wasBegun: boolean;
}

/**
 * Calls a hook, again where its answer is not clear, always with the same Idempotency-Key.
 *
 * A refusal after a call without a clear answer ("already deploying") is unclear too: the first call may have worked.
 *
 * @throws when the run was stopped
 */
export async function callHook(
  { stage, hook, wasBegun }: HookCall,
  variables: Variables,
  { tools, redaction, timeout_ms }: Means,
): Promise<Called> {
  const request = requestOf(hook, variables, { timeout_ms, key: tools.idempotencyKey(stage) });
  redaction.learn(request);
  redaction.learnHook(request.url);
  const at = { stage, kind: "hook" as const, name: stage, target: shownHook(request.url) };
  const missing = missingIn([hook.url, hook.headers, hook.body ?? null, hook.expect], variables);
  const unsent = [...missing.map(missed), ...steered(hook, variables)];
  if (unsent.length > 0)
    return { report: uncalled({ ...at, state: "refused" }, unsent), saved: {} };
  const expect = filledExpectation(hook.expect, variables);
  let duration_ms = 0;
  let doubts: Unmet[] = wasBegun ? [BEGUN] : [];
  for (let attempts = 1; ; attempts += 1) {
    const answer = await ask(request, tools);
    duration_ms += durationOf(answer);
    const found = unmetIn(answer, expect);
    const said = found.length === 0 ? "accepted" : stateOf(answer);
    if (said !== "unclear" || attempts >= hook.attempts) {
      const status = answer.ok ? answer.value.status : null;
      const saved = said === "accepted" && answer.ok ? save(hook.save, answer.value) : {};
      redaction.learnVariables(saved);
      const judged = inDoubt({ state: said, unmet: found }, doubts);
      const report: CallReport = { ...at, ...judged, status, attempts, duration_ms };
      return { report: redaction.json(report), saved };
    }
    if (doubts.length === 0) doubts = found.slice(0, 1);
    await tools.pause(HOOK_PAUSE_MS * attempts);
  }
}

/** What the last answer comes to after calls that left doubts. */
function inDoubt(
  last: Pick<CallReport, "state" | "unmet">,
  doubts: readonly Unmet[],
): Pick<CallReport, "state" | "unmet"> {
  if (last.state !== "refused" || doubts.length === 0) return last;
  return { state: "unclear", unmet: [...doubts, ...last.unmet].slice(0, MOST_UNMET) };
}

function durationOf(answer: Result<HttpAnswer, HttpFault>): number {
  return answer.ok ? answer.value.duration_ms : answer.refusal.duration_ms;
}

/** What is known of a call whose attempt ended before it could tell. */
const BEGUN: Unmet = {
  path: "request",
  expected: "an answer to the call that an earlier attempt began",
  received: "nothing that is known",
};

/**
 * Asks until a check passes or its attempts are spent.
 *
 * @throws when the run was stopped
 */
export async function verify(
  stage: Stage,
  check: Check,
  variables: Variables,
  { tools, redaction, timeout_ms }: Means,
): Promise<CallReport> {
  const request = requestOf(check, variables, { timeout_ms, key: null });
  redaction.learn(request);
  const expect = filledExpectation(check.expect, variables);
  const target = shownUrl(request.url);
  const at = {
    stage,
    kind: "check" as const,
    name: check.name ?? `${check.method} ${target}`,
    target,
  };
  const missing = missingIn([check.url, check.headers, check.expect], variables);
  const unsent = [...missing.map(missed), ...steered(check, variables)];
  if (unsent.length > 0) return uncalled({ ...at, state: "failed" }, unsent);
  let duration_ms = 0;
  for (let attempts = 1; ; attempts += 1) {
    const answer = await ask(request, tools);
    duration_ms += durationOf(answer);
    const unmet = unmetIn(answer, expect);
    if (unmet.length === 0 || attempts >= check.attempts) {
      const state = unmet.length === 0 ? "passed" : "failed";
      const status = answer.ok ? answer.value.status : null;
      const report: CallReport = { ...at, state, status, attempts, duration_ms, unmet };
      return redaction.json(report);
    }
    await tools.pause(check.interval_ms);
    duration_ms += check.interval_ms;
  }
}

/** A call that is not sent: with a hole in it, or to where a server wants it. */
function uncalled(
  at: Pick<CallReport, "stage" | "kind" | "name" | "target" | "state">,
  unmet: Unmet[],
): CallReport {
  return { ...at, status: null, attempts: 0, duration_ms: 0, unmet };
}

/** What an earlier answer should have brought. */
function missed(name: string): Unmet {
  return {
    path: `variables.${name}`,
    expected: "a value saved from an earlier answer",
    received: "nothing",
  };
}

async function ask(
  request: HttpRequest,
  tools: SkillTools,
): Promise<Result<HttpAnswer, HttpFault>> {
  tools.signal.throwIfAborted();
  const answer = await tools.http(request);
  tools.signal.throwIfAborted();
  return answer;
}

function unmetIn(
  answer: Result<HttpAnswer, HttpFault>,
  expect: ReturnType<typeof filledExpectation>,
): Unmet[] {
  if (!answer.ok) return [faultUnmet(answer.refusal)];
  if (expect.ok) return unmetBy(expect.value, answer.value).slice(0, MOST_UNMET);
  const expected = "an expectation that can be used";
  return [{ path: "expect", expected, received: expect.refusal }];
}

/** Statuses below 500 that ask for another try, and so say nothing of what was done (RFC 9110, RFC 6585, RFC 8470). */
const AGAIN: readonly number[] = [408, 425, 429];

function stateOf(answer: Result<HttpAnswer, HttpFault>): "refused" | "unclear" {
  if (!answer.ok) return answer.refusal.class.endsWith("_refused") ? "refused" : "unclear";
  const { status } = answer.value;
  return status >= 300 && status < 500 && !AGAIN.includes(status) ? "refused" : "unclear";
}

function save(wanted: Hook["save"], answer: HttpAnswer): JsonObject {
  const read = documentOf(answer);
  if (!read.ok) return {};
  return Object.fromEntries(
    Object.entries(wanted).flatMap(([name, path]): [string, JsonValue][] => {
      const value = valueAt(read.value, path);
      const isSavable = value !== undefined && JSON.stringify(value).length <= LONGEST_SAVED;
      return isSavable ? [[name, value]] : [];
    }),
  );
}
