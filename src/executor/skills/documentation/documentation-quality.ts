import type { Language } from "../language.ts";
import { figuresFor } from "../number-format.ts";
import { weighedQuality } from "../score.ts";
import type { SkillQuality } from "../skill.ts";

/** What the assessment of a reference looks at. */
export interface ReferenceFacts {
  documented: number;
  undocumented: number;
  references: number;
  unresolved: readonly string[];
  sections: number;
  left_out: number;
}

const WEIGHTS = { correctness: 0.4, completeness: 0.25, efficiency: 0.1, maintainability: 0.25 };

/**
 * How far a reference can be relied on, from counted facts:
 *
 * - correctness: share of the source's references that lead somewhere (1 without any)
 * - completeness: share of what can have a description that has one
 * - efficiency: share of the sections that fitted the page
 * - maintainability: 1 when every section has its own anchor and every reference its target, 0.5 when references
 *   lead nowhere and would have to be mended by hand
 */
export function assessReference(facts: ReferenceFacts, language: Language): SkillQuality {
  const { documented, undocumented, references, unresolved, sections, left_out } = facts;
  const told = documented + undocumented;
  const criteria = {
    correctness: references === 0 ? 1 : 1 - unresolved.length / references,
    completeness: told === 0 ? 1 : documented / told,
    efficiency: 1 - left_out / Math.max(1, sections),
    maintainability: unresolved.length === 0 ? 1 : 0.5,
  };
  const share = figuresFor(language).share(criteria.completeness);
  return weighedQuality(
    criteria,
    WEIGHTS,
    language === "es"
      ? `La referencia tiene ${sections - left_out} secciones; ${documented} de ${told} elementos (${share}) tienen descripción y ${unresolved.length} referencias no llevan a nada.`
      : `The reference has ${sections - left_out} sections; ${documented} of ${told} items (${share}) have a description, and ${unresolved.length} references lead nowhere.`,
  );
}
