import type { Language } from "../language.ts";
import { ratio, score } from "../score.ts";
import type { JsonObject, SkillFailure, SkillQuality, SkillResult } from "../skill.ts";
import type { CallReport } from "./call.ts";
import type { Deployment } from "./parameters.ts";

/** What a plan says of one call. */
export type PlannedCall = {
  stage: string;
  kind: "hook" | "check";
  method: string;
  target: string;
  headers: string[];
  body_characters: number;
  attempts: number;
};

/** The result of a dry run: what would be called, and that it may be. */
export function plannedResult(plan: readonly PlannedCall[], at: Context): SkillResult {
  const said =
    at.language === "es"
      ? `Ensayo: se harían ${plan.length} llamadas; no se envió nada.`
      : `Dry run: ${plan.length} calls would be made; nothing was sent.`;
  return resultOf({ outcome: "planned", steps: [...plan] }, said, [], at);
}

/** What a result tells besides its calls. */
interface Context {
  settings: Deployment;
  /** What the task called the thing that was deployed; null when it did not. */
  version: string | null;
  language: Language;
}

/** The result of a deployment whose checks all passed. */
export function deployedResult(steps: readonly CallReport[], at: Context): SkillResult {
  const checks = steps.filter(({ kind }) => kind === "check");
  const what = at.version ?? (at.language === "es" ? "La versión" : "The version");
  const verified = checks.length > 0;
  const es = verified
    ? `${what} está desplegada y ${checks.length} comprobaciones pasaron.`
    : `${what} está desplegada según el hook; no había comprobaciones.`;
  const en = verified
    ? `${what} is deployed, and ${checks.length} checks passed.`
    : `${what} is deployed by what the hook said; there was no check.`;
  const said = at.language === "es" ? es : en;
  return resultOf(
    { outcome: "deployed", is_verified: verified, steps: [...steps] },
    said,
    steps,
    at,
  );
}

function resultOf(
  output: JsonObject,
  summary: string,
  steps: readonly CallReport[],
  { settings, version, language }: Context,
): SkillResult {
  const next_steps = [
    ...(settings.verify.length === 0 ? [NEXT.verify[language]] : []),
    ...(settings.rollback === undefined ? [NEXT.rollback[language]] : []),
  ];
  return {
    output: { language, version, ...output },
    summary,
    quality: assess(steps, settings),
    next_steps,
    lessons_learned: [],
  };
}

const NEXT = {
  verify: {
    en: "Give configuration.verify, so that the next deployment is checked.",
    es: "Indique configuration.verify para comprobar el próximo despliegue.",
  },
  rollback: {
    en: "Give configuration.rollback, so that a deployment that fails can be undone.",
    es: "Indique configuration.rollback para poder deshacer un despliegue fallido.",
  },
} as const;

/**
 * How far the outcome can be relied on:
 *
 * - correctness: share of the calls that came to what they should (all of them, or it is no result)
 * - completeness: half, three tenths for checks, two tenths for a roll-back at hand
 * - efficiency: hooks by the calls they took
 * - maintainability: half, and half for a roll-back at hand
 */
function assess(steps: readonly CallReport[], { verify, rollback }: Deployment): SkillQuality {
  const hooks = steps.filter(({ kind }) => kind === "hook");
  const calls = hooks.reduce((sum, { attempts }) => sum + attempts, 0);
  const hasRollback = rollback === undefined ? 0 : 1;
  const criteria = {
    correctness: 1,
    completeness: 0.5 + (verify.length > 0 ? 0.3 : 0) + 0.2 * hasRollback,
    efficiency: calls === 0 ? 1 : ratio(hooks.length, calls),
    maintainability: 0.5 + 0.5 * hasRollback,
  };
  const { correctness, completeness, efficiency, maintainability } = criteria;
  const overall =
    0.65 * correctness + 0.2 * completeness + 0.05 * efficiency + 0.1 * maintainability;
  return {
    overall_score: score(overall),
    criteria_scores: {
      correctness,
      completeness: score(completeness),
      efficiency: score(efficiency),
      maintainability,
    },
    feedback: `${hooks.length} hooks took ${calls} calls; ${verify.length} checks and ${hasRollback} roll-back hooks are configured.`,
  };
}

