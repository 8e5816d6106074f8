import type { MemoryDraft } from "../src/executor/memory/draft.ts";
import { memoryIdOf } from "../src/executor/memory/draft.ts";
import type { NewMemory } from "../src/executor/memory/memory-calls.ts";
import { builtinEmbedder } from "../src/executor/memory/text/embedder.ts";
import { vectorText } from "../src/executor/memory/text/vectors.ts";
import type { EndedRun, RunAttempt } from "../src/protocol/ended-run.ts";

/** An instant at which memories are written, epoch milliseconds. */
export const T0 = Date.UTC(2026, 10, 26);

export function draftOf(change: Partial<MemoryDraft> = {}): MemoryDraft {
  const text = change.text ?? "The report needs the totals";
  return {
    kind: "lesson",
    text,
    subject: text,
    task_type: "research",
    tags: [],
    topic: null,
    task_id: "t1",
    bounds: null,
    model_id: null,
    is_blamed: false,
    executor: "sam",
    verdict: "failure",
    cost_usd: 0,
    quality: null,
    created_at: T0,
    ...change,
  };
}

/** A memory with its id and its vector by the built-in embedder. */
export async function memoryOf(change: Partial<MemoryDraft> = {}): Promise<NewMemory> {
  const draft = draftOf(change);
  const [vector = new Int8Array()] = await builtinEmbedder.embed([draft.subject]);
  return {
    ...draft,
    memory_id: await memoryIdOf(draft),
    embedder: builtinEmbedder.name,
    vector: vectorText(vector),
  };
}

export function attemptOf(change: Partial<RunAttempt> = {}): RunAttempt {
  return {
    executor: "sam",
    model_ids: [],
    memory_ids: [],
    failure: null,
    rounds: [],
    is_completed: false,
    ...change,
  };
}

export function runOf(change: Partial<EndedRun> = {}): EndedRun {
  return {
    task_id: "t1",
    task_type: "research",
    description: "Find out what the quarterly report says about churn",
    tags: ["q3"],
    bounds: { locality: null, region: null },
    reason: "success",
    ended_at: T0,
    attempts: [attemptOf({ is_completed: true })],
    quality: 0.9,
    cost_usd: 0,
    error: null,
    escalation: null,
    lessons_learned: [],
    ...change,
  };
}
