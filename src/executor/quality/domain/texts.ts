import { wordsOf } from "../../skills/language.ts";
import { namedWords } from "../meaning/words.ts";
import {
  aboutIt,
  figures,
  finished,
  form,
  has,
  longEnough,
  readable,
  shortEnough,
  signal,
  soundness,
  structured,
  terse,
  type Scorer,
  type Signal,
  type View,
} from "./signals.ts";

/** Columns that are looked for by their names. */
const MAX_COLUMNS = 12;

function columnsOf({ question }: View): string[] {
  const { csv, rows } = question.input_data;
  if (typeof csv === "string") {
    const heading = csv.slice(0, 5_000).split(/\r?\n/)[0] ?? "";
    return heading.split(/[,;\t|]/).map((name) => name.trim().replaceAll('"', ""));
  }
  const first: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return first !== null && typeof first === "object" && !Array.isArray(first)
    ? Object.keys(first)
    : [];
}

function columnsTold(view: View): Signal {
  const columns = columnsOf(view)
    .filter((name) => name.length > 1)
    .slice(0, MAX_COLUMNS);
  if (columns.length === 0) return aboutIt(view);
  const told = columns.filter((name) => view.lower.includes(name.toLowerCase()));
  const wanted = Math.min(columns.length, 4);
  return form(
    "columns_untold",
    told.length / wanted,
    `${told.length} of ${columns.length} columns are told of`,
  );
}

/** Findings in the plural: listed members, list items, or sentences with a figure. */
function findingsTold({ measured, prose }: View): Signal {
  const listed = measured.arrays.map(({ items }) => items.length);
  const sentences = prose
    .split(/(?<=[.!?])\s+|\n/)
    .filter((sentence) => /\d/.test(sentence)).length;
  const count = Math.max(0, measured.list_items, sentences, ...listed);
  return form("few_findings", count / 3, `${count} findings`);
}

/**
 * An analysis of data:
 *
 * - correctness: nothing broken or untrue, no placeholders, three figures that findings rest on
 * - completeness: columns of the table (four are enough), three findings, the subject
 * - efficiency: nothing twice, 600 words or less
 * - maintainability: readable sentences, parts that can be looked up, what the reader should make of it
 */
export const scoreAnalysis: Scorer = (view) => ({
  correctness: [soundness(view), finished(view), figures(view, 3)],
  completeness: [columnsTold(view), findingsTold(view), aboutIt(view)],
  efficiency: [terse(view), shortEnough(view, 600)],
  maintainability: [
    readable(view),
    structured(view),
    has(view, "no_reading", {
      keys: "recommendations interpretation caveats limitations conclusion next_steps",
      words:
        /\b(?:because|therefore|suggests?|means|indicates?|recommend|caveat|limit|so that|por tanto|sugiere|indica|conviene)/,
      say: "figures without what to make of them",
    }),
  ],
});

/** Names in the given source that readers would look up. */
function namesIn({ question }: View): string[] {
  const given = JSON.stringify(question.input_data).slice(0, 100_000);
  const found = [
    ...given.matchAll(
      /\b(?:function|class|interface|type|def|const|operationId\W{1,6}|enum) ?([A-Za-z_]\w{2,60})/g,
    ),
  ].map(([, name = ""]) => name);
  return [...new Set(found)].slice(0, 60);
}

function namesTold(view: View): Signal {
  const names = namesIn(view);
  if (names.length === 0) return aboutIt(view);
  const missing = names.filter((name) => !view.lower.includes(name.toLowerCase()));
  return signal(
    "undocumented",
    1 - missing.length / names.length,
    `not documented: ${missing.slice(0, 6).join(", ")}`,
  );
}

