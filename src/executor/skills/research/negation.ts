import type { Language } from "../language.ts";

/** Where a clause ends: marks (not within a number, a date or a list of years), and words that turn to something else. */
const BOUNDARY =
  /(?<!\d|\p{L}day|lunes|martes|miércoles|jueves|viernes|sábado|domingo),|,(?!\s?\d)|:(?!\d)|[;()–—]|(?<!\p{L})(?:but|however|although|though|while|whereas|yet|when|who|whose|where|that|which|because|if|pero|sino|aunque|mientras|cuando|si|que|quien|donde|porque)(?!\p{L})|(?<!\p{L})(?:and|y|e)(?= (?:not|never|it|he|she|they|was|were|is|are|has|had|did|does|do|will|could|would|then|no|nunca|se|fue|fueron|es|son|era|ha)(?!\p{L}))/giu;
const NEGATION =
  /(?<!\p{L})(?:not|never|nor|neither|cannot|no|nobody|none|\p{L}+n['’]t|nunca|jamás|ni|tampoco|nadie|ningun[oa]|ningún)(?!\p{L})/iu;
/** What denies the verb, preposition or fact behind it; a negated noun ("no one was hurt", "no debts") denies none. */
const DENIALS: Readonly<Record<Language, RegExp>> = {
  en: /(?<!\p{L})(?:not|never|cannot|no longer|neither|nor|\p{L}+n['’]t)(?!\p{L})/giu,
  // "No" negates a verb in Spanish, a noun in English.
  es: /(?<!\p{L})(?:no|nunca|jamás|tampoco|ni)(?!\p{L})/giu,
};
/** Of several, each denies only what it stands right before: "neither in 2018 nor in 2019". */
const OF_SEVERAL = /^(?:neither|nor|ni)$/i;
/** Words that look like a negation and deny nothing; with "until" what follows it is so, as with "nobody who has not". */
const NO_DENIAL =
  /(?<!\p{L})(?:not only|not just|no s[oó]lo|not far from|not surprisingly|not to mention|not least|not? (?:later|earlier|sooner|fewer|less|more) than|no (?:menos|más) de|none other than|with no|no doubt|no(?:ne|body)? .{0,80}?(?<!\p{L})(?:who|that|which) .{0,60}?(?<!\p{L})not|no\.? ?(?=\d)|not? .{0,80}?(?<!\p{L})(?:until|till|before)|no .{0,80}?(?<!\p{L})(?:hasta|antes de)|\p{L}+n['’]t .{0,80}?(?<!\p{L})(?:until|till|before))(?!\p{L})/giu;
const PREPOSITION =
  "in|on|at|by|of|to|for|with|from|since|during|after|before|en|el|desde|durante|tras|de|del|a|por|con|para";
/** An opening of a sentence that only says when or where: what follows is said of it. */
const SETTING = new RegExp(`^(?:${PREPOSITION})(?: \\S+){0,6}$`, "iu");
const BARE_SETTING = new RegExp(`^(?:${PREPOSITION})(?: (?:the|el|la|los|las))?$`, "iu");
const HAS_PREPOSITION = new RegExp(`(?<!\\p{L})(?:${PREPOSITION})(?!\\p{L})`, "iu");
const RIGHT_BEFORE = new RegExp(
  `^(?:(?:${PREPOSITION})(?!\\p{L}))? ?(?:(?:the|el|la|los|las)(?!\\p{L}))?$`,
  "iu",
);
const AUXILIARY =
  /(?<!\p{L})(?:do|does|did|is|are|was|were|be|been|has|have|had|will|would|can|could|may|might|must|should)$/iu;
/** Words between a denial and what it denies, and between a subject and the denial of its verb. */
const REACH = 6;
const SUBJECT_REACH = 3;

/** A piece of a sentence and where it begins there. */
interface Piece {
  text: string;
  index: number;
}

/** Whether a text, as a question, has a word that denies. */
export function denies(text: string): boolean {
  return NEGATION.test(text.replaceAll(NO_DENIAL, " "));
}

/**
 * What tells whether a sentence denies a piece of it, by its marks and words alone: a denial of the verb stands shortly
 * before it in its clause ("not opened in 2018"), or shortly behind it where it is the subject ("Ada did not open it") or
 * opens the sentence ("In 2018, it was not open").
 *
 * Only the nearest denial on either side counts.
 */
export function denialsIn(sentence: string, language: Language): (piece: Piece) => boolean {
  // Blanks keep every index where it was.
  const text = sentence.replaceAll(NO_DENIAL, (words) => " ".repeat(words.length));
  const found = Array.from(text.matchAll(DENIALS[language]), ({ 0: word, index }) => ({
    text: word,
    index,
  }));
  return (piece) => {
    const at = found.findLastIndex(({ index }) => index < piece.index);
    const [before, behind] = [found[at], found[at + 1]];
    const isBefore = before !== undefined && deniesBehind(text, before, piece);
    return isBefore || (behind !== undefined && deniesBefore(text, piece, behind));
  };
}

function deniesBehind(text: string, denial: Piece, piece: Piece): boolean {
  const end = denial.index + denial.text.length;
  return end <= piece.index && isObject(text.slice(end, piece.index + 1), denial.text);
}

function deniesBefore(text: string, piece: Piece, denial: Piece): boolean {
  const end = piece.index + piece.text.length;
  if (end > denial.index || OF_SEVERAL.test(denial.text)) return false;
  const before = text.slice(0, piece.index);
  const between = text.slice(end, denial.index);
  const isOfVerb =
    !/^not$/i.test(denial.text) || AUXILIARY.test(text.slice(0, denial.index).trim());
  return (isOfVerb && isSubjectOf(lastClause(before), between)) || isSettingOf(before, between);
}

/** @param upTo from behind the denial up to the first character of the piece, by which a mark is judged */
function isObject(upTo: string, word: string): boolean {
  const between = upTo.slice(0, -1);
  if (OF_SEVERAL.test(word)) return RIGHT_BEFORE.test(between.trim());
  return countWords(between) <= REACH && clauses(upTo).length === 1;
}

function isSubjectOf(clause: string, between: string): boolean {
  return (
    clauses(between).length === 1 &&
    !HAS_PREPOSITION.test(`${clause} ${between}`) &&
    countWords(clause) <= SUBJECT_REACH &&
    countWords(between) <= SUBJECT_REACH
  );
}

/** Without a comma behind, the opening must end with the piece, so that "the bridge of 1900 was not" is none. */
function isSettingOf(before: string, between: string): boolean {
  const opening = before.trim();
  const comma = /^[^,]{0,40},/.exec(between)?.[0];
  const rest = comma === undefined ? between : between.slice(comma.length);
  const isOpening = comma === undefined ? BARE_SETTING.test(opening) : SETTING.test(opening);
  return isOpening && clauses(rest).length === 1 && countWords(rest) <= REACH;
}

function clauses(text: string): string[] {
  return text.replaceAll(BOUNDARY, "\u0000").split("\u0000");
}

function lastClause(text: string): string {
  return clauses(text).at(-1) ?? "";
}

function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
}
