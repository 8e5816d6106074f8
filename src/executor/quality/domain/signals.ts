import { wordsOf } from "../../skills/language.ts";
import type { JsonValue, SkillQuality } from "../../skills/skill.ts";
import type { Finding, QualityQuestion } from "../assessment.ts";
import type { Measured } from "../meaning/measures.ts";
import type { Coverage } from "../meaning/terms.ts";
import { proseOf } from "../meaning/words.ts";
import type { Piece, Reading } from "../pieces.ts";

/** What scorers of task types look at. */
export interface View {
  question: QualityQuestion;
  reading: Reading;
  measured: Measured;
  coverage: Coverage;
  /** Findings of the other looks, which scorers count as faults of correctness. */
  findings: readonly Finding[];
  /** All prose of the output; code and data left out. */
  prose: string;
  /** All code and data of the output. */
  code: readonly Piece[];
  /** Prose, code and names of members together, in lower case. */
  lower: string;
}

/** Something counted that speaks for an output: a share in [0, 1], and what is wrong where it is low. */
export interface Signal {
  code: string;
  share: number;
  detail: string;
  /** About parts that the type's own shape of a result has. Where the contract prescribes a schema, it decides on them. */
  is_form: boolean;
}

export type Criterion = keyof SkillQuality["criteria_scores"];

/**
 * What a task type is judged by: each criterion is the mean of its signals, correctness halfway between their mean and
 * the lowest of them.
 */
export type Scorer = (view: View) => Record<Criterion, Signal[]>;

/** A signal: what it is called, its share, and what to say where it is low. */
export function signal(code: string, share: number | boolean, detail: string): Signal {
  return { code, share: Math.min(1, Math.max(0, Number(share))), detail, is_form: false };
}

/** A signal about parts that a result in a schema of the contract's need not have. */
export function form(code: string, share: number | boolean, detail: string): Signal {
  return { ...signal(code, share, detail), is_form: true };
}

/** A look at an output as scorers use it. */
export function viewOf(
  question: QualityQuestion,
  reading: Reading,
  meaning: { measured: Measured; coverage: Coverage },
): Omit<View, "findings"> {
  const prose = reading.pieces
    .map(proseOf)
    .filter((text) => text !== "")
    .join("\n");
  const code = reading.pieces.filter(({ kind }) => kind !== "text" && kind !== "markdown");
  const lower = [prose, ...code.map(({ text }) => text), reading.keys.join(" ")]
    .join("\n")
    .toLowerCase();
  return { question, reading, ...meaning, prose, code, lower };
}

/** 1 without broken or untrue places; half for one, a third for two. */
export function soundness({ findings }: View): Signal {
  const wrong = findings.filter(({ is_blocking }) => is_blocking).length;
  return signal("unsound", 1 / (1 + wrong), "parts of the output are broken or untrue");
}

const PLACEHOLDER =
  /\b(?:todo|fixme|tbd|lorem ipsum|changeme|your[ _-](?:code|value|key|name|password|token)(?:[ _-]here)?|placeholder|not (?:yet )?implemented|implement (?:me|this)|rest of (?:the )?code|fill (?:this )?in|pendiente de (?:completar|escribir))\b|<(?:insert|your)[^>\n]{1,60}>|\[(?:insert|your)[^\]\n]{1,60}\]/giu;

/** 1 without placeholders such as TODO or "your code here"; each takes a third. */
export function finished({ lower }: View): Signal {
  const left = lower.match(PLACEHOLDER) ?? [];
  const said = [...new Set(left)].slice(0, 3).join(", ");
  return signal("placeholder", 1 - left.length / 3, `placeholders are left: ${said}`);
}

/** How much of the subject is touched: all of it where nothing could be compared. */
export function aboutIt({ coverage }: View): Signal {
  const share =
    coverage.request === null ? 1 : Math.max(coverage.request, coverage.input ?? 0) / 0.6;
  return signal("thin_coverage", share, `not touched: ${coverage.missing.slice(0, 6).join(", ")}`);
}

