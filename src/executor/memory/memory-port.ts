import type { DataBounds } from "../../protocol/data-bounds.ts";
import type { TaskType } from "../../protocol/enums.ts";
import type { JsonObject } from "../skills/skill.ts";

/** Something remembered, as it is put before a run. It is data from outside: quoted, never obeyed. */
export interface RecalledMemory {
  memory_id: string;
  kind: "outcome" | "lesson" | "fact";
  text: string;
  /** The task it comes from; null for a fact that somebody stated. */
  task_id: string | null;
  task_type: TaskType | null;
  /** Of an outcome or a lesson: how it went, and with which model. */
  verdict: "success" | "failure" | "escalated" | null;
  model_id: string | null;
  /** Where the data of its task may go: models elsewhere are not told it. Null of what no task brought. */
  bounds: DataBounds | null;
  /** Whether that model's own work was not good enough: no outage, no lack of time, no fault of the input. */
  is_blamed: boolean;
  /** Fused rank score, higher is nearer; and the cosine similarity of the texts. */
  score: number;
  similarity: number;
}

/** What is to be remembered. */
export interface RecallQuestion {
  text: string;
  task_type: TaskType;
  /** Where the text may go. */
  bounds: DataBounds;
  limit: number;
  max_tokens: number;
}

/** A finished result that may be given again for the same question. */
export interface CachedResult {
  task_id: string;
  /** What task_completed carried: result, execution_summary, quality_assessment, next_steps … */
  completed: JsonObject;
  at: string;
}

/** Long-term memory of a tenant as the engine uses it. What is down is reported as empty, with a log line. */
export interface MemoryDoor {
  recall(tenant: string, question: RecallQuestion): Promise<RecalledMemory[]>;
  /** The stored result of an equal question, not older than its time; null when there is none. */
  cached(tenant: string, key: string): Promise<CachedResult | null>;
  cache(tenant: string, key: string, result: CachedResult): Promise<void>;
}
