import * as z from "zod";

import { ok, refuse, type Result } from "../lib/result.ts";
import { taskTallySchema, type TaskTally } from "../protocol/queue-messages.ts";
import {
  escalationSchema,
  taskEventSchema,
  taskViewSchema,
  type Escalation,
  type TaskEvent,
  type TaskView,
} from "../protocol/task-view.ts";

/** What a message says of a task, parsed. */
export interface TaskNews {
  tenant: string;
  view: TaskView;
  events: TaskEvent[];
  escalation: Escalation | null;
  /** Escalations that were closed before that one was opened. */
  earlier?: Escalation[];
  /** Of the request, with the first event. */
  body_hash?: string;
  /** What the log has so far, counted; absent in messages that were sent before there was such a thing. */
  tally?: TaskTally;
  /** Whether the rows of the task are written anew, even where they seem as new. */
  isRebuild: boolean;
}

/** News as they travel: view and escalation are JSON text, events are not parsed yet. */
export interface RawNews {
  view: string;
  events: readonly unknown[];
  escalation?: string | null | undefined;
  earlier?: readonly string[] | undefined;
  body_hash?: string | undefined;
  tally?: unknown;
}

/** Which task the news are about, as the message itself says. */
export interface NewsOrigin {
  tenant: string;
  task_id: string;
  isRebuild: boolean;
}

/** Bytes of one value: a row or parameter of D1 holds 2 MB (facts/platform.md §4), and what goes with it needs room. */
const MAX_VALUE_BYTES = 1_700_000;

function fits(text: string): boolean {
  return text.length <= MAX_VALUE_BYTES && new TextEncoder().encode(text).length <= MAX_VALUE_BYTES;
}

const jsonTextSchema = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the text, which may hold a customer's data.
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const rawNewsSchema = z.object({
  view: jsonTextSchema.pipe(taskViewSchema),
  events: z.array(taskEventSchema),
  escalation: jsonTextSchema.pipe(escalationSchema).nullish(),
  earlier: z.array(jsonTextSchema.pipe(escalationSchema)).optional(),
  body_hash: z.string().optional(),
  tally: taskTallySchema.optional(),
});

/**
 * News of a task from their raw form.
 *
 * Refuses, with the reason in words, what does not follow its schema, what speaks of another task than the
 * message does, events that are newer than the view, and what is too large for a row of D1.
 */
export function readNews(origin: NewsOrigin, raw: RawNews): Result<TaskNews, string> {
  const parsed = rawNewsSchema.safeParse(raw);
  if (!parsed.success) return refuse(reasonOf(parsed.error));
  const { view, events, escalation = null, earlier, body_hash, tally } = parsed.data;
  const subjects = [view, ...(escalation ? [escalation] : []), ...(earlier ?? [])];
  if (subjects.some((of) => of.task_id !== origin.task_id)) {
    return refuse("speaks of another task than its message");
  }
  if (events.some((event) => event.seq > view.seq)) return refuse("events are newer than the view");
  if (!fits(raw.view) || events.some((event) => !fits(JSON.stringify(event)))) {
    return refuse("too large for a row of history");
  }
  const { tenant, isRebuild } = origin;
  return ok({
    tenant,
    isRebuild,
    view,
    events,
    escalation,
    ...(earlier !== undefined && { earlier }),
    ...(body_hash !== undefined && { body_hash }),
    ...(tally !== undefined && { tally }),
  });
}

/** The faults of a message in one line: where and which rule, never the values. */
export function reasonOf(error: z.ZodError): string {
  const faults = error.issues.map(
    (issue) => `/${issue.path.map(String).join("/")} ${issue.message}`,
  );
  return faults.join("; ").slice(0, 1_000);
}
