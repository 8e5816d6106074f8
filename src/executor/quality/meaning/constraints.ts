import type { Language } from "../../skills/language.ts";
import { languageNamed } from "../pieces.ts";

/** What can be counted in an output. */
type CountUnit = "words" | "characters" | "sentences" | "paragraphs" | "sections" | "items";

/** A number that a description demands. `noun` is the counted thing in the singular, such as `example`. */
export interface CountConstraint {
  kind: "count";
  unit: CountUnit;
  noun: string;
  least: number | null;
  most: number | null;
  /** Said with "at least", "exactly" and the like, and not only in passing. */
  is_firm: boolean;
  said: string;
}

/** Something that a description demands and that can be looked up in an output. `said` quotes the demand. */
export type Constraint =
  | CountConstraint
  | { kind: "language"; language: Language; said: string }
  | { kind: "form"; form: "table" | "list"; said: string }
  | { kind: "code_language"; language: string; said: string }
  | { kind: "literal"; text: string; is_wanted: boolean; said: string }
  | { kind: "section"; name: string; said: string }
  | { kind: "file"; path: string; said: string };

/** Constraints that are read out of one description. */
const MAX_CONSTRAINTS = 40;

const UNITS = new Map<string, CountUnit>([
  ...names("words", "word words palabra palabras"),
  ...names("characters", "character characters caracteres carácter"),
  ...names("sentences", "sentence sentences frase frases oración oraciones"),
  ...names("paragraphs", "paragraph paragraphs párrafo párrafos"),
  ...names("sections", "section sections sección secciones"),
  ...names(
    "items",
    `item items bullet bullets point points example examples step steps reason reasons recommendation recommendations idea ideas
    question questions option options tip tips risk risks benefit benefits advantage advantages finding findings case cases test
    tests elemento elementos viñeta viñetas punto puntos ejemplo ejemplos paso pasos razón razones recomendación recomendaciones
    pregunta preguntas opción opciones consejo consejos riesgo riesgos ventaja ventajas hallazgo hallazgos caso casos prueba pruebas`,
  ),
]);

function names(unit: CountUnit, words: string): [string, CountUnit][] {
  return words.split(/\s+/).map((word) => [word, unit]);
}

const SMALL_NUMBERS = new Map([
  ..."one two three four five six seven eight nine ten eleven twelve".split(" ").map(numbered),
  ..."uno dos tres cuatro cinco seis siete ocho nueve diez once doce".split(" ").map(numbered),
]);

function numbered(word: string, index: number): [string, number] {
  return [word, index + 1];
}

const NUMBER = String.raw`(\d{1,6}|${[...SMALL_NUMBERS.keys()].join("|")})`;
const FIRM: readonly [RegExp, (count: number) => { least: number | null; most: number | null }][] =
  [
    [
      /^(?:at least|minimum of|no fewer than|not less than|al menos|por lo menos|mínimo|mínimo de)$/,
      (count) => ({ least: count, most: null }),
    ],
    [/^(?:more than|over|más de)$/, (count) => ({ least: count + 1, most: null })],
    [/^(?:fewer than|less than|under|menos de)$/, (count) => ({ least: null, most: count - 1 })],
    [/^(?:exactly|exactamente)$/, (count) => ({ least: count, most: count })],
  ];
const QUALIFIER =
  "at least|minimum of|no fewer than|not less than|al menos|por lo menos|mínimo de|mínimo|no more than|not more than|more than|over|no más de|más de|fewer than|less than|under|menos de|exactly|exactamente|at most|maximum of|up to|max|como máximo|como mucho|máximo de|máximo|hasta";
const ASK =
  "in|with|give|list|name|write|provide|include|suggest|propose|en|con|da|dame|enumera|escribe|incluye|propón";
