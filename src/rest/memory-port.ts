import type { Result } from "../lib/result.ts";
import type {
  Forgotten,
  MemoriesQuery,
  MemoryItem,
  MemoryRecord,
  MemoryStatement,
} from "../protocol/memory.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** The long-term memory of a tenant. */
export interface MemoryPort {
  /** With `q` a search in one page, best first; otherwise newest first. */
  list(
    tenant: string,
    query: MemoriesQuery,
  ): Answer<{ items: MemoryItem[]; next_cursor: string | null }>;
  get(tenant: string, memory_id: string): Answer<MemoryRecord>;
  state(
    tenant: string,
    statement: MemoryStatement,
  ): Promise<{ record: MemoryRecord; isNew: boolean }>;
  remove(tenant: string, memory_id: string): Answer<null>;
  forget(tenant: string, task_id: string): Promise<Forgotten>;
}
