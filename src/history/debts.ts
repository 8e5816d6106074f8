import * as z from "zod";

import { instant } from "../lib/ports.ts";
import { cleanupDebtSchema, type TaskEvent } from "../protocol/task-view.ts";
import type { TaskNews } from "./news.ts";

/** A debt in the columns of its table, as it is when it comes up. */
export interface DebtRecord {
  tenant: string;
  debt_id: string;
  task_id: string;
  kind: string;
  stage: string | null;
  what: string;
  owner: string;
  created_at: string;
  expires_at: string | null;
}

/** The part of an agent_end_task event that is debts; whatever else it holds is not looked at. */
const owedSchema = z.object({ cleanup_debt: z.array(z.object(cleanupDebtSchema.shape)) });

/** Characters of `what` that a list shows: an action may have been described at any length. */
const MAX_WHAT = 1_000;

function shortened(text: string): string {
  return text.length <= MAX_WHAT ? text : `${text.slice(0, MAX_WHAT - 1).toWellFormed()}…`;
}

/** What an event says is owed, by ids. */
function owedBy(task_id: string, event: TaskEvent) {
  const owed = owedSchema.safeParse(event.data);
  if (event.type !== "agent_end_task" || !owed.success) return [];
  return owed.data.cleanup_debt.map((debt, index) => ({
    ...debt,
    // What a report names neither by id nor by kind gets the name that its place gives, each time the same.
    debt_id: debt.debt_id ?? `debt_${index + 1}_${task_id}`,
  }));
}

/** Ids of the debts that an event of a task brings. */
export function debtIdsOf(task_id: string, event: TaskEvent): string[] {
  return owedBy(task_id, event).map(({ debt_id }) => debt_id);
}

function debtsOfEvent({ tenant, view }: TaskNews, event: TaskEvent): DebtRecord[] {
  return owedBy(view.task_id, event).map((debt) => ({
    tenant,
    debt_id: debt.debt_id,
    task_id: view.task_id,
    kind: debt.kind ?? "stage",
    stage: debt.stage ?? null,
    what: shortened(debt.what),
    owner: debt.owner,
    created_at: instant(Date.parse(event.at)),
    expires_at: debt.expires_at === null ? null : instant(Date.parse(debt.expires_at)),
  }));
}

/** The debts that news bring. They come with the end of a task, so a task that was cleaned up writes no row. */
export function debtsOf(news: readonly TaskNews[]): DebtRecord[] {
  return news.flatMap((of) => of.events.flatMap((event) => debtsOfEvent(of, event)));
}
