import { isRecord, text } from "./shape.ts";

/** Longest summary, characters: the rest is among the details. */
const LONGEST = 300;

/** Fields that say most about an event, the first that is there of each line. All are text from outside. */
const TELLING: readonly (readonly string[])[] = [
  ["current_step", "execution_summary", "error_message", "question", "escalation_reason", "answer"],
  ["name", "command"],
  ["outcome", "completion_status", "decision"],
  ["error_type", "reason", "cause", "rule"],
];

function percentOf(fields: Record<string, unknown>): string[] {
  const { progress_percentage: percentage } = fields;
  return typeof percentage === "number" ? [`${Math.floor(percentage)} %`] : [];
}

/**
 * What an event says in one line, from its data: a notification's own data where it is one. Whatever executors wrote
 * stays their text, shortened; it is for showing as text and never as markup.
 */
export function summaryOf(data: unknown): string {
  const outer = isRecord(data) ? data : {};
  const fields = { ...outer, ...(isRecord(outer["data"]) ? outer["data"] : {}) };
  const told = TELLING.flatMap((names) => {
    const found = names.map((name) => text(fields[name])).find((word) => word !== "");
    return found === undefined ? [] : [found];
  });
  const agent = text(fields["agent_id"]);
  const parts = [...percentOf(fields), ...told];
  const line = parts.length > 0 ? parts.join(" · ") : agent;
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
