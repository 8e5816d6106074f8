import { citationOf, type Citation } from "./citation.ts";
import { statedFacts, type StatedFact } from "./facts.ts";
import { readNumber } from "./number-words.ts";
import type { Question } from "./question.ts";
import type { Candidate } from "./search.ts";

/** Two passages about the same that give different figures. */
export interface Contradiction {
  /** What they share, in the form of its terms (stems). */
  about: string[];
  values: [string, string];
  passages: [Citation, Citation];
}

interface Claim {
  candidate: Candidate;
  /** Its terms without numbers: what it is about. */
  subject: Set<string>;
  /** Figures by what they count: the term that follows a number; "year" for a year of a date. */
  figures: Map<string, Figures>;
}

interface Figures {
  stated: Set<string>;
  denied: Set<string>;
}

/** Share of the shorter passage's terms that both have, for them to speak of the same thing. */
const SAME_SUBJECT = 0.6;
const MIN_SHARED = 2;
const MAX_LISTED = 10;

/**
 * Finds passages that contradict each other about what was asked, by a heuristic that reads no grammar.
 *
 * Both must hold all of the question's words that any passage holds, share at least two terms and 60 % of the
 * shorter one's, and give different years, or different numbers of the same thing (the word after the number), with
 * no such figure in both. A question for a date compares years only, one for a number numbers only.
 *
 * It says "compare these", not "one is wrong"; a passage that only denies figures is one to compare with each that states some, and units written differently are not seen.
 */
export function findContradictions(
  { kind }: Question,
  candidates: readonly Candidate[],
): Contradiction[] {
  const most = candidates.reduce((best, { own_share }) => Math.max(best, own_share), 0);
  const claims = candidates.filter(({ own_share }) => own_share === most).map(claimOf);
  const isAsked = (of: string) =>
    kind === "date" ? of === "year" : kind === "number" ? of !== "year" : true;
  const found: Contradiction[] = [];
  for (const [at, one] of claims.entries()) {
    for (const other of claims.slice(at + 1)) {
      const clash = clashOf(one, other, isAsked);
      if (clash === null || found.length >= MAX_LISTED) continue;
      found.push({ ...clash, passages: [citationOf(one.candidate), citationOf(other.candidate)] });
    }
  }
  return found;
}

function claimOf(candidate: Candidate): Claim {
  const { document, start, end, terms, language } = candidate.passage;
  const text = document.text.slice(start, end).replaceAll(/\s+/g, " ");
  const figures = new Map<string, Figures>();
  const add = (of: string, value: string, { is_denied }: StatedFact) => {
    const both = figures.get(of) ?? { stated: new Set(), denied: new Set() };
    figures.set(of, both);
    both[is_denied ? "denied" : "stated"].add(value);
  };
  for (const date of statedFacts("date", text, language, () => false)) {
    for (const [year] of date.text.matchAll(/\b(?:1\d{3}|20\d{2})\b/g)) add("year", year, date);
  }
  for (const fact of statedFacts("number", text, language, () => false)) {
    // The unit when the number has one, else the word that follows: "112 metres", "96 hangers".
    const { plain, unit } = readNumber(fact.text.replace(/^\D+(?=\d)/u, ""), language);
    const [, next] = /^[\s-]*(\p{L}{3,})/u.exec(text.slice(fact.index + fact.text.length)) ?? [];
    const of = /[$€£¥%]/.exec(fact.text)?.[0] ?? (unit === "" ? next : unit);
    if (of !== undefined) add(of.toLowerCase(), plain, fact);
  }
  return { candidate, subject: new Set(terms.filter((term) => !/^\p{N}/u.test(term))), figures };
}

function clashOf(
  one: Claim,
  other: Claim,
  isAsked: (of: string) => boolean,
): Pick<Contradiction, "about" | "values"> | null {
  const about = [...one.subject].filter((term) => other.subject.has(term));
  const smaller = Math.min(one.subject.size, other.subject.size);
  if (about.length < MIN_SHARED || about.length < SAME_SUBJECT * smaller) return null;
  for (const [of, figures] of one.figures) {
    const others = other.figures.get(of);
    if (!isAsked(of) || others === undefined || !areApart(figures, others)) continue;
    return { about: about.slice(0, 10), values: [listed(figures, of), listed(others, of)] };
  }
  return null;
}

/** Whether both state figures, of which none is in both, or one states some where the other only denies. */
function areApart(one: Figures, other: Figures): boolean {
  if (one.stated.size === 0 || other.stated.size === 0) {
    return one.stated.size + other.stated.size > 0;
  }
  return [...one.stated].every((value) => !other.stated.has(value));
}

/** A figure that the passage seems to deny is marked: the reading may be wrong. */
function listed({ stated, denied }: Figures, of: string): string {
  const all = [...(stated.size > 0 ? stated : denied)].slice(0, 5).join(", ");
  const said = of === "year" ? all : `${all} ${of}`;
  return stated.size > 0 ? said : `${said} (denied)`;
}
