import MiniSearch from "minisearch";

import { wordsOf } from "../language.ts";
import { isMeasure, needsFact, statedFacts, type Fact, type StatedFact } from "./facts.ts";
import { denies } from "./negation.ts";
import { termOf, type Passage, type StemsByLanguage } from "./passages.ts";
import type { Question } from "./question.ts";

/** A passage that speaks about a question. Shares are in [0, 1]. */
export interface Candidate {
  passage: Passage;
  /** Share of the question's terms, weighed by their rarity, that the passage holds or leans on. */
  coverage: number;
  /** The same of its own words alone. */
  own_share: number;
  /** One of the question's hints is among its own words. */
  is_hinted: boolean;
  /** What it holds of the kind that the question asks for, nearest to the question's words first. */
  facts: string[];
  /** It holds facts of that kind only as denied ones, by a reading that may be wrong. */
  is_denying: boolean;
  /** It holds several facts of that kind, denied ones too, of which the nearest need not be the one. */
  is_ambiguous: boolean;
  /** Its rank value relative to the best passage of the question. */
  score: number;
}

/** What a search of one question found. */
export interface Findings {
  /** Best first, at most 50. */
  candidates: Candidate[];
  /** The question's words that some passage holds, and those that none does. */
  found: string[];
  missing: string[];
}

interface Term {
  word: string;
  /** The word's stem in each language of the documents. */
  stems: string[];
  weight: number;
}

interface Asked {
  question: Question;
  terms: readonly Term[];
  hints: readonly Term[];
}

const MAX_CANDIDATES = 50;
/** What the sentence before, a heading or a title says counts for a passage, but less than its own words. */
const CONTEXT_SHARE = 0.6;
/** A sentence that holds what the question asks for goes before one that only has its words. */
const FACT_BOOST = 2;
const FRAGMENT_WEIGHT = 0.8;
/** A counted thing follows its number closely ("17 of 96 hangers") or stands right before it ("hangers: 96"). */
const COUNT_REACH = 40;
const LABEL_REACH = 4;
const CLAUSE_MARK = /[,:](?!\s?\d)|[;()–—]/;
const OTHER_CLAUSE = 40;
/** Between parts of a date stands no more than this ("Friday, 14 June 2019 at 10:30"). */
const PART_REACH = 4;
const JOINED = /^ (?:out of|of|to|or|and|de|a|o|y|[-–]) /i;
const NONE_OF = /(?<!\p{L})no (?:(?!longer|fewer|less|more|doubt)\p{L}+ )?$/iu;
/** Shorter stems have too many neighbours that mean something else. */
const SHORTEST_KIN = 5;
const LONGER_KIN = 3;

/** Passages to be searched by BM25 (as minisearch has it), with what each leans on as a lighter field. */
export class PassageIndex {
  readonly #passages: readonly Passage[];
  readonly #stems: StemsByLanguage;
  readonly #index: MiniSearch<{ id: number; terms: string; context: string }>;
  readonly #frequency = new Map<string, number>();