const WORD = String.raw`[\p{L}-]{1,30}`;
const COUNT = new RegExp(
  String.raw`(?<![\p{L}\d])(${QUALIFIER}|${ASK})\s{1,5}(?:a |the |me |un |una )?${NUMBER}[\s-]{1,3}((?:${WORD} ){0,2}?)(${[...UNITS.keys()].join("|")})(?![\p{L}])( or (?:less|fewer|more)| como máximo| como mucho| o menos| o más)?(?: (per|each|por|cada|of the (?:input|document|text|file)))?`,
  "giu",
);
/** Before a number these words tell of what there is, and not of what there has to be. */
const TELLING =
  /(?:\b(?:has|have|had|contains?|contained|holds|tiene|tienen|contiene|hay)\s{1,3}(?:\p{L}{1,12}\s){0,2})$/iu;

function rangeOf(
  before: string,
  after: string,
  count: number,
): Pick<CountConstraint, "least" | "most" | "is_firm"> {
  const word = before.toLowerCase();
  const tail = after.trim().toLowerCase();
  if (/less|fewer|menos|máximo|mucho/.test(tail))
    return { least: null, most: count, is_firm: true };
  if (/more|más/.test(tail)) return { least: count, most: null, is_firm: true };
  const firm = FIRM.find(([form]) => form.test(word));
  if (firm !== undefined) return { ...firm[1](count), is_firm: true };
  const isAsked = new RegExp(`^(?:${ASK})$`).test(word);
  return isAsked
    ? { least: count, most: null, is_firm: false }
    : { least: null, most: count, is_firm: true };
}

function countsIn(description: string): CountConstraint[] {
  return [...description.matchAll(COUNT)].flatMap((found): CountConstraint[] => {
    const [said, before = "", number = "", , noun = "", after = "", scope] = found;
    const lead = description.slice(Math.max(0, found.index - 40), found.index);
    const unit = UNITS.get(noun.toLowerCase());
    if (scope !== undefined || unit === undefined || TELLING.test(lead)) return [];
    const count = SMALL_NUMBERS.get(number.toLowerCase()) ?? Number(number);
    const range = rangeOf(before, after, count);
    // "In 100 words" means about as many; of anything else it is a wish for so many.
    const isAbout = !range.is_firm && (unit === "words" || unit === "characters");
    const bounds = isAbout ? { least: null, most: count, is_firm: false } : range;
    return [{ kind: "count", unit, noun: noun.toLowerCase().replace(/s$/, ""), ...bounds, said }];
  });
}

