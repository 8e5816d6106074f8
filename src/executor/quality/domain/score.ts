import type { TaskType } from "../../../protocol/enums.ts";
import type { SkillQuality } from "../../skills/skill.ts";
import type { Finding } from "../assessment.ts";
import { scoreDebugging, scoreGeneration, scoreTesting } from "./code.ts";
import { scoreConfiguration, scoreDeployment, scoreMonitoring } from "./operations.ts";
import type { Criterion, Scorer, Signal, View } from "./signals.ts";
import { scoreAnalysis, scoreDocumentation, scoreGeneral, scoreResearch } from "./texts.ts";

const SCORERS: Readonly<Record<TaskType, Scorer>> = {
  code_generation: scoreGeneration,
  code_debugging: scoreDebugging,
  data_analysis: scoreAnalysis,
  documentation: scoreDocumentation,
  testing: scoreTesting,
  deployment: scoreDeployment,
  configuration: scoreConfiguration,
  monitoring: scoreMonitoring,
  research: scoreResearch,
  general: scoreGeneral,
};

/** What criteria weigh in the score of the domain, as in the skills' own scores. */
const WEIGHTS: Readonly<Record<Criterion, number>> = {
  correctness: 0.4,
  completeness: 0.3,
  efficiency: 0.1,
  maintainability: 0.2,
};
/** A signal below this is worth telling the maker of the output. */
const LOW = 0.6;

/** 1 where nothing is judged. */
function mean(signals: readonly Signal[]): number {
  return signals.length === 0
    ? 1
    : signals.reduce((sum, { share }) => sum + share, 0) / signals.length;
}

/** What is wrong in one place is not made good by what is right in others: halfway between the mean and the lowest. */
function strict(signals: readonly Signal[]): number {
  return (mean(signals) + Math.min(1, ...signals.map(({ share }) => share))) / 2;
}

/** The scores of an output by the measures of its task type, and what was low. Never blocking. */
export interface DomainScore {
  criteria_scores: SkillQuality["criteria_scores"];
  /** 0.4 · correctness + 0.3 · completeness + 0.1 · efficiency + 0.2 · maintainability. */
  score: number;
  findings: Finding[];
}

/** Where the contract prescribes the form of the result, signals about it are left out. */
function judgedOf(signals: ReturnType<Scorer>, { question }: View): ReturnType<Scorer> {
  if (question.output_schema === null) return signals;
  const free = (all: readonly Signal[]): Signal[] => all.filter(({ is_form }) => !is_form);
  return {
    correctness: free(signals.correctness),
    completeness: free(signals.completeness),
    efficiency: free(signals.efficiency),
    maintainability: free(signals.maintainability),
  };
}

/** Judges an output by the measures of its task type (row 41); each scorer says what it counts. */
export function scoreDomain(view: View): DomainScore {
  const signals = judgedOf(SCORERS[view.question.task_type](view), view);
  const criteria_scores = {
    correctness: strict(signals.correctness),
    completeness: mean(signals.completeness),
    efficiency: mean(signals.efficiency),
    maintainability: mean(signals.maintainability),
  };
  const low = new Map(
    Object.values(signals)
      .flat()
      .filter(({ share, code }) => share < LOW && code !== "unsound")
      .map((one) => [one.code, one]),
  );
  return {
    criteria_scores,
    score:
      WEIGHTS.correctness * criteria_scores.correctness +
      WEIGHTS.completeness * criteria_scores.completeness +
      WEIGHTS.efficiency * criteria_scores.efficiency +
      WEIGHTS.maintainability * criteria_scores.maintainability,
    findings: [...low.values()].map(({ code, detail }) => ({
      check: "domain",
      code,
      location: "",
      detail,
      is_blocking: false,
    })),
  };
}
