import type { Language } from "../language.ts";
import { denialsIn } from "./negation.ts";
import type { QuestionKind } from "./question.ts";

/** A fact in a sentence, verbatim, and where it begins there. */
export interface Fact {
  text: string;
  index: number;
}

/** A fact, and whether its sentence denies it ("not on 14 June"). */
export interface StatedFact extends Fact {
  is_denied: boolean;
}

const MONTH =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre)";
const DATE = new RegExp(
  [
    String.raw`\d{4}-\d{2}-\d{2}`,
    String.raw`\d{1,2}[/.]\d{1,2}[/.]\d{2,4}`,
    String.raw`\d{1,2}(?:st|nd|rd|th|º)?(?: of| de)? ${MONTH}\b\.?(?:,?(?: de| del| of)? \d{4})?`,
    String.raw`\b${MONTH}\b\.?(?: \d{1,2}(?:st|nd|rd|th)?\b)?(?:,?(?: de| del| of)? \d{4})`,
    String.raw`\b${MONTH} \d{1,2}(?:st|nd|rd|th)?\b`,
    // Not "mar.", the sea of Spanish.
    String.raw`\b(?:jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)\. \d{1,2}(?:st|nd|rd|th)?\b`,
    // Short months of Spanish are words of other meaning without a day before and a year or full stop after.
    String.raw`\d{1,2}(?: de)? (?:ene|abr|ago|set|dic)(?:\.?,?(?: del?)? \d{4}|\.)`,
    String.raw`\b\d{1,2}:\d{2}(?: ?[ap]\.?m\.?)?`,
    String.raw`\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)(?!\p{L})`,
    String.raw`\b(?:1\d{3}|20\d{2})\b(?![.,]?\d|\s*%)`,
  ].join("|"),
  "giu",
);
const UNIT = String.raw`(?:percent|por ciento|thousand|million|billion|trillion|mil|mill[oó]n(?:es)?|(?:kilo|centi|mili|milli)?met(?:re|er|ro)s?|km|cm|mm|m|miles?|feet|foot|inch(?:es)?|millas?|pies?|kg|kilos?|(?:kilo)?gram(?:o|s|os)?|ton(?:ne|elada)?s?|pounds?|lit(?:re|er|ro)s?|hours?|minutes?|seconds?|days?|weeks?|months?|years?|horas?|minutos?|segundos?|días?|semanas?|mes(?:es)?|años?|degrees|grados|°[CF]?|euros?|dollars?|dólares)(?![\p{L}\d])`;
const NUMERAL = String.raw`(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[ -](?:one|two|three|four|five|six|seven|eight|nine)|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozens?|half|(?:treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa) y (?:uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci\p{L}+|veinti?\p{L}+|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien|ciento|mil|docenas?|mitad`;
const HUNDREDS = String.raw`(?:(?:dos|tres|cuatro|seis|sete|ocho|nove)c|quin)ient[oa]s`;
const NUMBER_WORD = `(?:${HUNDREDS}|${NUMERAL})(?!\\p{L})`;
/** Words of one number stand in a row; "and" joins them behind a hundred or thousand ("ten and twenty" are two). */
const NUMBER_WORDS = String.raw`(?:one[ -](?=(?:hundred|thousand)(?!\p{L})))?${NUMBER_WORD}(?:(?: |-|(?<=hundred|thousand) and |(?<=nta) y )(?:${NUMBER_WORD}|(?:one|uno|una|un)(?!\p{L})))*`;
const NUMBER = new RegExp(
  String.raw`(?:[$€£¥]\s?)?(?<![\p{L}\d.,])-?\d+(?:[.,\u00a0]\d+)*(?:\s?%|[ -]?${UNIT}(?: ${UNIT})?)?(?:\s?[$€£¥])?|(?<!\p{L})${NUMBER_WORDS}(?:[ -]${UNIT}(?: ${UNIT})?)?`,
  "giu",
);
const MEASURE = new RegExp(String.raw`[$€£¥%]|[\p{L}\d][ -]?${UNIT}`, "iu");
const NAME =
  /(?<!\p{L})\p{Lu}[\p{L}’'-]*\.?(?: (?:(?:de|del|da|la|las|los|van|von|bin|al|of|the) ){0,2}\p{Lu}[\p{L}’'-]*\.?)*/gu;
