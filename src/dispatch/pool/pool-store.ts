import * as z from "zod";

import type { SnapshotFigures } from "../choice/placement.ts";
import { MemberStore } from "./member-store.ts";
import type { PoolRows } from "./member-store.ts";
import { poolItemSchema } from "./pool.ts";
import type { Entry, Reservation } from "./pool.ts";
import { ReadyLine } from "./ready-line.ts";

const entryRowSchema = z.strictObject({
  task_id: z.string(),
  body: z.string(),
  since: z.int(),
  agent_id: z.string().nullable(),
  reserved_at: z.int().nullable(),
  expires_at: z.int().nullable(),
  decision: z.string().nullable(),
});

/**
 * The rows of a pool, and the same in memory in the order in which tasks are handed out.
 *
 * One row per task and one per executor, no secondary index: a change of an entry is one row written.
 * Expired reservations are not written at all, since the row itself says when it expires.
 */
export class PoolStore {
  readonly agents: MemberStore;
  /** The tasks that nobody has. */
  readonly line = new ReadyLine();
  readonly #sql: PoolRows;
  readonly #entries = new Map<string, Entry>();
  readonly #held = new Map<string, Set<string>>();
  /** Reserved tasks whose slot is free although their release has not come yet. */
  readonly #vacated = new Set<string>();
  #firstExpiry = Number.POSITIVE_INFINITY;

  /** @param onUnreadable told of each row that another version of the code wrote, and that is dropped */
  constructor(sql: PoolRows, onUnreadable: (id: string) => void) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS entry (
        task_id TEXT PRIMARY KEY, body TEXT NOT NULL, since INTEGER NOT NULL,
        agent_id TEXT, reserved_at INTEGER, expires_at INTEGER, decision TEXT
      ) WITHOUT ROWID;`,
    );
    this.agents = new MemberStore(sql, (agent_id) => this.slotsInUse(agent_id), onUnreadable);
    this.#loadEntries(onUnreadable);
  }

  /** What can't be read is dropped, never in the way: tasks announce themselves and executors are registered again. */
  #loadEntries(onUnreadable: (id: string) => void): void {
    for (const raw of this.#sql.exec("SELECT * FROM entry").toArray()) {
      const row = entryRowSchema.parse(raw);
      const item = poolItemSchema.safeParse(JSON.parse(row.body));
      if (item.success) {
        this.#remember({ item: item.data, since: row.since, reservation: reservationIn(row) });
      } else {
        this.#sql.exec("DELETE FROM entry WHERE task_id = ?", row.task_id);
        onUnreadable(row.task_id);
      }
    }
  }

  /** What is known of a task, or null. */
  entry(task_id: string): Entry | null {
    return this.#entries.get(task_id) ?? null;
  }

  /** Tasks that somebody has or is being given. */
  get reserved(): number {
    return this.#entries.size - this.line.size;
  }

  /** The name of the present state, and its sums. */
  figures(now: number): SnapshotFigures {
    const { line, reserved, agents } = this;
    const member = (agent_id: string) => agents.member(agent_id);
    return agents.census.figures(now, { line, reserved, member });
  }

  /** Slots that an executor holds. */
  slotsInUse(agent_id: string): number {
    return this.#held.get(agent_id)?.size ?? 0;
  }

  /** When the first of an executor's slots expires, epoch ms; null when it holds none. */
  firstExpiry(agent_id: string): number | null {
    const ends = [...(this.#held.get(agent_id) ?? [])].map(
      (task_id) => this.#entries.get(task_id)?.reservation?.expires_at ?? Number.POSITIVE_INFINITY,
    );
    return ends.length === 0 ? null : Math.min(...ends);
  }

  /** Makes the expired reservations free and returns their tasks, which nobody has any more. */
  expire(now: number): Entry[] {
    if (now < this.#firstExpiry) return [];
    this.#firstExpiry = Number.POSITIVE_INFINITY;
    const freed: Entry[] = [];
    const held = [...this.#held.values()].flatMap((tasks) => [...tasks]);
    for (const task_id of [...held, ...this.#vacated]) {
      const entry = this.#entries.get(task_id);
      if (!entry?.reservation) continue;
      if (entry.reservation.expires_at > now) {
        this.#firstExpiry = Math.min(this.#firstExpiry, entry.reservation.expires_at);
        continue;
      }
      this.#forget(entry);
      freed.push(this.#remember({ ...entry, reservation: null }));
    }
    return freed;
  }

  /** Stores an entry in place of what was known of its task. One row. */
  put(entry: Entry): void {
    const { item, since, reservation } = entry;
    this.#sql.exec(
      "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
      item.task_id,
      JSON.stringify(item),
      since,
      reservation?.agent_id ?? null,
      reservation?.reserved_at ?? null,
      reservation?.expires_at ?? null,
      reservation?.decision ?? null,
    );
    const stored = this.#entries.get(item.task_id);
    if (stored) this.#forget(stored);
    this.#remember(entry);
  }

  /** Removes a task. One row. */
  remove(entry: Entry): void {
    this.#sql.exec("DELETE FROM entry WHERE task_id = ?", entry.item.task_id);
    this.#forget(entry);
  }

  /** Frees the slot of a reserved task before its release comes; in memory alone, since that comes soon. */
  vacate({ item, reservation }: Entry): void {
    if (reservation === null) return;
    this.#leave(item.task_id, reservation.agent_id);
    this.#vacated.add(item.task_id);
  }

  #remember(entry: Entry): Entry {
    const { item, reservation } = entry;
    this.#entries.set(item.task_id, entry);
    if (reservation === null) this.line.add(entry);
    else this.#hold(item.task_id, reservation);
    return entry;
  }

  #hold(task_id: string, { agent_id, expires_at }: { agent_id: string; expires_at: number }): void {
    const held = this.#held.get(agent_id) ?? new Set();
    this.#held.set(agent_id, held.add(task_id));
    this.#firstExpiry = Math.min(this.#firstExpiry, expires_at);
    this.agents.census.note(agent_id);
  }

  #leave(task_id: string, agent_id: string): void {
    const held = this.#held.get(agent_id);
    held?.delete(task_id);
    if (held?.size === 0) this.#held.delete(agent_id);
    this.agents.census.note(agent_id);
  }

  #forget(entry: Entry): void {
    const { task_id } = entry.item;
    this.#entries.delete(task_id);
    this.#vacated.delete(task_id);
    if (entry.reservation === null) this.line.remove(entry);
    else this.#leave(task_id, entry.reservation.agent_id);
  }
}

function reservationIn(row: z.infer<typeof entryRowSchema>): Reservation | null {
  const { agent_id, reserved_at, expires_at, decision } = row;
  const isReserved = agent_id !== null && reserved_at !== null && expires_at !== null;
  return isReserved ? { agent_id, reserved_at, expires_at, decision: decision ?? "{}" } : null;
}