/** The failure of a plan that names an address that may not be called: found before anything is. */
export function refusedPlan(call: PlannedCall, rule: string): SkillFailure {
  const detail = `Nothing was called: the ${call.kind} of "${call.stage}" at ${call.target} ${rule}.`;
  return {
    error_type: "deployment_refused",
    error_message: detail,
    root_cause: {
      class: "address_refused",
      detail,
      evidence: `configuration.${call.stage}: ${call.target} ${rule}`,
    },
    recovery_suggestions: [
      "Give public https addresses: the same rules hold as for webhooks.",
      "To deploy inside a network, register an executor there with deployment in its task_types.",
    ],
    retry_recommended: false,
  };
}

/** How a deployment that did not succeed was left. */
export type Left =
  | "nothing_deployed"
  | "no_rollback"
  | "rolled_back"
  | "rolled_back_unverified"
  | "rollback_failed";

const LEFT: Readonly<Record<Left, { type: string; says: string; suggestion: string }>> = {
  nothing_deployed: {
    type: "deploy_refused",
    says: "The hook refused the deployment, so nothing was changed.",
    suggestion:
      "Mend what the hook's answer names (credentials, version, body) and submit the task again.",
  },
  no_rollback: {
    type: "deployment_unverified",
    says: "There is no roll-back hook: whatever was deployed is still there.",
    suggestion: "Look at the target now, and give configuration.rollback for the next time.",
  },
  rolled_back: {
    type: "deployment_rolled_back",
    says: "It was rolled back, and the checks of the roll-back passed.",
    suggestion: "Mend the version by what the failed call names, then deploy it again.",
  },
  rolled_back_unverified: {
    type: "deployment_rolled_back",
    says: "The roll-back hook accepted; there was no check to see what it did.",
    suggestion: "Look at the target, and give configuration.rollback.verify for the next time.",
  },
  rollback_failed: {
    type: "rollback_failed",
    says: "CRITICAL: the roll-back failed too. The target is in an unknown state and needs a person now.",
    suggestion:
      "Restore the target by hand now; the evidence names the last call and what it answered.",
  },
};

/** Evidence shown: a result of a failure is a text. */
const LONGEST_EVIDENCE = 4_000;

/** The failure of a deployment: its cause, how the target was left, and every call that was made. */
export function failedDeployment(steps: readonly CallReport[], left: Left): SkillFailure {
  const culprit = steps.find(({ state }) => state !== "accepted" && state !== "passed");
  const what = culprit === undefined ? "a call failed" : culpritOf(culprit);
  const { type, says, suggestion } = LEFT[left];
  const isCritical = left === "rollback_failed";
  const message = isCritical
    ? `${says} It began when ${what}.`
    : `The deployment failed: ${what}. ${says}`;
  const cause = culprit?.kind === "check" ? "verification_failed" : "hook_failed";
  return {
    error_type: type,
    error_message: message.slice(0, 2_000),
    root_cause: {
      class: isCritical ? "critical_rollback_failed" : cause,
      detail: `${what}. ${says}`.slice(0, 2_000),
      evidence: JSON.stringify({ outcome: left, steps }).slice(0, LONGEST_EVIDENCE),
    },
    recovery_suggestions: [suggestion],
    // Deploying again what just failed is a decision for who submitted it.
    retry_recommended: false,
  };
}

function culpritOf({ kind, name, stage, state, attempts, unmet }: CallReport): string {
  const became = state === "unclear" ? "gave no clear answer" : `was ${state}`;
  const call = kind === "hook" ? `the hook of ${stage}` : `the check "${name}" of ${stage}`;
  const [first] = unmet;
  const why =
    first === undefined
      ? ""
      : ` (${first.path}: expected ${first.expected}, received ${first.received})`;
  return `${call} ${became} after ${attempts} attempts${why}`;
}
