/** A fact as the rule sees it. Instants are epoch milliseconds. */
export interface Fact {
  memory_id: string;
  topic: string | null;
  text: string;
  created_at: number;
}

/** What writing a fact comes to. */
export type Succession =
  /** The valid fact of its topic says the same: nothing is written. */
  | { kind: "known"; memory_id: string }
  /** It is written, and what was valid of its topic is valid no more from then on. */
  | { kind: "new"; supersedes: string | null; valid_to: number }
  /** It is written, as superseded already: the valid one was stated after it, and came before it. */
  | { kind: "late"; superseded_by: string; valid_to: number };

/**
 * How a new fact stands to the valid one of its topic. What was written is never changed or removed by it: the old
 * fact stays readable with what took its place.
 */
export function succession(fact: Fact, valid: Fact | null): Succession {
  if (valid?.text === fact.text) return { kind: "known", memory_id: valid.memory_id };
  if (valid !== null && valid.created_at > fact.created_at) {
    return { kind: "late", superseded_by: valid.memory_id, valid_to: valid.created_at };
  }
  return { kind: "new", supersedes: valid?.memory_id ?? null, valid_to: fact.created_at };
}
