import { shownHook, shownUrl, type Redaction } from "../http/redaction.ts";
import { requestOf } from "../http/request.ts";
import type { Variables } from "../http/template.ts";
import type { HttpRequest, SkillTools } from "../skill.ts";
import type { PlannedCall } from "./outcome.ts";
import type { Check, Deployment, Hook } from "./parameters.ts";

/** A call that may come, with the request that it would send now. */
export interface Planned {
  told: PlannedCall;
  request: HttpRequest;
}

/** Every call that a deployment may make, in turn. Variables that an answer brings stand as they are written. */
export function planOf(
  { canary, deploy, verify, rollback, timeout_ms }: Deployment,
  variables: Variables,
  redaction: Redaction,
): Planned[] {
  const plan = (stage: string, kind: "hook" | "check", call: Hook | Check): Planned => {
    const form = "body" in call ? call : { ...call, body: undefined };
    const request = requestOf(form, variables, {
      timeout_ms,
      key: kind === "hook" ? "trial" : null,
    });
    redaction.learn(request);
    if (kind === "hook") redaction.learnHook(request.url);
    const { method, url, headers = {}, body = "" } = request;
    const target = redaction.text(kind === "hook" ? shownHook(url) : shownUrl(url));
    const told = {
      stage,
      kind,
      method,
      target,
      headers: Object.keys(headers),
      body_characters: body.length,
      attempts: call.attempts,
    };
    return { told, request };
  };
  return [
    ...(canary === undefined ? [] : [plan("canary", "hook", canary)]),
    ...(canary?.verify ?? []).map((check) => plan("canary", "check", check)),
    plan("deploy", "hook", deploy),
    ...verify.map((check) => plan("verify", "check", check)),
    ...(rollback === undefined ? [] : [plan("rollback", "hook", rollback)]),
    ...(rollback?.verify ?? []).map((check) => plan("rollback", "check", check)),
  ];
}

/** The first call of a plan that may not be made, and the rule that says so; null when all may. Sends nothing. */
export async function judgePlan(
  plan: readonly Planned[],
  tools: SkillTools,
): Promise<{ call: Planned; rule: string } | null> {
  for (const call of plan) {
    const judged = await tools.http({ ...call.request, is_trial: true });
    tools.signal.throwIfAborted();
    if (!judged.ok) return { call, rule: judged.refusal.detail };
  }
  return null;
}
