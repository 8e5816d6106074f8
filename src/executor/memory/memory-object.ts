import { DurableObject } from "cloudflare:workers";

import { consoleLog } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { CACHE_LIFE_MS, readCached, removeStale, writeCached } from "./cache-store.ts";
import { forget, remember, search, settle } from "./memory-book.ts";
import { memoryCallSchema, type MemoryCall, type MemoryStub } from "./memory-calls.ts";
import {
  createTables,
  findMemory,
  hasTables,
  listMemories,
  removeMemories,
  writeVector,
} from "./memory-store.ts";
import { expired, isEmpty, surplus } from "./retention-store.ts";

/** What memory needs from outside. */
export interface MemoryPorts {
  /** How long memories are kept. Milliseconds. */
  retentionMs: number;
}

/** How often it is looked at what has to go, while anything is stored. Milliseconds. */
const TIDY_EVERY_MS = CACHE_LIFE_MS;

/** The pause between two portions of a removal. Milliseconds. */
const NEXT_PORTION_MS = 1_000;

type Reading = Extract<MemoryCall, { call: "search" | "list" | "get" | "cached" }>;
type Writing = Exclude<MemoryCall, Reading>;

const EMPTY = {
  search: { items: [], stale: [] },
  list: { items: [] },
  get: null,
  cached: null,
  remove: false,
  forget: { memories: 0, results: 0 },
  revector: null,
};

/**
 * The long-term memory of one tenant, named by it, and its results that may be given again: nobody else's are ever in
 * reach. A tenant without memories has no tables.
 */
export class MemoryObject extends DurableObject<Env> implements MemoryStub {
  /** Set once by index.ts. */
  static connect: (env: Env) => MemoryPorts;

  now: Clock = () => Date.now();
  readonly #log = consoleLog("memory", () => this.now());

  async ask(call: string): Promise<string> {
    const asked = memoryCallSchema.parse(JSON.parse(call));
    switch (asked.call) {
      case "search":
      case "list":
      case "get":
      case "cached":
        return JSON.stringify(this.#read(asked));
      case "remember":
      case "cache":
      case "remove":
      case "forget":
      case "revector":
        return JSON.stringify(await this.#write(asked));
    }
  }

  override async alarm(): Promise<void> {
    const { storage } = this.ctx;
    // It runs again when it is not known to have ended, also after everything was forgotten.
    if (!hasTables(storage.sql)) return;
    try {
      const isDone = storage.transactionSync(() => this.#tidy());
      if (isEmpty(storage.sql)) await storage.deleteAll();
      else await storage.setAlarm(this.now() + (isDone ? TIDY_EVERY_MS : NEXT_PORTION_MS));
    } catch (error) {
      // A throwing alarm is dropped after six retries, and this is the only one.
      this.#log("error", "memory_not_tidied", { tenant: this.ctx.id.name, error: String(error) });
      await storage.setAlarm(this.now() + TIDY_EVERY_MS);
    }
  }

  /** Removes what has to go, a portion; whether that was all. */
  #tidy(): boolean {
    const { sql } = this.ctx.storage;
    const now = this.now();
    removeStale(sql, now);
    const { retentionMs } = MemoryObject.connect(this.env);
    const removed = removeMemories(sql, expired(sql, now - retentionMs));
    return removed + removeMemories(sql, surplus(sql)) === 0;
  }

  #read(asked: Reading): unknown {
    const { sql } = this.ctx.storage;
    if (!hasTables(sql)) return EMPTY[asked.call];
    switch (asked.call) {
      case "search":
        return search(sql, asked, this.now());
      case "list": {
        const { filter, before, limit } = asked;
        const items = listMemories(sql, filter, { before, limit });
        return { items: items.map(({ place, record }) => ({ place, record })) };
      }
      case "get":
        return findMemory(sql, asked.memory_id)?.record ?? null;
      case "cached":
        return readCached(sql, asked.key, this.now());
    }
  }

  async #write(asked: Writing): Promise<unknown> {
    const { storage } = this.ctx;
    const isAdding = asked.call === "remember" || asked.call === "cache";
    if (!isAdding && !hasTables(storage.sql)) return EMPTY[asked.call];
    const answer = storage.transactionSync(() => {
      createTables(storage.sql);
      return this.#change(asked);
    });
    // What has to go goes within a day; a row a day, and none for a memory.
    if (isAdding && (await storage.getAlarm()) === null) {
      await storage.setAlarm(this.now() + TIDY_EVERY_MS);
    }
    return answer;
  }

  #change(asked: Writing): unknown {
    const { sql } = this.ctx.storage;
    switch (asked.call) {
      case "remember":
        if (asked.run !== null) settle(sql, asked.run);
        return remember(sql, asked.memories);
      case "cache":
        return writeCached(sql, asked.entry, this.now());
      case "remove": {
        const found = findMemory(sql, asked.memory_id);
        return found !== null && removeMemories(sql, [found.place]) > 0;
      }
      case "forget":
        return forget(sql, asked.task_ids);
      case "revector":
        for (const { memory_id, vector } of asked.vectors) {
          writeVector(sql, memory_id, { embedder: asked.embedder, vector });
        }
        return null;
    }
  }
}
