import type { Language } from "../language.ts";
import { figuresFor } from "../number-format.ts";
import type { TargetReport, Verdict } from "./verdict.ts";

/** Something worth knowing about a target. */
export type Finding = {
  kind: "down" | "degraded" | "threshold" | "not_probed" | "redirect";
  severity: "critical" | "warning" | "info";
  target: string;
  text: string;
};

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** What was found, the gravest first; within a severity in the order of the targets. */
export function findingsOf(reports: readonly TargetReport[], language: Language): Finding[] {
  return reports
    .flatMap((report) => findingsOfTarget(report, language))
    .toSorted((one, other) => RANK[one.severity] - RANK[other.severity]);
}

function findingsOfTarget(report: TargetReport, language: Language): Finding[] {
  const { name, state, thresholds, redirects_to } = report;
  const words = WORDS[language];
  const found: Finding[] = [];
  const add = (kind: Finding["kind"], severity: Finding["severity"], text: string): void => {
    found.push({ kind, severity, target: name, text });
  };
  if (state === "not_probed") add("not_probed", "warning", words.notProbed(report));
  if (state === "down") add("down", "critical", words.down(report));
  if (state === "degraded" && report.availability < 1) {
    add("degraded", "warning", words.degraded(report));
  }
  for (const verdict of state === "not_probed" ? [] : thresholds) {
    if (!verdict.is_met) add("threshold", "warning", words.threshold(name, verdict));
  }
  if (state === "ok" && redirects_to !== null) add("redirect", "info", words.redirect(report));
  return found;
}

/** The cause with the most probes, and what the last of them lacked. */
function reasonOf({ causes, unmet }: TargetReport): string {
  const [cause] = Object.entries(causes).toSorted((one, other) => other[1] - one[1])[0] ?? [
    "network",
  ];
  const [first] = unmet;
  if (first === undefined) return cause;
  return cause === "expectation"
    ? `${first.path}: ${first.expected} ≠ ${first.received}`
    : `${cause}; ${first.received}`;
}

function refusedBy({ unmet }: TargetReport): string {
  return unmet[0]?.received.replace(/^\w+_refused: /, "") ?? "";
}

interface Words {
  down: (report: TargetReport) => string;
  degraded: (report: TargetReport) => string;
  threshold: (name: string, verdict: Verdict) => string;
  notProbed: (report: TargetReport) => string;
  redirect: (report: TargetReport) => string;
}

function failedOf({ probes }: TargetReport): { failed: number; made: number } {
  return { failed: probes.made - probes.as_expected, made: probes.made };
}

function measuredOf({ threshold, limit, measured }: Verdict, language: Language) {
  const { number, share } = figuresFor(language);
  const shown = (value: number) => (threshold === "p95_ms" ? `${number(value)} ms` : share(value));
  return { limit: shown(limit), measured: measured === null ? "–" : shown(measured) };
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    down: (report) => {
      const { made } = failedOf(report);
      return `${report.name} is down: none of ${made} probes was answered as expected (${reasonOf(report)}).`;
    },
    degraded: (report) => {
      const { failed, made } = failedOf(report);
      return `${report.name} failed ${failed} of ${made} probes (${reasonOf(report)}).`;
    },
    threshold: (name, verdict) => {
      const { limit, measured } = measuredOf(verdict, "en");
      return `${name} misses its threshold for ${verdict.threshold}: ${measured}, with a limit of ${limit}.`;
    },
    notProbed: (report) =>
      `${report.name} was not probed and nothing was sent: its address ${refusedBy(report)}.`,
    redirect: (report) =>
      `${report.name} answers with a redirect to ${report.redirects_to}, which was not followed.`,
  },
  es: {
    down: (report) => {
      const { made } = failedOf(report);
      return `${report.name} está caído: ninguna de las ${made} sondas obtuvo la respuesta esperada (${reasonOf(report)}).`;
    },
    degraded: (report) => {
      const { failed, made } = failedOf(report);
      return `${report.name} falló en ${failed} de ${made} sondas (${reasonOf(report)}).`;
    },
    threshold: (name, verdict) => {
      const { limit, measured } = measuredOf(verdict, "es");
      return `${name} no cumple su umbral de ${verdict.threshold}: ${measured}, con un límite de ${limit}.`;
    },
    notProbed: (report) =>
      `${report.name} no se sondeó y no se envió nada: su dirección ${refusedBy(report)}.`,
    redirect: (report) =>
      `${report.name} responde con una redirección a ${report.redirects_to}, que no se siguió.`,
  },
};