  constructor(passages: readonly Passage[], stems: StemsByLanguage) {
    this.#passages = passages;
    this.#stems = stems;
    this.#index = new MiniSearch({
      fields: ["terms", "context"],
      tokenize: (text) => text.split(" "),
      processTerm: (term) => term,
    });
    for (const [id, { terms, context }] of passages.entries()) {
      this.#index.add({ id, terms: terms.join(" "), context: context.join(" ") });
      for (const term of new Set(terms)) {
        this.#frequency.set(term, (this.#frequency.get(term) ?? 0) + 1);
      }
    }
  }

  /** The passages that speak about a question, by relevance, coverage and whether they hold a fitting fact. */
  search(question: Question): Findings {
    const terms = question.words.map((word) => this.#term(word, question.names.has(word)));
    const hints = question.hints.map((word) => this.#term(word, false));
    const isFound = ({ stems }: Term) => stems.some((stem) => this.#frequency.has(stem));
    const sought = new Set([...terms, ...hints].flatMap(({ stems }) => stems));
    const hits = this.#index.search([...sought].join(" "), { boost: { terms: 1, context: 0.4 } });
    const ranked = hits.slice(0, 4 * MAX_CANDIDATES).flatMap((hit) => {
      const passage = this.#passages[Number(hit.id)];
      return passage === undefined
        ? []
        : [this.#judge(passage, hit.score, { question, terms, hints })];
    });
    const best = ranked.reduce((most, { score }) => Math.max(most, score), Number.MIN_VALUE);
    return {
      candidates: ranked
        .map((candidate) => ({ ...candidate, score: candidate.score / best }))
        // Equal ones stay in the order of the documents.
        .toSorted((a, b) => b.score - a.score || a.passage.start - b.passage.start)
        .slice(0, MAX_CANDIDATES),
      found: terms.filter(isFound).map(({ word }) => word),
      missing: terms.filter((term) => !isFound(term)).map(({ word }) => word),
    };
  }

  /** Rare words say more (inverse document frequency); what no passage has is rarest. */
  #term(word: string, isName: boolean): Term {
    const exact = this.#stemsOf(word);
    const isMet = exact.some((stem) => this.#frequency.has(stem));
    const stems = isMet || isName ? exact : [...exact, ...exact.flatMap((stem) => this.#kin(stem))];
    const seen = Math.max(0, ...stems.map((stem) => this.#frequency.get(stem) ?? 0));
    return { word, stems, weight: Math.log(1 + (this.#passages.length + 1) / (seen + 0.5)) };
  }

  #stemsOf(word: string): string[] {
    return [...new Set([...this.#stems.values()].map((own) => termOf(word, own)))];
  }

  /** For a word that no passage has, terms that differ in the ending: the stemmer parts "corroded" from "corrosion". */
  #kin(stem: string): string[] {
    const root = stem.slice(0, Math.max(SHORTEST_KIN, stem.length - 1));
    if (root.length < SHORTEST_KIN || /\p{N}/u.test(stem)) return [];
    return [...this.#frequency.keys()].filter(
      (term) => term.startsWith(root) && term.length <= stem.length + LONGER_KIN,
    );
  }

  #judge(passage: Passage, relevance: number, { question, terms, hints }: Asked): Candidate {
    const own = new Set(passage.terms);
    const context = new Set(passage.context);
    const holds = (set: ReadonlySet<string>, { stems }: Term) =>
      stems.some((stem) => set.has(stem));
    const all = terms.reduce((sum, { weight }) => sum + weight, 0) || 1;
    let owned = 0;
    let leant = 0;
    for (const term of terms) {
      if (holds(own, term)) owned += term.weight / all;
      else if (holds(context, term)) leant += term.weight / all;
    }
    const coverage = owned + CONTEXT_SHARE * leant;
    const is_hinted = hints.some((hint) => holds(own, hint));
    const found = this.#facts(passage, { question, terms });
    const facts = found.filter(({ is_denied }) => !is_denied).map(({ text }) => text);
    const is_denying = found.length > 0 && facts.length === 0;
    const is_ambiguous = needsFact(question.kind) && countOf(found) > 1;
    const boost = facts.length > 0 ? FACT_BOOST : 1;
    const weight = passage.is_fragment ? FRAGMENT_WEIGHT : 1;
    const score = relevance * (0.5 + coverage) * boost * weight;
    return {
      passage,
      coverage,
      own_share: owned,
      is_hinted,
      facts,
      is_denying,
      is_ambiguous,
      score,
    };
  }

  #facts(
    { document, start, end, language }: Passage,
    { question, terms }: Pick<Asked, "question" | "terms">,
  ): StatedFact[] {
    const sentence = document.text.slice(start, end).replaceAll(/\s+/g, " ");
    const asked = new Set(terms.flatMap(({ stems }) => stems));
    const isOf = (set: ReadonlySet<string>, word: string) =>
      this.#stemsOf(word).some((stem) => set.has(stem));
    const stated = statedFacts(question.kind, sentence, language, (name) =>
      wordsOf(name).every((word) => isOf(asked, word)),
    );
    // Who did not sign is asked of the sentence that denies it.
    const facts = denies(question.text)
      ? stated.map((fact) => ({ ...fact, is_denied: false }))
      : stated;
    if (!needsFact(question.kind)) return facts;
    const words = placedWords(sentence);
    const { counted } = question;
    if (question.kind === "number") {
      const target = new Set(terms.find(({ word }) => word === counted)?.stems);
      const things = words.filter(({ text }) => isOf(target, text));
      if (counted !== null) {
        return [
          ...(language === "en" ? things.flatMap((thing) => noneOf(thing, sentence)) : []),
          ...facts.filter((fact) => things.some((thing) => isCountOf(fact, thing, sentence))),
        ];
      }
    }
    const places = words.filter(({ text }) => isOf(asked, text));
    const fitting = question.kind === "number" ? facts.filter(isMeasure) : facts;
    return fitting
      .map((fact) => ({ fact, way: wayTo(fact, places, sentence) }))
      .toSorted((a, b) => a.way - b.way)
      .map(({ fact }) => fact);
  }
}

/** How far a fact is from the nearest of the question's words; what another clause says is further away. */
function wayTo(fact: Fact, places: readonly Fact[], sentence: string): number {
  const ways = places.map((place) => {
    const [first, second] = fact.index <= place.index ? [fact, place] : [place, fact];
    const between = sentence.slice(first.index + first.text.length, second.index);
    return gapBetween(fact, place) + (CLAUSE_MARK.test(between) ? OTHER_CLAUSE : 0);
  });
  return Math.min(...ways);
}

/** Different facts; parts of one date ("Friday, 14 June 2019 at 10:30") are one. */
function countOf(facts: readonly Fact[]): number {
  const placed = facts.toSorted((a, b) => a.index - b.index);
  const firsts = placed.filter((fact, at) => {
    const before = placed[at - 1];
    return before === undefined || gapBetween(before, fact) > PART_REACH;
  });
  return new Set(firsts.map(({ text }) => text.toLowerCase())).size;
}

/** Between "17" and "hangers" may stand adjectives, or another number that the first is joined to ("17 of 96"). */
function isCountOf(fact: Fact, thing: Fact, sentence: string): boolean {
  const gap = gapBetween(fact, thing);
  if (thing.index < fact.index) return gap <= LABEL_REACH;
  const between = sentence.slice(fact.index + fact.text.length, thing.index);
  return (
    gap <= COUNT_REACH && !between.includes(";") && (!/\d/.test(between) || JOINED.test(between))
  );
}

/** "No people died" counts people, too. */
function noneOf({ index }: Fact, sentence: string): StatedFact[] {
  const none = NONE_OF.exec(sentence.slice(0, index));
  return none === null ? [] : [{ text: none[0].slice(0, 2), index: none.index, is_denied: false }];
}

/** Characters between two pieces of a sentence. */
function gapBetween(a: Fact, b: Fact): number {
  const [first, second] = a.index <= b.index ? [a, b] : [b, a];
  return Math.max(0, second.index - first.index - first.text.length);
}

function placedWords(sentence: string): Fact[] {
  return Array.from(
    sentence.toLowerCase().matchAll(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu),
    ({ 0: text, index }) => ({ text, index }),
  );
}
