import { removeCachedOf } from "./cache-store.ts";
import type { Found, MemorySearch, NewMemory, Remembered, SettledRun } from "./memory-calls.ts";
import {
  findMemory,
  insertMemory,
  placesOfTasks,
  readMemories,
  readUse,
  removeMemories,
  supersede,
  validFact,
  writeUse,
} from "./memory-store.ts";
import { rank } from "./recall/fusion.ts";
import { isFaded, usedOnce } from "./recall/utility.ts";
import { candidatesOf } from "./search-store.ts";
import { succession } from "./supersession.ts";
import { termsOf } from "./text/terms.ts";
import { vectorOf } from "./text/vectors.ts";

/* What a tenant's memory does, on its tables. Whoever writes does so inside a transaction. */

/** The last runs of each memory that are remembered, so that telling of one again changes nothing. */
const REMEMBERED_RUNS = 20;

function rememberOne(sql: SqlStorage, memory: NewMemory): Remembered["memories"][number] {
  const { memory_id, topic } = memory;
  if (findMemory(sql, memory_id) !== null) return { memory_id, is_new: false };
  const next = topic === null ? null : succession(memory, validFact(sql, topic));
  if (next?.kind === "known") return { memory_id: next.memory_id, is_new: false };
  if (next?.kind === "new" && next.supersedes !== null) {
    supersede(sql, next.supersedes, { memory_id, valid_to: next.valid_to });
  }
  insertMemory(
    sql,
    memory,
    termsOf(memory.subject).map(({ stem }) => stem),
  );
  if (next?.kind === "late") {
    supersede(sql, memory_id, { memory_id: next.superseded_by, valid_to: next.valid_to });
  }
  return { memory_id, is_new: true };
}

/** Writes memories; those that are there already change nothing. */
export function remember(sql: SqlStorage, memories: readonly NewMemory[]): Remembered {
  return { memories: memories.map((memory) => rememberOne(sql, memory)) };
}

/** Counts a task for the memories that its models were told, each once. One row a memory. */
export function settle(sql: SqlStorage, { task_id, memory_ids, score }: SettledRun): void {
  if (memory_ids.length === 0) return;
  for (const { place, runs, ...use } of readUse(sql, memory_ids)) {
    if (runs.includes(task_id)) continue;
    const latest = [...runs, task_id].slice(-REMEMBERED_RUNS);
    writeUse(sql, place, { ...usedOnce(use, score), runs: latest });
  }
}

/** Valid memories that are near to a question, best first. Reads alone. */
export function search(sql: SqlStorage, asked: MemorySearch, now: number): Found {
  const { candidates, stale } = candidatesOf(sql, asked, vectorOf(asked.vector));
  const { task_type, threshold, limit, max_tokens } = asked;
  const ranked = rank(
    candidates.filter(({ use }) => !isFaded(use)),
    { now, task_type, threshold, limit, max_tokens },
  );
  const stored = new Map(
    readMemories(sql, [...ranked.map(({ place }) => place), ...stale]).map((one) => [
      one.place,
      one,
    ]),
  );
  return {
    items: ranked.flatMap(({ place, score, similarity }) => {
      const one = stored.get(place);
      if (one === undefined) return [];
      const { record, bounds, is_blamed } = one;
      return [{ record, bounds, is_blamed, score, similarity }];
    }),
    stale: stale.flatMap((place) => {
      const one = stored.get(place);
      if (one === undefined) return [];
      return [{ memory_id: one.record.memory_id, subject: one.subject }];
    }),
  };
}

/** Forgets what comes from tasks: memories and results. */
export function forget(sql: SqlStorage, task_ids: readonly string[]) {
  return {
    memories: removeMemories(sql, placesOfTasks(sql, task_ids)),
    results: removeCachedOf(sql, task_ids),
  };
}
