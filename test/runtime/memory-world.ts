import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import type { MemoryDraft } from "../../src/executor/memory/draft.ts";
import { Memory } from "../../src/executor/memory/memory-door.ts";
import type { MemoryObject } from "../../src/executor/memory/memory-object.ts";
import type { RecallQuestion } from "../../src/executor/memory/memory-port.ts";
import { builtinEmbedder, type Embedder } from "../../src/executor/memory/text/embedder.ts";
import { randomId } from "../../src/lib/ports.ts";
import { memoryOf, T0 } from "../memories.ts";

/** A tenant's memory whose clock is turned by hand. */
export function newMemory(embedder: Embedder = builtinEmbedder) {
  const tenant = `tenant-${randomId()}`;
  const stub = env.MEMORY.getByName(tenant);
  const lines: string[] = [];
  let clock = T0;
  const memory = new Memory({
    object: (name) => env.MEMORY.getByName(name),
    embedder,
    now: () => clock,
    log: (_level, event) => void lines.push(event),
  });
  const at = (now: number) => {
    clock = now;
    return runInDurableObject(stub, (instance: MemoryObject) => {
      instance.now = () => now;
    });
  };
  const write = async (...changes: Partial<MemoryDraft>[]) => {
    const memories = await Promise.all(changes.map(memoryOf));
    await stub.ask(JSON.stringify({ call: "remember", memories, run: null }));
    return memories.map(({ memory_id }) => memory_id);
  };
  const recall = (text: string, more: Partial<RecallQuestion> = {}) =>
    memory.recall(tenant, {
      text,
      task_type: "research",
      bounds: { locality: null, region: null },
      limit: 8,
      max_tokens: 2_000,
      ...more,
    });
  /** A task of the built-in executor, whose models were told memories, came to an end. */
  const settle = (task_id: string, memory_ids: string[], score: number) =>
    stub.ask(
      JSON.stringify({ call: "remember", memories: [], run: { task_id, memory_ids, score } }),
    );
  const listed = async (query = {}) => {
    const page = await memory.list(tenant, { limit: 50, ...query });
    return page.ok ? page.value.items : [];
  };
  return { tenant, stub, memory, lines, at, write, recall, settle, listed };
}