function exampled(view: View): Signal {
  return form(
    "no_example",
    view.code.length > 0 || /\bexample|\bejemplo|```/.test(view.lower),
    "no example",
  );
}

/**
 * Documentation:
 *
 * - correctness: nothing broken or untrue, no placeholders, tables and links that hold
 * - completeness: the names of the given source or the subject, two sections, an example, 60 words
 * - efficiency: nothing twice
 * - maintainability: headings or parts, readable sentences
 */
export const scoreDocumentation: Scorer = (view) => {
  const untidy = view.findings.filter(({ check }) => check === "syntactic").length;
  return {
    correctness: [
      soundness(view),
      finished(view),
      signal("untidy", 1 - untidy / 4, "links or tables don't hold"),
    ],
    completeness: [
      namesTold(view),
      form(
        "few_sections",
        view.measured.headings.length / 2,
        `${view.measured.headings.length} headings`,
      ),
      exampled(view),
      longEnough(view, 60),
    ],
    efficiency: [terse(view)],
    maintainability: [
      structured(view),
      readable(view),
      form("no_title", view.measured.headings.length > 0, "no title"),
    ],
  };
};

/** Share of sentences near a citation, half of them being enough; citations in a list count for two sentences each. */
function cited(view: View): Signal {
  const { documents, text } = view.question.input_data;
  const listed = view.measured.arrays.filter(({ key }) =>
    /^(?:citations?|sources?|references?|passages|evidence)$/i.test(key),
  );
  const count = listed.reduce((sum, { items }) => sum + items.length, 0);
  const sentences = view.measured.main
    .split(/(?<=[.!?])\s+|\n/)
    .filter((part) => wordsOf(part.slice(0, 2_000)).length > 4);
  const marked = sentences.filter((part) => /\[[^\]\n]{1,60}\]|\(https?:/.test(part)).length;
  if (documents === undefined && text === undefined && count + marked === 0) {
    return form("uncited", 0.5, "no sources are named");
  }
  return form(
    "uncited",
    (2 * count + marked) / Math.max(1, sentences.length / 2),
    "statements without a source",
  );
}

/** Share of the given documents that are used; three are enough. */
function documentsUsed(view: View): Signal {
  const { documents } = view.question.input_data;
  if (!Array.isArray(documents) || documents.length === 0) return aboutIt(view);
  const ids = documents.flatMap((document: unknown) => {
    const id: unknown =
      document !== null && typeof document === "object" && "id" in document ? document.id : null;
    return typeof id === "string" && id !== "" ? [id.toLowerCase()] : [];
  });
  const told = JSON.stringify(view.question.output).slice(0, 500_000).toLowerCase();
  const used = ids.filter((id) => told.includes(id)).length;
  return signal(
    "documents_unused",
    ids.length === 0 ? 1 : used / Math.min(3, ids.length),
    `${used} of ${ids.length} documents are used`,
  );
}

/**
 * Research:
 *
 * - correctness: nothing broken or untrue (quotes and ids that exist), no placeholders, statements with sources
 * - completeness: the subject, the given documents (three are enough), an answer of 25 words
 * - efficiency: nothing twice, 800 words or less
 * - maintainability: readable sentences, parts
 */
export const scoreResearch: Scorer = (view) => ({
  correctness: [soundness(view), finished(view), cited(view)],
  completeness: [aboutIt(view), documentsUsed(view), longEnough(view, 25)],
  efficiency: [terse(view), shortEnough(view, 800)],
  maintainability: [readable(view), structured(view)],
});

/** Words that say nothing, beside all words. */
function substance({ prose }: View): Signal {
  const words = namedWords(prose.slice(0, 100_000));
  const distinct = new Set(words).size;
  // A text of n words has about the square root of n times four different ones, or all of few.
  const expected = Math.min(words.length, 4 * Math.sqrt(words.length));
  return form(
    "monotonous",
    words.length === 0 ? 0 : distinct / Math.max(1, 0.6 * expected),
    "the same words over and over",
  );
}

/**
 * Anything else:
 *
 * - correctness: nothing broken or untrue, no placeholders
 * - completeness: the subject, ten words or as many as the output's members have
 * - efficiency: nothing twice, 800 words or less
 * - maintainability: readable sentences, parts, words that vary
 */
export const scoreGeneral: Scorer = (view) => ({
  correctness: [soundness(view), finished(view)],
  completeness: [
    aboutIt(view),
    form(
      "too_short",
      Math.max(wordsOf(view.prose).length / 10, view.reading.keys.length > 3 ? 1 : 0),
      "hardly a word",
    ),
  ],
  efficiency: [terse(view), shortEnough(view, 800)],
  maintainability: [readable(view), structured(view), substance(view)],
});
