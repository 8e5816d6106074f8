import { canonicalJson, derivedId } from "../../lib/ports.ts";
import { withoutCredentials } from "../../lib/redact.ts";
import type { DataBounds } from "../../protocol/data-bounds.ts";
import type { TaskType } from "../../protocol/enums.ts";
import { LONGEST_MEMORY, type MemoryKind, type MemoryRecord } from "../../protocol/memory.ts";

/** A memory before it is written. */
export interface MemoryDraft {
  kind: MemoryKind;
  text: string;
  /** What it is found by: the words of its matter, without those that every memory has. */
  subject: string;
  task_type: TaskType | null;
  tags: string[];
  topic: string | null;
  task_id: string | null;
  /** Where the data of its task may go; null of what no task brought. */
  bounds: DataBounds | null;
  model_id: string | null;
  /** Whether the model's own work was not good enough, and nobody mended it there: a reason to choose another. */
  is_blamed: boolean;
  executor: string | null;
  verdict: MemoryRecord["verdict"];
  cost_usd: number | null;
  quality: number | null;
  /** Epoch milliseconds. */
  created_at: number;
}

/** Characters of the words that a memory is found by. */
const LONGEST_SUBJECT = 1_000;

/**
 * A text from outside as it is kept: on one line, without control characters and what looks like a secret, and cut
 * to a length. What it says is not looked at: it is data.
 */
export function kept(text: string, most: number): string {
  const line = withoutCredentials(text.slice(0, 4 * most))
    .toWellFormed()
    .replaceAll(/[\p{C}\p{Z}\s]+/gu, " ")
    .trim();
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line;
}

/** Text and subject as they are kept. */
export function cleaned(draft: MemoryDraft): MemoryDraft {
  return {
    ...draft,
    text: kept(draft.text, LONGEST_MEMORY),
    subject: kept(draft.subject, LONGEST_SUBJECT),
    tags: [...new Set(draft.tags.map((tag) => kept(tag, 100)))].filter((tag) => tag !== ""),
  };
}

/**
 * The id of a memory: of its content and its source, not of when it was written, so that writing it twice is writing
 * it once. A fact's also of when it was stated: it may become true again after it was superseded.
 */
export async function memoryIdOf(draft: MemoryDraft): Promise<string> {
  const { created_at, tags: _tags, subject: _subject, bounds: _bounds, ...others } = draft;
  const { is_blamed: _isBlamed, ...content } = others;
  const isFact = draft.kind === "fact";
  return `mem_${await derivedId(canonicalJson({ ...content, ...(isFact && { created_at }) }))}`;
}
