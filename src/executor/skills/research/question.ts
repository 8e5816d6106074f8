import { stopWords, wordsOf, type Language } from "../language.ts";
import { endsInAbbreviation } from "../text/split-sentences.ts";

/** What a question asks for; the kinds before `reason` ask for a fact that can be pointed at. */
export type QuestionKind =
  | "date"
  | "number"
  | "person"
  | "place"
  | "reason"
  | "definition"
  | "yes_no"
  | "open";

/** One question and the words that an answer must be about. */
export interface Question {
  text: string;
  kind: QuestionKind;
  /** Content words and numbers in lower case, each once, in their order. */
  words: string[];
  /** Words that an answer often does without ("how long": "112 metres"): they help to find, and are never missed. */
  hints: string[];
  /** Words written with a capital, not counting the first: names, to be matched as they stand. */
  names: Set<string>;
  /** What "how many" counts; null where something is measured instead ("how long"). */
  counted: string | null;
}

/** Questions answered in one task; more belong in tasks of their own. */
export const MAX_QUESTIONS = 20;
const MAX_WORDS = 40;
/** Words about the asking rather than about the matter. */
const ABOUT_ASKING = new Set(
  "answer question tell explain describe according document documents text please given find list research many much often year date day time kind responde responder pregunta dime explica describe según documento documentos texto favor dado busca lista investiga año fecha día hora tipo cuánto cuánta cuántos cuántas cuanto cuanta cuantos cuantas".split(
    " ",
  ),
);
const HINTS = new Set(
  "long far old tall high deep big large fast heavy wide hot cold cost costs last lasts measure weigh age mide miden dura durar duran pesa pesan cuesta cuestan costará vale tarda".split(
    " ",
  ),
);
const COUNTS = /(?:how many|number of|cu[aá]nt[oa]s|cu[aá]nta|n[uú]mero de)\s+(.*)/iu;
/** In both languages; the first that fits decides. Spanish often comes without its accents. */
const KINDS: readonly (readonly [QuestionKind, RegExp])[] = [
  ["reason", /^(?:why|how come|for what reason|por\s?qué|por que|a qué se debe)(?!\p{L})/iu],
  [
    "date",
    /(?:^|\b(?:in|on|since|until|from|by|en|desde|hasta)\s+)(?:when\b|(?:what|which) (?:year|date|day|month|time|century)\b|cu[aá]ndo(?!\p{L})|qu[eé] (?:año|fecha|d[ií]a|mes|hora|siglo)(?!\p{L}))/iu,
  ],
  [
    "number",
    /\b(?:how (?:many|much|long|far|old|often|tall|high|deep|big|large|fast|heavy|wide|hot|cold)|what (?:number|percentage|share|proportion|amount|price)|cu[aá]nt[oa]s?|qu[eé] (?:n[uú]mero|porcentaje|cantidad|precio|proporci[oó]n))(?!\p{L})/iu,
  ],
  [
    "person",
    /^(?:(?:by|to|for|with|from)\s+)?(?:who|whom|whose)(?!\p{L})|^(?:(?:a|de|por|con|para)\s+)?qui[eé]n(?:es)?(?!\p{L})/iu,
  ],
  [
    "place",
    /^(?:(?:from|to|in)\s+)?(?:where|(?:what|which) (?:place|city|country|town|region))\b|^(?:(?:de|en|desde|hasta)\s+)?(?:a?d[oó]nde|qu[eé] (?:lugar|ciudad|pa[ií]s|pueblo|regi[oó]n))(?!\p{L})/iu,
  ],
  [
    "definition",
    /^(?:what (?:is|are|was|were|does .* mean)|define|meaning of|qu[eé] (?:es|son|era|eran|significa)|define|definici[oó]n)(?!\p{L})/iu,
  ],
  [
    "yes_no",
    /^(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|must|may|es|est[aá]n?|son|fue|fueron|era|eran|tiene|tienen|hay|puede|pueden|ha|han|se (?:puede|debe)|debe|deben)\s/iu,
  ],
];

/**
 * The questions of a text: every sentence that ends in a question mark; without any, every line. At most 20.
 */
export function questionsOf(text: string, language: Language): Question[] {
  const lines = text.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  const asked = lines
    .flatMap((line) => sentencesOf(line, language))
    .filter((part) => part.endsWith("?"));
  const questions = (asked.length > 0 ? asked : lines)
    .map((part) => part.replace(/^(?:[-*•–]|\d{1,3}[.)])\s+/, ""))
    .filter((part) => /[\p{L}\p{N}]/u.test(part))
    .slice(0, MAX_QUESTIONS)
    .map((part) => questionFrom(part, language));
  for (const [at, question] of questions.entries()) {
    // "Who led the inspection? When?" asks both of the inspection.
    if (question.words.length === 0) question.words = questions[at - 1]?.words ?? [];
  }
  return questions;
}

/** The sentences of a line; the full stop of "Smith vs. Jones" ends none. */
function sentencesOf(line: string, language: Language): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { 0: blank, index } of line.matchAll(/(?<=\?) *|(?<=[.!:;]) +/g)) {
    const end = index + blank.length;
    if (endsInAbbreviation(line.slice(start, index), line.slice(end), language)) continue;
    sentences.push(line.slice(start, index));
    start = end;
  }
  return [...sentences, line.slice(start)];
}

function questionFrom(text: string, language: Language): Question {
  const bare = text.replace(/^[¿¡"'“«(\s]+/u, "");
  const content = wordsOf(bare)
    .slice(0, 500)
    .filter((word) => isContent(word, language));
  const matter = content.filter((word) => !ABOUT_ASKING.has(word) && !HINTS.has(word));
  const [, after = ""] = COUNTS.exec(bare) ?? [];
  const [, ...capitals] = bare.match(/[\p{L}\p{N}'’-]+/gu) ?? [];
  return {
    text,
    kind: KINDS.find(([, pattern]) => pattern.test(bare))?.[0] ?? "open",
    words: [...new Set(matter)].slice(0, MAX_WORDS),
    hints: content.filter((word) => HINTS.has(word)).slice(0, MAX_WORDS),
    names: new Set(
      capitals.filter((word) => /^\p{Lu}/u.test(word)).map((word) => word.toLowerCase()),
    ),
    counted: wordsOf(after).find((word) => matter.includes(word)) ?? null,
  };
}

/** Numbers count here: "the 2019 report" is about 2019. */
function isContent(word: string, language: Language): boolean {
  const base = word.replace(/['’].*$/u, "");
  if (stopWords(language).has(base)) return false;
  return /\p{N}/u.test(base) || base.length > 1;
}
