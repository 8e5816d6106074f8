import type { Log } from "../../lib/log.ts";
import { instant, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import { TIMED_OUT, withinLimit } from "../../lib/within-limit.ts";
import { isBounded } from "../../protocol/data-bounds.ts";
import type { EndedRun } from "../../protocol/ended-run.ts";
import { cursorOf, noCursor, placeOf, type Page } from "../../protocol/keyset.ts";
import type {
  Forgotten,
  MemoriesQuery,
  MemoryItem,
  MemoryRecord,
  MemoryStatement,
} from "../../protocol/memory.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { kept, memoryIdOf, type MemoryDraft } from "./draft.ts";
import {
  cachedOrNullSchema,
  completedSchema,
  countsSchema,
  foundSchema,
  listedSchema,
  recordOrNullSchema,
  rememberedSchema,
  type Found,
  type MemoryCall,
  type MemorySearch,
  type MemoryStub,
  type NewMemory,
} from "./memory-calls.ts";
import type { CachedResult, MemoryDoor, RecalledMemory, RecallQuestion } from "./memory-port.ts";
import { draftsOf, statedDraft, worthOf } from "./records.ts";
import { builtinEmbedder, type Embedder } from "./text/embedder.ts";
import { termsOf } from "./text/terms.ts";
import { vectorText } from "./text/vectors.ts";

/** What memories are put before a run at most, whatever it asks for (facts/orchestration.md §4). */
const MOST_RECALLED = 8;

/** A run does not wait longer for what it may remember. Milliseconds. */
const PATIENCE_MS = 5_000;

/** Characters of a question that are embedded. */
const LONGEST_QUESTION = 8_000;

/** What the use of a memory is built from. */
export interface MemoryParts {
  object: (tenant: string) => MemoryStub;
  /** The embedder of this installation; the built-in one stands in where it fails. */
  embedder: Embedder;
  now: Clock;
  log: Log;
}

interface Embedded {
  embedder: Embedder;
  vectors: string[];
}

type Asked = Pick<MemorySearch, "filter" | "task_type" | "limit" | "max_tokens"> & {
  embedder: Embedder;
};

/**
 * A tenant's memory for all who use it: it embeds, where the object only compares. Its calls throw while the object does
 * not answer; those of the executor (`MemoryDoor`) never do.
 */
export class Memory implements MemoryDoor {
  readonly #parts: MemoryParts;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  async recall(tenant: string, question: RecallQuestion): Promise<RecalledMemory[]> {
    const { text, task_type, max_tokens } = question;
    const limit = Math.min(MOST_RECALLED, question.limit);
    if (limit < 1) return [];
    const filter = { kind: null, task_type: null };
    const found = await this.#safely("memory_not_recalled", tenant, [], async () => {
      const embedder = this.#embedderFor(question);
      const asked = { filter, task_type, limit, max_tokens, embedder };
      return (await this.#search(tenant, text, asked)).items;
    });
    return found.map(({ record, score, similarity, ...more }) => {
      const { memory_id, kind, task_id, verdict, model_id } = record;
      const about = { memory_id, kind, task_id, verdict, model_id, task_type: record.task_type };
      return { ...about, ...more, text: record.text, score, similarity: similarity ?? 0 };
    });
  }

  async cached(tenant: string, key: string): Promise<CachedResult | null> {
    return this.#safely("cache_not_read", tenant, null, async () => {
      const entry = cachedOrNullSchema.parse(await this.#ask(tenant, { call: "cached", key }));
      if (entry === null) return null;
      const { task_id, completed, at } = entry;
      return { task_id, at: instant(at), completed };
    });
  }

  async cache(tenant: string, key: string, result: CachedResult): Promise<void> {
    const { task_id, at } = result;
    await this.#safely("result_not_cached", tenant, null, async () => {
      const completed = completedSchema.parse(result.completed);
      const entry = { key, task_id, at: Date.parse(at), completed };
      return this.#ask(tenant, { call: "cache", entry });
    });
  }

  /** Writes what an ended task leaves, and what its memories were worth to it. Repeating it changes nothing. */
  async remember(tenant: string, run: EndedRun): Promise<void> {
    const { task_id } = run;
    const memory_ids = [...new Set(run.attempts.flatMap((attempt) => attempt.memory_ids))];
    const memories = await this.#embedded(draftsOf(run), this.#embedderFor(run));
    const score = worthOf(run);
    const used = score === null ? null : { task_id, memory_ids: memory_ids.slice(0, 100), score };
    await this.#ask(tenant, { call: "remember", memories, run: used });
  }

  /** Writes what somebody states; a fact that is valid already is not written again. */
  async state(
    tenant: string,
    statement: MemoryStatement,
  ): Promise<{ record: MemoryRecord; isNew: boolean }> {
    const { embedder, now } = this.#parts;
    const memories = await this.#embedded([statedDraft(statement, now())], embedder);
    const answer = await this.#ask(tenant, { call: "remember", memories, run: null });
    const [written] = rememberedSchema.parse(answer).memories;
    const record = written === undefined ? null : await this.#record(tenant, written.memory_id);
    if (written === undefined || record === null) throw new Error("a memory was lost at once");
    return { record, isNew: written.is_new };
  }

  /** Memories near to a question by the executor's own retrieval, best first; without one all, newest first. */
  async list(tenant: string, query: MemoriesQuery): Promise<Result<Page<MemoryItem>, Refusal>> {
    const { q, limit, kind = null, task_type = null } = query;
    const filter = { kind, task_type };
    if (q !== undefined) {
      const { embedder } = this.#parts;
      const asked = { filter, task_type, limit, max_tokens: Number.MAX_SAFE_INTEGER, embedder };
      const { items } = await this.#search(tenant, q, asked);
      const found = items.map(({ record, score, similarity }) => ({
        ...record,
        score,
        similarity,
      }));
      return ok({ items: found, next_cursor: null });
    }
    const from = placeOf(query.cursor);
    if (!from.ok) return from;
    const before = from.value === null ? null : Number(from.value.id);
    if (before !== null && !Number.isSafeInteger(before)) return refuse(noCursor());
    const call = { call: "list", filter, before, limit: limit + 1 } as const;
    const { items } = listedSchema.parse(await this.#ask(tenant, call));
    const page = items.slice(0, limit);
    const last = page.at(-1);
    const isMore = items.length > limit && last !== undefined;
    return ok({
      items: page.map(({ record }) => ({ ...record, score: null, similarity: null })),
      next_cursor: isMore ? cursorOf({ at: last.record.created_at, id: String(last.place) }) : null,
    });
  }

  /** Refused: memory_not_found. */
  async get(tenant: string, memory_id: string): Promise<Result<MemoryRecord, Refusal>> {
    const record = await this.#record(tenant, memory_id);
    return record === null ? refuse(noMemory(memory_id)) : ok(record);
  }

  /** Refused: memory_not_found. */
  async remove(tenant: string, memory_id: string): Promise<Result<null, Refusal>> {
    const isGone = await this.#ask(tenant, { call: "remove", memory_id });
    return isGone === true ? ok(null) : refuse(noMemory(memory_id));
  }

  /** Forgets all that comes from a task. */
  async forget(tenant: string, task_id: string): Promise<Forgotten> {
    const counts = await this.#ask(tenant, { call: "forget", task_ids: [task_id] });
    return { task_id, ...countsSchema.parse(counts) };
  }

  /** Forgets all that comes from tasks which history has removed. */
  async forgetAll(tenant: string, task_ids: string[]): Promise<void> {
    if (task_ids.length > 0) await this.#ask(tenant, { call: "forget", task_ids });
  }

  async #ask(tenant: string, call: MemoryCall): Promise<unknown> {
    const answer: unknown = JSON.parse(await this.#parts.object(tenant).ask(JSON.stringify(call)));
    return answer;
  }

  async #record(tenant: string, memory_id: string): Promise<MemoryRecord | null> {
    return recordOrNullSchema.parse(await this.#ask(tenant, { call: "get", memory_id }));
  }

  /** Data that may not go everywhere do not go to a hosted embedder. */
  #embedderFor({ bounds }: Pick<RecallQuestion, "bounds">): Embedder {
    return isBounded(bounds) ? builtinEmbedder : this.#parts.embedder;
  }

  async #search(tenant: string, text: string, { embedder: by, ...asked }: Asked): Promise<Found> {
    const question = kept(text, LONGEST_QUESTION);
    const { embedder, vectors } = await this.#embed([question], by);
    const found = foundSchema.parse(
      await this.#ask(tenant, {
        ...asked,
        call: "search",
        stems: termsOf(question).map(({ stem }) => stem),
        embedder: embedder.name,
        vector: vectors[0] ?? "",
        threshold: embedder.threshold,
      }),
    );
    // While the hosted embedder is down the vectors that it made stay as they are.
    if (embedder === this.#parts.embedder) await this.#revector(tenant, found.stale);
    return found;
  }

  /** Gives memories vectors of the present embedder, some with each search: those without are found by words alone. */
  async #revector(tenant: string, stale: Found["stale"]): Promise<void> {
    if (stale.length === 0) return;
    const subjects = stale.map(({ subject }) => subject);
    const { embedder, vectors } = await this.#embed(subjects, this.#parts.embedder);
    if (embedder !== this.#parts.embedder) return;
    const made = stale.map(({ memory_id }, index) => ({ memory_id, vector: vectors[index] ?? "" }));
    await this.#ask(tenant, { call: "revector", embedder: embedder.name, vectors: made });
  }

  async #embed(texts: readonly string[], embedder: Embedder): Promise<Embedded> {
    const { log } = this.#parts;
    try {
      return { embedder, vectors: (await embedder.embed(texts)).map(vectorText) };
    } catch (error) {
      if (embedder === builtinEmbedder) throw error;
      log("warning", "embedder_failed", { embedder: embedder.name, error: String(error) });
      const vectors = await builtinEmbedder.embed(texts);
      return { embedder: builtinEmbedder, vectors: vectors.map(vectorText) };
    }
  }

  async #embedded(drafts: readonly MemoryDraft[], by: Embedder): Promise<NewMemory[]> {
    const subjects = drafts.map(({ subject }) => subject);
    const { embedder, vectors } = await this.#embed(subjects, by);
    return Promise.all(
      drafts.map(async (draft, index) => ({
        ...draft,
        memory_id: await memoryIdOf(draft),
        embedder: embedder.name,
        vector: vectors[index] ?? "",
      })),
    );
  }

  /** What is down, or slow, is as if nothing were remembered: no run waits or fails for it. */
  async #safely<Value>(
    event: string,
    tenant: string,
    nothing: Value,
    act: () => Promise<Value>,
  ): Promise<Value> {
    try {
      const answer = await withinLimit(PATIENCE_MS, act);
      if (answer !== TIMED_OUT) return answer;
      this.#parts.log("warning", event, { tenant, error: "no answer in time" });
    } catch (error) {
      this.#parts.log("warning", event, { tenant, error: String(error) });
    }
    return nothing;
  }
}

function noMemory(memory_id: string): Refusal {
  return {
    code: "memory_not_found",
    detail: `There is no memory ${memory_id}.`,
    extra: { memory_id },
  };
}
