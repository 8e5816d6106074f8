import { json, list, maybe, object, pageOf, text, type Read } from "../lib/shape.ts";

/** A question of a task (GET /v1/escalations/{id}). */
export const escalation = object({
  escalation_id: text,
  task_id: text,
  kind: text,
  state: text,
  question: text,
  options: list(text),
  evidence: json,
  urgency: text,
  deadline: maybe(text),
  default_option: maybe(text),
  created_at: text,
  resolved_at: maybe(text),
  decision: maybe(text),
  answer: maybe(text),
  actor: maybe(text),
});
export type Escalation = Read<typeof escalation>;

/** A page of GET /v1/escalations. */
export const escalationPage = pageOf(escalation);
