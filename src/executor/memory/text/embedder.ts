import { termsOf } from "./terms.ts";
import { quantised } from "./vectors.ts";

/** Makes vectors of texts, so that texts of like meaning have vectors of like direction. */
export interface Embedder {
  /** Stored with each vector: only those of one name are compared with each other. */
  readonly name: string;
  readonly dims: number;
  /** Cosines below it say nothing: what is less similar is not given as an answer. */
  readonly threshold: number;
  /** @throws when it is not available */
  embed(texts: readonly string[]): Promise<Int8Array[]>;
}

/** A vector is 256 bytes: ten thousand are searched within some tens of milliseconds (facts/orchestration.md §4). */
export const DIMS = 256;

/** What a letter group counts for, beside a word: it finds misspelt and compound words, and must not outweigh whole ones. */
const GROUP_WEIGHT = 0.25;

/** Longer strings are keys and hashes: their letters say nothing. */
const LONGEST_GROUPED = 30;

/** Hash of a feature: FNV-1a, its bits mixed as in MurmurHash3, because few of them are used. */
function hashOf(feature: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < feature.length; index += 1) {
    hash = Math.imul(hash ^ feature.charCodeAt(index), 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Groups of three letters with the edges of the word. */
function groupsOf(word: string): string[] {
  const edged = `^${word}$`;
  return Array.from({ length: edged.length - 2 }, (_, index) => edged.slice(index, index + 3));
}

function countsOf(features: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const feature of features) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  return counts;
}

/** Repetition counts with the logarithm: a word said ten times is not ten words. */
function weigh(vector: Float64Array, features: Iterable<string>, weight: number): void {
  for (const [feature, count] of countsOf(features)) {
    const hash = hashOf(feature);
    const place = hash % DIMS;
    const sign = (hash & 0x10_00_00) === 0 ? 1 : -1;
    vector[place] = (vector[place] ?? 0) + sign * weight * (1 + Math.log(count));
  }
}

function embedOne(text: string): Int8Array {
  const terms = termsOf(text);
  const vector = new Float64Array(DIMS);
  weigh(
    vector,
    terms.map(({ stem }) => `w ${stem}`),
    1,
  );
  weigh(
    vector,
    terms
      .filter(({ word }) => word.length <= LONGEST_GROUPED)
      .flatMap(({ word }) => groupsOf(word).map((group) => `g ${group}`)),
    GROUP_WEIGHT,
  );
  return quantised(vector);
}

/**
 * The embedder that is always there: hashed word stems and letter groups, nothing learned. The same text has the same
 * vector for ever, offline and free.
 *
 * It sees which words two texts share, by their stems in English and Spanish and by a short table of synonyms
 * (synonyms.ts). It does not see meaning: a paraphrase in words of which the table has none is as far as any other
 * text, a denial is as near as what it denies, and of two features in 256 places some fall together. Unrelated texts
 * come to a cosine of 0.01 with a deviation of 0.06 and at most 0.21 (20 tasks of test/unit/memory-embedder.test.ts, 190
 * pairs): the threshold was set by them. Of paraphrases of these tasks that the table was not made for, 10 of 20 reach it
 * and 12 of 20 are nearest to their own task; 3 of 380 strangers reach it.
 */
export const builtinEmbedder: Embedder = {
  name: "hashed-stems-1",
  dims: DIMS,
  threshold: 0.22,
  embed: async (texts) => texts.map(embedOne),
};
