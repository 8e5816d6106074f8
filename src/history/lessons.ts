import * as z from "zod";

import { instant } from "../lib/ports.ts";
import type { TaskEvent } from "../protocol/task-view.ts";
import type { TaskNews } from "./news.ts";

/** A lesson in the columns of its table. */
export interface LessonRecord {
  tenant: string;
  created_at: string;
  lesson_id: string;
  task_id: string;
  task_type: string;
  agent_id: string | null;
  text: string;
  words: string;
}

/** The part of a task_completed event that is a lesson; whatever else it holds is not looked at. */
const learnedSchema = z.object({ data: z.object({ lessons_learned: z.array(z.string()) }) });

/**
 * Words in one plain form: lower case, without accents and punctuation.
 *
 * NFKD takes letters apart from their accents (Unicode Standard Annex 15).
 */
export function wordsOf(text: string): string[] {
  const plain = text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

function lessonsOfEvent({ tenant, view }: TaskNews, event: TaskEvent): LessonRecord[] {
  const learned = learnedSchema.safeParse(event.data);
  if (event.type !== "task_completed" || !learned.success) return [];
  const { kind, id } = event.actor;
  return learned.data.data.lessons_learned.map((text, index) => ({
    tenant,
    created_at: instant(Date.parse(event.at)),
    lesson_id: `les_${view.task_id}_${event.seq}_${index}`,
    task_id: view.task_id,
    task_type: view.task_type,
    agent_id: kind === "executor" ? id : null,
    text,
    words: ` ${wordsOf(text).join(" ")} `,
  }));
}

/** The lessons that news bring. They are told with a result, so a task without one writes no row. */
export function lessonsOf(news: readonly TaskNews[]): LessonRecord[] {
  return news.flatMap((of) => of.events.flatMap((event) => lessonsOfEvent(of, event)));
}
