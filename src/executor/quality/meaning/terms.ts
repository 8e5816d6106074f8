import { wordsOf, type Language } from "../../skills/language.ts";
import type { JsonObject, JsonValue } from "../../skills/skill.ts";
import { keyTerms } from "../../skills/text/key-terms.ts";
import { splitSentences } from "../../skills/text/split-sentences.ts";
import { Stems } from "../../skills/text/stems.ts";
import { isCovered, namedWords, type Vocabulary } from "./words.ts";

/** What every request says, whatever it is about: verbs of asking, names of forms, of measures and of languages. */
const ASKING = new Set(
  `add also analyse analyze answer answers ask attached attachment based best briefly build bullet bullets character characters
check clear clearly code complete compose compute concise condense configure content contents convert cover correct could create
data dataset deliver deploy describe description detail detailed details develop discuss document documents draft each english
ensure every exact exactly example examples explain explanation extract fewer figure file files find fix following form format
function general generate give given good help identify implement include including information input item items json keep kind
language least less like line lines list look main make markdown maximum mention minimum monitor most name named need needs new
note number numbers one output paragraph paragraphs part parts per please point points prepare problem produce program provide
question questions quick read real report request required research result results return review section sections see sentence
sentences short should show simple small spanish specific start step steps style subject suggest summarise summarize summary
table task tell test text three title toml topic two type use used user using verify want way week weekly what when where which
why within without word words work would write written yaml
ejemplo ejemplos escribe escribir explica explicar español inglés describe describir resume resumir resumen analiza analizar
haz hacer crea crear genera generar lista listar tabla texto documento documentos datos archivo archivos párrafo párrafos frase
frases palabra palabras responde responder respuesta pregunta indica indicar dame da muestra mostrar incluye incluir máximo mínimo
menos más informe tarea usa usar función código sobre debe deben cada puntos punto pasos paso favor`.split(
    /\s+/,
  ),
);

/** Terms of a request that are looked for at most. */
const MAX_TERMS = 40;
/** Main terms of what a task brought: a good answer touches some. */
const INPUT_TERMS = 12;
/** Characters of the input from which its terms come. */
const MAX_INPUT = 30_000;

/** What a task is about. Stems by the word that they come from. */
export interface Topic {
  request: ReadonlyMap<string, string>;
  input: ReadonlyMap<string, string>;
}

function textsOf(value: JsonValue | undefined, found: string[], depth = 0): string[] {
  if (typeof value === "string") found.push(value);
  if (value === null || typeof value !== "object" || depth > 8 || found.length > 2_000)
    return found;
  for (const member of Object.values(value)) textsOf(member, found, depth + 1);
  return found;
}

/** Names of columns: of the first row, or in the first line of a CSV. */
function columnsOf({ csv, rows }: JsonObject): string[] {
  if (typeof csv === "string") return namedWords(csv.slice(0, 2_000).split("\n")[0] ?? "");
  const first: JsonValue | undefined = Array.isArray(rows) ? (rows as JsonValue[])[0] : undefined;
  if (first === null || typeof first !== "object") return [];
  return Array.isArray(first) ? [] : Object.keys(first).flatMap(namedWords);
}

function stemmed(words: Iterable<string>, stems: Stems, most: number): Map<string, string> {
  const found = new Map<string, string>();
  for (const word of words) {
    if (found.size >= most) break;
    const isTerm = stems.isContent(word) && !ASKING.has(word) && word.length > 2;
    if (isTerm && !found.has(stems.of(word))) found.set(stems.of(word), word);
  }
  return found;
}

/** The terms of a request and the main ones of its input (key terms of texts, names of columns). */
export function topicOf(description: string, input: JsonObject, language: Language): Topic {
  const stems = new Stems(language);
  const text = textsOf(input, []).join("\n\n").slice(0, MAX_INPUT);
  const isTable = input["csv"] !== undefined || input["rows"] !== undefined;
  const words = isTable
    ? columnsOf(input)
    : keyTerms(splitSentences({ id: "", text }, language), stems, INPUT_TERMS).flatMap(({ term }) =>
        wordsOf(term),
      );
  return {
    request: stemmed(namedWords(description), stems, MAX_TERMS),
    input: stemmed(words, stems, INPUT_TERMS),
  };
}

/** How much of a topic an output touches. Shares in [0, 1]; null where there is nothing to touch. */
export interface Coverage {
  request: number | null;
  input: number | null;
  /** Words of the request that nothing in the output corresponds to. */
  missing: string[];
}

export function coverageOf(topic: Topic, vocabulary: Vocabulary): Coverage {
  const missing = [...topic.request].filter(([stem]) => !isCovered(stem, vocabulary));
  const touched = [...topic.input.keys()].filter((stem) => isCovered(stem, vocabulary));
  return {
    request: topic.request.size === 0 ? null : 1 - missing.length / topic.request.size,
    input: topic.input.size === 0 ? null : touched.length / topic.input.size,
    missing: missing.map(([, word]) => word),
  };
}
