import type { TaskType } from "../../../protocol/enums.ts";
import { cosine } from "../text/vectors.ts";
import { utilityFactor, type Use } from "./utility.ts";

/** Something that was found, by its words, by its vector or by both. Ranks count from 1. */
export interface Candidate {
  /** Its row. */
  place: number;
  task_type: TaskType | null;
  /** Epoch milliseconds. */
  created_at: number;
  use: Use;
  /** Bytes of its text in UTF-8. */
  bytes: number;
  text_rank: number | null;
  vector_rank: number | null;
  /** Cosine to the question; null where the vectors are of different embedders. */
  similarity: number | null;
  /** Null where it is of another embedder than the question's. */
  vector: Int8Array | null;
}

/** What is asked for. */
export interface Wanted {
  now: number;
  /** Memories of this type are preferred; null prefers none. */
  task_type: TaskType | null;
  /** What is less similar is left out, unless it cannot be compared. */
  threshold: number;
  limit: number;
  max_tokens: number;
}

export interface Ranked {
  place: number;
  score: number;
  similarity: number | null;
}

/** The constant of reciprocal-rank fusion (Cormack, Clarke and Büttcher 2009). */
const RRF_K = 60;

const SAME_TYPE_FACTOR = 1.25;

/** A new memory counts a fifth more than an old one; the surplus halves every 30 days. */
const RECENCY_SURPLUS = 0.2;
const RECENCY_HALF_LIFE_MS = 30 * 86_400_000;

/** What nearness to the question counts for, beside being unlike what was chosen before (Carbonell and Goldstein 1998). */
const RELEVANCE_SHARE = 0.7;

/** Bytes of a token, low on purpose: models cut English at about 4, other languages at fewer. */
const BYTES_PER_TOKEN = 3;

/** Upper estimate of the tokens of a text of so many bytes. */
export function tokensOf(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

function reciprocal(place: number | null): number {
  return place === null ? 0 : 1 / (RRF_K + place);
}

function scoreOf(candidate: Candidate, { now, task_type }: Wanted): number {
  const age = Math.max(0, now - candidate.created_at);
  const isSameType = task_type !== null && candidate.task_type === task_type;
  return (
    (reciprocal(candidate.text_rank) + reciprocal(candidate.vector_rank)) *
    (isSameType ? SAME_TYPE_FACTOR : 1) *
    (1 + RECENCY_SURPLUS * 2 ** (-age / RECENCY_HALF_LIFE_MS)) *
    utilityFactor(candidate.use)
  );
}

type Scored = Candidate & { score: number };

/** How like a candidate is to the most similar of those that were chosen. */
function likeness({ vector }: Scored, chosen: readonly Scored[]): number {
  if (vector === null) return 0;
  return chosen.reduce(
    (most, other) => (other.vector === null ? most : Math.max(most, cosine(vector, other.vector))),
    0,
  );
}

/**
 * Puts what was found in order: reciprocal-rank fusion of both searches, times factors for the same type, for being
 * new and for having helped; then the best one, and again and again the one that is near to the question and unlike
 * those before it, until there are enough or the tokens are spent. What does not fit is passed over for what does.
 *
 * The same candidates give the same answer: equal ones come newest first.
 */
export function rank(candidates: readonly Candidate[], wanted: Wanted): Ranked[] {
  const left: Scored[] = candidates
    .filter(({ similarity }) => similarity === null || similarity >= wanted.threshold)
    .map((candidate) => ({ ...candidate, score: scoreOf(candidate, wanted) }))
    .toSorted((a, b) => b.score - a.score || b.place - a.place);
  const best = left[0]?.score ?? 1;
  const chosen: Scored[] = [];
  let tokens = wanted.max_tokens;
  while (chosen.length < wanted.limit) {
    const fitting = left.filter(({ bytes }) => tokensOf(bytes) <= tokens);
    const [first, ...others] = fitting.map((one) => ({
      one,
      gain: RELEVANCE_SHARE * (one.score / best) - (1 - RELEVANCE_SHARE) * likeness(one, chosen),
    }));
    if (first === undefined) break;
    const { one } = others.reduce((top, next) => (next.gain > top.gain ? next : top), first);
    chosen.push(one);
    left.splice(left.indexOf(one), 1);
    tokens -= tokensOf(one.bytes);
  }
  return chosen.map(({ place, score, similarity }) => ({ place, score, similarity }));
}