/** Whether the output has something under one of these names, or a text that matches. */
export function has(
  view: View,
  code: string,
  what: { keys: string; words: RegExp; say: string },
): Signal {
  const keys = what.keys.split(" ");
  const isNamed = keys.some((key) => isFilled(memberOf(view.question.output, key)));
  return form(code, isNamed || what.words.test(view.lower), what.say);
}

/** The first member of this name, at the top or one level below. */
function memberOf(output: JsonValue, key: string): JsonValue | undefined {
  if (output === null || typeof output !== "object") return undefined;
  const own = output as { readonly [key: string]: JsonValue };
  if (Object.hasOwn(own, key)) return own[key];
  for (const inner of Object.values(own)) {
    if (inner !== null && typeof inner === "object" && Object.hasOwn(inner, key)) {
      return (inner as { readonly [key: string]: JsonValue })[key];
    }
  }
  return undefined;
}

/** Whether a value says anything. */
function isFilled(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false) return false;
  if (typeof value === "string") return value.trim() !== "";
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** Share of lines (sentences in prose) that are not there twice. Short ones repeat rightly. */
export function terse({ prose, code }: View): Signal {
  const parts = [
    ...prose.split(/(?<=[.!?])\s+|\n+/),
    ...code.flatMap(({ text }) => text.split("\n")),
  ]
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part.length > 20);
  const share = parts.length === 0 ? 1 : new Set(parts).size / parts.length;
  return signal("repetition", share, "sentences or lines are there more than once");
}

/** 1 for prose of so many words or more; in proportion below. */
export function longEnough({ prose }: View, words: number): Signal {
  const count = wordsOf(prose).length;
  return form(
    "too_short",
    count / words,
    `the text has ${count} words; an answer needs about ${words}`,
  );
}

/** 1 up to so many words; beyond it falls with the length. */
export function shortEnough({ prose }: View, words: number): Signal {
  const count = wordsOf(prose).length;
  return signal(
    "wordy",
    words / Math.max(words, count),
    `the text has ${count} words; ${words} would do`,
  );
}

/** 1 for sentences of 25 words in the mean or fewer. Long ones are hard to read. */
export function readable({ prose }: View): Signal {
  const sentences = prose
    .split(/[.!?:]\s|\n/)
    .map((part) => wordsOf(part.slice(0, 5_000)).length)
    .filter((count) => count > 2);
  const mean = sentences.reduce((sum, count) => sum + count, 0) / Math.max(1, sentences.length);
  return signal(
    "long_sentences",
    mean <= 25 ? 1 : 25 / mean,
    `sentences have ${Math.round(mean)} words in the mean`,
  );
}

/** Longer texts need headings, lists or members; short ones are fine as they are. */
export function structured({ prose, measured }: View): Signal {
  const words = wordsOf(prose).length;
  const parts = measured.headings.length + measured.list_items + measured.arrays.length;
  return form(
    "unstructured",
    words < 150 || parts >= 2,
    "a long text without headings, lists or parts",
  );
}

/** 1 for figures enough; in proportion below. */
export function figures({ question, prose }: View, wanted: number): Signal {
  const count = (prose.match(/\d[\d.,]{0,20}/g) ?? []).length + numbersIn(question.output);
  return form("few_figures", count / wanted, `${count} figures; findings rest on figures`);
}

function numbersIn(value: JsonValue, depth = 0): number {
  if (typeof value === "number") return 1;
  if (value === null || typeof value !== "object" || depth > 6) return 0;
  return Object.values(value)
    .slice(0, 1_000)
    .reduce((sum: number, inner: JsonValue) => sum + numbersIn(inner, depth + 1), 0);
}

const SECRET =
  /(?:password|passwd|secret|api[_-]?key|token)["']?\s{0,3}[:=]\s{0,3}["']?(?!\$|<|\{|env|process|os\.|null|none|\*|x{3})[a-z0-9_/+=-]{8,}|-----begin [a-z ]{0,30}private key-----/iu;

/** Whether secrets stand in clear. A reference to a variable is none. */
export function guarded({ lower }: View): Signal {
  return signal(
    "secret_in_clear",
    !SECRET.test(lower),
    "a secret stands in clear; refer to a variable or secret store",
  );
}