const LANGUAGES: readonly [RegExp, Language][] = [
  [/\b(?:in|into|to) spanish\b|\ben (?:español|castellano)(?!\p{L})|\bal español/iu, "es"],
  [/\b(?:in|into) english\b|\ben inglés|\bal inglés/iu, "en"],
];
const FORMS: readonly [RegExp, "table" | "list"][] = [
  [
    /\b(?:as|in|with|into) an? (?:\p{L}{1,20} )?table\b|\b(?:como|en|con) (?:una )?tabla(?!\p{L})/iu,
    "table",
  ],
  [
    /\bas an? (?:\p{L}{1,20} )?list\b|\b(?:as|in|with) bullet points\b|\b(?:como|en) (?:una )?lista(?!\p{L})/iu,
    "list",
  ],
];
const CODE_LANGUAGE =
  /\b(?:in|using|en|con) (typescript|javascript|python|go|golang|rust|java|kotlin|swift|scala|php|ruby|sql|c\+\+|c#|bash)(?![\p{L}\d])/giu;
const QUOTED = String.raw`(?:"([^"\n]{1,100})"|“([^”\n]{1,100})”|«([^»\n]{1,100})»|\x60([^\x60\n]{1,100})\x60)`;
const NAMED = new RegExp(
  String.raw`\b(?:named|called|llamad[oa]s?|(?:must|should|debe) (?:include|contain|mention|say|use|incluir|contener|mencionar|decir)|(?:include|mention|incluye|menciona) (?:the|la|el) (?:word|phrase|name|sentence|palabra|frase|nombre))\s{1,3}(?:the \p{L}{1,12} |la \p{L}{1,12} )?${QUOTED}`,
  "giu",
);
const FORBIDDEN = new RegExp(
  String.raw`\b(?:do not|don't|must not|never|without|no|sin|nunca) (?:mention|mentioning|use|using|include|including|say|menciones|mencionar|uses|usar|incluyas|incluir) (?:the \p{L}{1,12} |la \p{L}{1,12} )?${QUOTED}`,
  "giu",
);
const BARE_NAME =
  /\b(?:function|class|method|variable|función|clase|método) (?:named|called|llamad[oa]) ([A-Za-z_$][\w$]{1,60})/g;
const FILE =
  /\b(?:write|create|generate|produce|save|output|add|escribe|crea|genera|guarda)\b[^.\n]{0,60}?[\s"'`(]((?:[\w-]{1,40}\/){0,8}[\w.-]{1,60}\.(?:[cm]?[jt]sx?|py|go|rs|java|rb|php|sh|sql|css|html|json|ya?ml|toml|md|csv|txt))(?![\w/])/giu;
const SECTIONS =
  /\b(?:with|include|including|having|con|incluye)\s(?:the |these |following |a |las |los |siguientes |\d{1,2} |\p{L}{3,6} ){0,3}(?:sections|headings|secciones|apartados):?\s([^.\n]{3,300})/iu;

function sectionsIn(description: string): Constraint[] {
  const [, listed = ""] = SECTIONS.exec(description) ?? [];
  return listed
    .split(/,| and | y |;/iu)
    .map((name) =>
      name
        .replaceAll(/["“”«»`']/g, "")
        .replace(/^\s*(?:and|y|an?|on|for)\s/iu, "")
        .trim(),
    )
    .filter((name) => name.length > 1 && name.split(" ").length <= 5)
    .slice(0, 12)
    .map((name) => ({ kind: "section", name, said: `section ${name}` }));
}

function literalsIn(description: string): Constraint[] {
  const read = (pattern: RegExp, is_wanted: boolean): Constraint[] =>
    [...description.matchAll(pattern)].flatMap(([said, ...quoted]) => {
      const text = quoted.find((part) => part !== undefined);
      return text === undefined ? [] : [{ kind: "literal", text, is_wanted, said }];
    });
  return [...read(NAMED, true), ...read(BARE_NAME, true), ...read(FORBIDDEN, false)];
}

function languagesIn(description: string): Constraint[] {
  const found = LANGUAGES.flatMap(([pattern, language]): Constraint[] => {
    const [said] = pattern.exec(description) ?? [];
    return said === undefined ? [] : [{ kind: "language", language, said }];
  });
  // Asked for in both languages, or translated: which one is wanted where can't be told.
  return found.length > 1 ? [] : found;
}

function formsIn(description: string): Constraint[] {
  return FORMS.flatMap(([pattern, form]): Constraint[] => {
    const [said] = pattern.exec(description) ?? [];
    return said === undefined ? [] : [{ kind: "form", form, said }];
  });
}

function codeIn(description: string): Constraint[] {
  const languages = [...description.matchAll(CODE_LANGUAGE)].flatMap(
    ([said, word = ""]): Constraint[] => {
      const language = languageNamed(word.toLowerCase() === "golang" ? "go" : word);
      return language === null ? [] : [{ kind: "code_language", language, said }];
    },
  );
  const files = [...description.matchAll(FILE)].map(([said, path = ""]): Constraint => ({
    kind: "file",
    path,
    said,
  }));
  return [...languages, ...files];
}

/**
 * The demands of a description that can be looked up in an output without understanding it, in English and Spanish:
 *
 * - counts of words, characters, sentences, paragraphs, sections and listed things: "at least three examples", "in 100
 *   words or less", "máximo dos párrafos"; not "100 words per section", nor what an input is said to have
 * - the language, English or Spanish ("in Spanish"); no other is recognised
 * - a table or a list ("as a table"); the programming language of code ("in Python")
 * - names: `named "x"`, `must include "x"`, `function called x`, and what must not be mentioned, in quotes
 * - sections ("with sections A, B and C") and files to be written ("create src/parse.ts")
 *
 * Everything else that a description asks for is left to the terms of the request and to the contract.
 */
export function constraintsOf(description: string): Constraint[] {
  return [
    ...countsIn(description),
    ...literalsIn(description),
    ...languagesIn(description),
    ...formsIn(description),
    ...codeIn(description),
    ...sectionsIn(description),
  ].slice(0, MAX_CONSTRAINTS);
}