const PLACE =
  /(?<=(?<!\p{L})(?:in|at|from|to|near|into|on|en|desde|hacia|hasta|a|de|cerca de|junto a) (?:the |el |la |los |las )?)\p{Lu}[\p{L}’'-]*(?: (?:(?:de|del|la|las|los|of|the) ){0,2}\p{Lu}[\p{L}’'-]*)*/gu;
const REASON =
  /(?<!\p{L})(?:because|due to|owing to|thanks to|so that|in order to|as a result of|caused by|the reason|porque|debido a|gracias a|ya que|puesto que|a causa de|para que|con el fin de|por lo que|se debe a)(?!\p{L})/giu;
const DEFINITION =
  /^[^.;]{0,80}?(?<!\p{L})(?:is an?|is the|are|is|was an?|was the|were|means|refers to|is called|consists of|es una?|es el|es la|es|son|era una?|significa|se llama|consiste en|se refiere a)(?!\p{L})/giu;
/** No name, though it begins with a capital. */
const NO_NAME = new RegExp(
  `^(?:(?:the|a|an|it|he|she|they|this|that|these|those|we|i|in|on|at|by|for|from|after|before|when|while|if|as|but|and|its|his|her|their|no|none|nobody|not|never|neither|nor|nadie|ninguno|ninguna|nunca|ni|el|la|los|las|un|una|en|por|para|desde|tras|cuando|si|pero|y|su|sus|este|esta|esto|se|al|del)|${MONTH})$`,
  "iu",
);

/** Kinds of which a sentence without a fitting fact answers little. */
export function needsFact(kind: QuestionKind): boolean {
  return kind === "date" || kind === "number" || kind === "person" || kind === "place";
}

/** As factsOf, each with whether its sentence denies it. */
export function statedFacts(
  kind: QuestionKind,
  sentence: string,
  language: Language,
  isKnown: (word: string) => boolean,
): StatedFact[] {
  const facts = factsOf(kind, sentence, isKnown);
  if (facts.length === 0) return [];
  const isDenied = denialsIn(sentence, language);
  return facts.map((fact) => ({ ...fact, is_denied: isDenied(fact) }));
}

/** Whether a number is told with what it measures: "112 metres", "€48,500", "17 %". */
export function isMeasure({ text }: Fact): boolean {
  return MEASURE.test(text);
}

/**
 * The facts of a sentence that a question of this kind may be after, in their order; for an open or yes/no
 * question none.
 *
 * @param isKnown whether a word is in the question: a name that the question gives is no answer to who or where
 */
export function factsOf(
  kind: QuestionKind,
  sentence: string,
  isKnown: (word: string) => boolean,
): Fact[] {
  switch (kind) {
    case "date":
      return matches(DATE, sentence);
    case "number": {
      // Blanks keep every index where it was.
      const dateless = sentence.replaceAll(DATE, (date) => " ".repeat(date.length));
      return matches(NUMBER, dateless);
    }
    case "person":
      return matches(NAME, sentence).flatMap((fact) => nameIn(fact, isKnown));
    case "place":
      return matches(PLACE, sentence).flatMap((fact) => nameIn(fact, isKnown));
    case "reason":
      return matches(REASON, sentence);
    case "definition":
      return matches(DEFINITION, sentence).slice(0, 1);
    case "yes_no":
    case "open":
      return [];
  }
}

function matches(pattern: RegExp, sentence: string): Fact[] {
  return Array.from(sentence.matchAll(pattern), ({ 0: text, index }) => ({ text, index }));
}

/** A name without the article or preposition that a sentence began with. */
function nameIn({ text, index }: Fact, isKnown: (word: string) => boolean): Fact[] {
  const words = text.split(" ");
  const from = words.findIndex((word) => !NO_NAME.test(word));
  const kept = from < 0 ? [] : words.slice(from);
  if (kept.every((word) => !/^\p{Lu}/u.test(word) || isKnown(word))) return [];
  const name = kept.join(" ");
  return [
    { text: name.replace(/(?<=\p{L}{2})\.$/u, ""), index: index + text.length - name.length },
  ];
}
