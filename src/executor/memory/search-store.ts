import * as z from "zod";

import { taskTypeSchema } from "../../protocol/enums.ts";
import type { MemoryFilter, MemorySearch } from "./memory-calls.ts";
import type { Candidate } from "./recall/fusion.ts";
import { indexedWord } from "./text/terms.ts";
import { cosineTo } from "./text/vectors.ts";

/* The two searches: by words (FTS5, bm25) and by vectors (all of them, or those that are worth it). */

/** Memories whose vectors are all compared; a tenant with more has them prefiltered (facts/orchestration.md §4). */
const MOST_SCANNED = 10_000;

/** Of these halves: the best by words, and the newest of the type. */
const PREFILTERED = 1_000;

/** What each of the two searches gives at least. */
const LEAST_CANDIDATES = 50;

/** Words of a question that are searched for. */
const MOST_STEMS = 64;

/** Memories of another embedder that one search has embedded anew. */
const MOST_STALE = 16;

/** A question as FTS5 has it: any of the words, each quoted, so that none of them is an operator. */
function matchOf(stems: readonly string[]): string {
  const words = [...new Set(stems)].slice(0, MOST_STEMS);
  return words.map((word) => `"${indexedWord(word)}"`).join(" OR ");
}

const VALID =
  "superseded_by IS NULL AND (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR task_type = ?2)";

/** Places of the memories that hold words of the question, best first. */
function byWords(
  sql: SqlStorage,
  { kind, task_type }: MemoryFilter,
  asked: { match: string; limit: number },
): number[] {
  if (asked.match === "") return [];
  return sql
    .exec<{ place: number }>(
      `SELECT place FROM term JOIN memory ON place = term.rowid
       WHERE term MATCH ?3 AND ${VALID} ORDER BY bm25(term) LIMIT ?4`,
      kind,
      task_type,
      asked.match,
      asked.limit,
    )
    .toArray()
    .map(({ place }) => place);
}

/** At least as many as there are memories: places of removed ones count. */
function sizeOf(sql: SqlStorage): number {
  return sql
    .exec<{ size: number }>("SELECT coalesce(max(place) - min(place) + 1, 0) AS size FROM memory")
    .one().size;
}

/** Which memories have their vectors compared: null for all. */
function scanned(sql: SqlStorage, search: MemorySearch): number[] | null {
  if (sizeOf(sql) <= MOST_SCANNED) return null;
  const { filter } = search;
  const task_type = filter.task_type ?? search.task_type;
  const newest = sql
    .exec<{ place: number }>(
      `SELECT place FROM memory WHERE ${VALID} ORDER BY place DESC LIMIT ${PREFILTERED}`,
      filter.kind,
      task_type,
    )
    .toArray();
  const match = matchOf(search.stems);
  const worded = byWords(sql, filter, { match, limit: PREFILTERED });
  return [...new Set([...worded, ...newest.map(({ place }) => place)])];
}

interface Near {
  place: number;
  similarity: number;
  vector: Int8Array;
}

interface VectorRow extends Record<string, SqlStorageValue> {
  place: number;
  embedder: string;
  vector: ArrayBuffer;
}

/** Places of some memories whose vectors another embedder made; what is bound to a place is not sent to any. */
function staleOf(sql: SqlStorage, { filter, embedder }: MemorySearch): number[] {
  return sql
    .exec<{ place: number }>(
      `SELECT place FROM memory WHERE ${VALID} AND embedder <> ?3
       AND coalesce(body ->> '$.bounds.locality', body ->> '$.bounds.region') IS NULL
       LIMIT ${MOST_STALE}`,
      filter.kind,
      filter.task_type,
      embedder,
    )
    .toArray()
    .map(({ place }) => place);
}

/**
 * Vectors of the question's embedder by nearness, and places of some that another one made. Of what is below the
 * threshold there is nothing but what the words have found.
 */
function byVector(
  sql: SqlStorage,
  search: MemorySearch,
  { question, worded }: { question: Int8Array; worded: ReadonlySet<number> },
) {
  const { filter, embedder } = search;
  const among = scanned(sql, search);
  const rows = sql.exec<VectorRow>(
    `SELECT place, embedder, vector FROM memory WHERE ${VALID}
     ${among === null ? "" : "AND place IN (SELECT value FROM json_each(?3))"}`,
    filter.kind,
    filter.task_type,
    ...(among === null ? [] : [JSON.stringify(among)]),
  );
  const similarityOf = cosineTo(question);
  const near: Near[] = [];
  let isMixed = false;
  for (const row of rows) {
    if (row.embedder !== embedder) {
      isMixed = true;
      continue;
    }
    const vector = new Int8Array(row.vector);
    const similarity = similarityOf(vector);
    if (similarity < search.threshold && !worded.has(row.place)) continue;
    near.push({ place: row.place, similarity, vector });
  }
  const stale = isMixed ? staleOf(sql, search) : [];
  return { near: near.toSorted((a, b) => b.similarity - a.similarity), stale };
}

const factsSchema = z.object({
  place: z.int(),
  task_type: taskTypeSchema.nullable(),
  created_at: z.number(),
  used: z.number(),
  helped: z.number(),
  bytes: z.number(),
});

/** What was found by either search, with what its rank depends on. */
export function candidatesOf(
  sql: SqlStorage,
  search: MemorySearch,
  question: Int8Array,
): { candidates: Candidate[]; stale: number[] } {
  const most = Math.max(LEAST_CANDIDATES, 2 * search.limit);
  const match = matchOf(search.stems);
  const words = byWords(sql, search.filter, { match, limit: most });
  const { near, stale } = byVector(sql, search, { question, worded: new Set(words) });
  const nearest = near.slice(0, most);
  const similarityOf = new Map(near.map((one) => [one.place, one]));
  const wordRank = new Map(words.map((place, index) => [place, index + 1]));
  const vectorRank = new Map(nearest.map(({ place }, index) => [place, index + 1]));
  const places = [...new Set([...wordRank.keys(), ...vectorRank.keys()])];
  const rows = sql.exec(
    `SELECT place, task_type, created_at, used, helped, octet_length(body ->> 'text') AS bytes
     FROM memory WHERE place IN (SELECT value FROM json_each(?))`,
    JSON.stringify(places),
  );
  const candidates = rows.toArray().map((row): Candidate => {
    const { used, helped, ...facts } = factsSchema.parse(row);
    const known = similarityOf.get(facts.place);
    return {
      ...facts,
      use: { used, helped },
      text_rank: wordRank.get(facts.place) ?? null,
      vector_rank: vectorRank.get(facts.place) ?? null,
      similarity: known?.similarity ?? null,
      vector: known?.vector ?? null,
    };
  });
  return { candidates, stale };
}
