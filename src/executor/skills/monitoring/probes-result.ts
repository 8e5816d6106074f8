import type { Language } from "../language.ts";
import { ratio, weighedQuality } from "../score.ts";
import type { SkillFailure, SkillQuality, SkillResult } from "../skill.ts";
import type { Finding } from "./findings.ts";
import type { Settings, Target } from "./parameters.ts";
import { overallState } from "./verdict.ts";
import type { State, TargetReport } from "./verdict.ts";

/** What was asked, beside what was found. */
interface Asked {
  targets: readonly Target[];
  configuration: Settings;
  language: Language;
}

const STATES: readonly State[] = ["down", "degraded", "ok", "not_probed"];
const WEIGHTS = { correctness: 0.4, completeness: 0.4, efficiency: 0.1, maintainability: 0.1 };

/** The result of a round of probes; the reports are clean of credentials. */
export function probesResult(
  reports: readonly TargetReport[],
  findings: readonly Finding[],
  asked: Asked,
): SkillResult {
  const state = overallState(reports);
  const counts = Object.fromEntries(
    STATES.map((one) => [one, reports.filter((report) => report.state === one).length]),
  );
  const head = headline(reports, state, asked.language);
  return {
    output: { mode: "probes", language: asked.language, state, counts, findings, targets: reports },
    summary: [head, ...findings.slice(0, 4).map(({ text }) => text)].join(" ").slice(0, 2_000),
    quality: assess(reports, asked),
    next_steps: adviceOn(findings, asked.language),
    lessons_learned: [],
  };
}

function headline(reports: readonly TargetReport[], state: State, language: Language): string {
  const good = reports.filter((report) => report.state === "ok").length;
  return language === "es"
    ? `Estado ${state}: ${good} de ${reports.length} objetivos responden como se espera.`
    : `State ${state}: ${good} of ${reports.length} targets do as expected.`;
}

/**
 * How far this round can be relied on, whatever it found:
 *
 * - correctness: share of the targets whose address could be called
 * - completeness: share of the planned probes that were made (a target that only times out is given up)
 * - efficiency: share of the targets called that were probed to the end
 * - maintainability: half, and the other half by the share of targets with expectations of their own or thresholds
 */
function assess(reports: readonly TargetReport[], { targets, configuration }: Asked): SkillQuality {
  const called = reports.filter(({ state }) => state !== "not_probed");
  const planned = called.reduce((sum, { probes }) => sum + probes.planned, 0);
  const made = called.reduce((sum, { probes }) => sum + probes.made, 0);
  const whole = called.filter(({ probes }) => probes.made === probes.planned);
  const hasThresholds = Object.keys(configuration.thresholds).length > 0;
  const specified = targets.filter(({ expect }) => hasThresholds || Object.keys(expect).length > 0);
  const criteria = {
    correctness: ratio(called.length, reports.length),
    completeness: ratio(made, planned),
    efficiency: ratio(whole.length, called.length),
    maintainability: 0.5 + 0.5 * ratio(specified.length, targets.length),
  };
  return weighedQuality(
    criteria,
    WEIGHTS,
    `${called.length} of ${reports.length} targets could be called; ${made} of ${planned} planned probes were made; ${specified.length} of ${targets.length} targets say what is expected of them.`,
  );
}

const ADVICE: Readonly<Record<Finding["kind"], Readonly<Record<Language, string>>>> = {
  down: {
    en: "Look at the servers that are down first, beginning with the cause that is named.",
    es: "Revise primero los servidores caídos, empezando por la causa indicada.",
  },
  degraded: {
    en: "Look at why some probes failed: the fields `causes` and `unmet` of the target name it.",
    es: "Revise por qué fallaron algunas sondas: lo dicen los campos `causes` y `unmet` del objetivo.",
  },
  threshold: {
    en: "Compare with an earlier round before acting on a threshold that was narrowly missed.",
    es: "Compare con una ronda anterior antes de actuar por un umbral rozado.",
  },
  not_probed: {
    en: "Give public addresses, or register an executor inside the network of the others.",
    es: "Indique direcciones públicas, o registre un ejecutor dentro de la red de las demás.",
  },
  redirect: {
    en: "Probe the address that a redirect leads to, if that is the one that matters.",
    es: "Sondee la dirección a la que lleva la redirección, si es la que importa.",
  },
};

function adviceOn(findings: readonly Finding[], language: Language): string[] {
  return [...new Set(findings.map(({ kind }) => ADVICE[kind][language]))];
}

/** The failure of a round in which no address may be called: there is nothing to report. */
export function unreachableFailure(reports: readonly TargetReport[]): SkillFailure {
  const evidence = reports
    .slice(0, 10)
    .map(({ name, url, unmet }) => `${name} (${url}): ${unmet[0]?.received ?? "refused"}`)
    .join("\n");
  const detail = `None of the ${reports.length} targets may be probed, and nothing was sent: ${evidence.split("\n")[0] ?? ""}.`;
  return {
    error_type: "targets_refused",
    error_message: detail.slice(0, 1_000),
    root_cause: { class: "address_refused", detail: detail.slice(0, 1_000), evidence },
    recovery_suggestions: [
      "Give public https addresses: the same rules hold as for webhooks.",
      "To watch what is inside a network, register an executor there with monitoring in its task_types.",
    ],
    retry_recommended: false,
  };
}
