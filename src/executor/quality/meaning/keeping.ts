import type { JsonValue } from "../../skills/skill.ts";
import type { Finding } from "../assessment.ts";
import type { Reading } from "../pieces.ts";
import type { Constraint, CountConstraint } from "./constraints.ts";
import { countOf, type Measured } from "./measures.ts";
import { languageOf, proseOf } from "./words.ts";

/** "About 100 words" and a limit of 100 words leave so much more or less. */
const TOLERANCE = 0.1;

/** What constraints are looked up in. */
export interface Kept {
  output: JsonValue;
  reading: Reading;
  measured: Measured;
  /** The whole output as text, in lower case, up to the limit of what is looked at. */
  lower: string;
}

/** The whole output as one lower-case text: names of members and their texts. */
export function lowerText(reading: Reading): string {
  return [
    ...reading.keys,
    ...reading.pieces.filter(({ line }) => line === 1).map(({ text }) => text),
  ]
    .join("\n")
    .toLowerCase();
}

/** Whether a constraint is kept: null when that can't be told from this output, else what is wrong with it, if anything. */
export function judgeConstraint(constraint: Constraint, kept: Kept): Finding[] | null {
  switch (constraint.kind) {
    case "count":
      return judgeCount(constraint, kept.measured);
    case "language":
      return judgeLanguage(constraint, kept.reading);
    case "form": {
      const { has_table, list_items, arrays } = kept.measured;
      const { form, said } = constraint;
      const has = form === "table" ? has_table : list_items > 1 || arrays.length > 0;
      return has ? [] : [finding("missing_form", `${asked(said)}, but there is no ${form}`)];
    }
    case "code_language":
      return judgeCodeLanguage(constraint, kept.reading);
    case "literal":
      return judgeLiteral(constraint, kept.lower);
    case "section": {
      const detail = `there is no section "${constraint.name}"`;
      return hasSection(constraint.name, kept) ? [] : [finding("missing_section", detail)];
    }
    case "file": {
      const detail = `the file ${constraint.path} that the request names is not in the output`;
      const has = kept.lower.includes(constraint.path.toLowerCase());
      return has ? [] : [finding("missing_file", detail)];
    }
  }
}

type Of<Kind extends Constraint["kind"]> = Extract<Constraint, { kind: Kind }>;

function asked(said: string): string {
  return `the request says '${said.slice(0, 200)}'`;
}

function judgeLanguage({ language, said }: Of<"language">, reading: Reading): Finding[] | null {
  const found = languageOf(reading.pieces.map(proseOf).join("\n"));
  if (found === null) return null;
  const detail = `${asked(said)}, but the text is in ${found === "es" ? "Spanish" : "English"}`;
  return found === language ? [] : [finding("wrong_language", detail)];
}

function judgeCodeLanguage(
  { language, said }: Of<"code_language">,
  reading: Reading,
): Finding[] | null {
  const found = [...new Set(reading.pieces.flatMap((piece) => piece.language ?? []))];
  if (found.length === 0) return null;
  if (found.some((one) => isLike(one, language))) return [];
  const detail = `${asked(said)}, but the code is ${found.slice(0, 5).join(", ")}`;
  return [finding("wrong_code_language", detail)];
}

function judgeLiteral({ text, is_wanted, said }: Of<"literal">, lower: string): Finding[] {
  if (lower.includes(text.toLowerCase()) === is_wanted) return [];
  return is_wanted
    ? [finding("missing_name", `${asked(said)}, but it is nowhere in the output`)]
    : [finding("forbidden_text", `${asked(said)}, but the output has "${text}"`)];
}

function finding(code: string, detail: string, is_blocking = true): Finding {
  return { check: "semantic", code, location: "", detail, is_blocking };
}

/** TypeScript is given where JavaScript is asked for, and both with their markup. */
function isLike(found: string, wanted: string): boolean {
  if (found === wanted) return true;
  if (wanted === "typescript") return found === "tsx";
  return wanted === "javascript" && found === "jsx";
}

function hasSection(name: string, { measured, reading, lower }: Kept): boolean {
  const wanted = name.toLowerCase();
  if (measured.headings.length === 0) return lower.includes(wanted);
  return (
    measured.headings.some((heading) => heading.toLowerCase().includes(wanted)) ||
    reading.keys.some((key) => key.toLowerCase().replaceAll("_", " ").includes(wanted)) ||
    lower.includes(`**${wanted}`)
  );
}

function judgeCount(constraint: CountConstraint, measured: Measured): Finding[] | null {
  const count = countOf(constraint, measured);
  if (count === null) return null;
  const { least, most, unit, is_firm, said } = constraint;
  const slack = unit === "words" || unit === "characters" ? TOLERANCE : 0;
  const isTooFew = least !== null && count < least * (1 - slack);
  const isTooMany = most !== null && count > most * (1 + (is_firm ? slack : 0.5));
  if (!isTooFew && !isTooMany) return [];
  const detail = `${asked(said)}, but there are ${count} ${unit === "items" ? `(${constraint.noun})` : unit}`;
  return [finding(isTooFew ? "too_few" : "too_many", detail, is_firm)];
}
