import type { Sentence } from "./split-sentences.ts";
import type { Stems } from "./stems.ts";

/** A sentence chosen for the summary; `score` is its rank value relative to the best, in (0, 1]. */
export interface ChosenSentence {
  sentence: Sentence;
  score: number;
}

/** Of TextRank (Mihalcea & Tarau 2004) and PageRank alike. */
const DAMPING = 0.85;
const ITERATIONS = 50;
const CONVERGED = 1e-6;
/** Candidates compared with each other; the comparison grows with the square. */
const MAX_CANDIDATES = 600;
const MIN_WORDS = 5;
const MAX_WORDS = 60;
/** A sentence that shares this much of its content with a chosen one repeats it. */
const REPEATS = 0.5;
/** Openings that lean on the sentence before: such a sentence is hard to read alone. */
const LEANING =
  /^(?:this|these|that|those|it|its|they|their|he|she|his|her|such|however|therefore|thus|also|but|and|so|moreover|furthermore|instead|esto|esta|este|estos|estas|eso|ello|ellos|ellas|su|sus|sin embargo|además|por tanto|por lo tanto|pero|y|así|también|no obstante|en cambio|dicho|dicha)(?![\p{L}])/iu;
const LEANING_WEIGHT = 0.7;
/** Authors say first what matters: the opening sentence of a document weighs more. */
const OPENING_WEIGHT = 1.25;

/** Whether a sentence reads well without the one before it. */
export function standsAlone(sentence: Pick<Sentence, "text">): boolean {
  return !LEANING.test(sentence.text);
}

/**
 * The sentences that best stand for the text, in the order of the text: TextRank over shared stems.
 *
 * Sentences that repeat a chosen one are passed over; ones that lean on their predecessor rank lower;
 * headings and pieces under 5 or over 60 words are not candidates unless there is nothing else.
 * Ties go to the earlier sentence. Beyond 600 candidates those with the most frequent stems are ranked.
 *
 * @param wanted sentences to choose at most, a positive integer
 */
export function summarise(
  sentences: readonly Sentence[],
  stems: Stems,
  wanted: number,
): ChosenSentence[] {
  const candidates = candidatesOf(sentences, stems);
  const contents = candidates.map(({ words }) => stems.contentOf(words));
  const openings = openingIndices(candidates);
  const ranks = textRank(contents).map(
    (rank, index) => rank * weightOf(candidates[index], openings.has(index)),
  );
  const best = ranks.reduce((a, b) => Math.max(a, b), Number.MIN_VALUE);
  const order = ranks.map((_, index) => index);
  order.sort((a, b) => (ranks[b] ?? 0) - (ranks[a] ?? 0) || a - b);
  const chosen: number[] = [];
  for (const index of order) {
    if (chosen.length >= wanted) break;
    const content = contents[index] ?? new Set();
    const repeats = chosen.some(
      (other) => overlap(content, contents[other] ?? new Set()) > REPEATS,
    );
    if (!repeats) chosen.push(index);
  }
  return chosen
    .toSorted((a, b) => a - b)
    .flatMap((index) => {
      const sentence = candidates[index];
      const score = Math.round((1000 * (ranks[index] ?? 0)) / best) / 1000;
      return sentence === undefined ? [] : [{ sentence, score }];
    });
}

function candidatesOf(sentences: readonly Sentence[], stems: Stems): readonly Sentence[] {
  const whole = sentences.filter(
    ({ words, is_fragment }) =>
      !is_fragment && words.length >= MIN_WORDS && words.length <= MAX_WORDS,
  );
  const pool = whole.length > 0 ? whole : sentences;
  if (pool.length <= MAX_CANDIDATES) return pool;
  const frequency = new Map<string, number>();
  for (const { words } of pool) {
    for (const stem of stems.contentOf(words)) frequency.set(stem, (frequency.get(stem) ?? 0) + 1);
  }
  const weight = ({ words }: Sentence) => {
    let sum = 0;
    for (const stem of stems.contentOf(words)) sum += frequency.get(stem) ?? 0;
    return sum / Math.sqrt(words.length);
  };
  const weights = pool.map(weight);
  const limit = weights.toSorted((a, b) => b - a)[MAX_CANDIDATES - 1] ?? 0;
  return pool.filter((_, index) => (weights[index] ?? 0) >= limit).slice(0, MAX_CANDIDATES);
}

/** Where each document's first candidate stands: after a heading it is not the first sentence. */
function openingIndices(candidates: readonly Sentence[]): Set<number> {
  const firsts = new Map<string, number>();
  for (const [index, { document_id }] of candidates.entries()) {
    if (!firsts.has(document_id)) firsts.set(document_id, index);
  }
  return new Set(firsts.values());
}

function weightOf(sentence: Sentence | undefined, isOpening: boolean): number {
  if (sentence === undefined) return 0;
  return (isOpening ? OPENING_WEIGHT : 1) * (standsAlone(sentence) ? 1 : LEANING_WEIGHT);
}

/** TextRank values of sentences given by their content stems; they sum to about 1. */
function textRank(contents: readonly ReadonlySet<string>[]): number[] {
  const size = contents.length;
  const weights = contents.map((a, row) =>
    contents.map((b, column) => (row === column ? 0 : similarity(a, b))),
  );
  const totals = weights.map((row) => row.reduce((sum, weight) => sum + weight, 0));
  let ranks = contents.map(() => 1 / size);
  for (let round = 0; round < ITERATIONS; round += 1) {
    const shares = ranks.map((rank, index) => rank / (totals[index] || 1));
    // Similarity is symmetric, so a row of weights is also what flows into its sentence.
    const next = weights.map(
      (row) =>
        (1 - DAMPING) / size +
        DAMPING * row.reduce((sum, weight, index) => sum + weight * (shares[index] ?? 0), 0),
    );
    const change = next.reduce((sum, rank, index) => sum + Math.abs(rank - (ranks[index] ?? 0)), 0);
    ranks = next;
    if (change < CONVERGED) break;
  }
  return ranks;
}

/** Shared stems over the logarithms of both lengths, as in the TextRank paper (plus one, never 0). */
function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = sharedCount(a, b);
  return common === 0 ? 0 : common / (Math.log(a.size + 1) + Math.log(b.size + 1));
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return sharedCount(a, b) / Math.max(1, Math.min(a.size, b.size));
}

function sharedCount(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let common = 0;
  for (const stem of small) if (large.has(stem)) common += 1;
  return common;
}
