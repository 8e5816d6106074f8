import { z } from "zod";

import { inOrder, poolAgentSchema, poolItemSchema } from "./pool.ts";
import type { Entry, Member, PoolAgent, PoolItem, Reservation } from "./pool.ts";

const entryRowSchema = z.strictObject({
  task_id: z.string(),
  body: z.string(),
  since: z.int(),
  agent_id: z.string().nullable(),
  reserved_at: z.int().nullable(),
  expires_at: z.int().nullable(),
  decision: z.string().nullable(),
});

const agentRowSchema = z.strictObject({
  agent_id: z.string(),
  body: z.string(),
  last_seen_at: z.int(),
  assigned: z.int(),
  released: z.int(),
});

/** What a store needs of the platform's SqlStorage: statements with their rows. */
export interface PoolRows {
  exec(query: string, ...bindings: (string | number | null)[]): { toArray(): unknown[] };
}

/** An executor as stored. `saved_at` is when its row was last written; what came later is in memory only. */
export interface StoredAgent {
  agent: PoolAgent;
  last_seen_at: number | null;
  assigned: number;
  released: number;
  saved_at: number;
}

/** Signs of life are written at most this often: each is a row, and a wake that forgets one costs nothing. */
const SAVE_EVERY_MS = 60_000;

/**
 * The rows of a pool, and the same in memory in the order in which tasks are handed out.
 *
 * One row per task and one per executor, no secondary index: a change of an entry is one row written.
 * Expired reservations are not written at all, since the row itself says when it expires.
 */
export class PoolStore {
  readonly #sql: PoolRows;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: Entry[] = [];
  readonly #held = new Map<string, Set<string>>();
  readonly #agents = new Map<string, StoredAgent>();
  #firstExpiry = Number.POSITIVE_INFINITY;

  /** @param onUnreadable told of each row that another version of the code wrote, and that is dropped */
  constructor(sql: PoolRows, onUnreadable: (id: string) => void) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS entry (
        task_id TEXT PRIMARY KEY, body TEXT NOT NULL, since INTEGER NOT NULL,
        agent_id TEXT, reserved_at INTEGER, expires_at INTEGER, decision TEXT
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS agent (
        agent_id TEXT PRIMARY KEY, body TEXT NOT NULL, last_seen_at INTEGER NOT NULL,
        assigned INTEGER NOT NULL, released INTEGER NOT NULL
      ) WITHOUT ROWID;`,
    );
    this.#loadAgents(onUnreadable);
    this.#loadEntries(onUnreadable);
  }

  /** What can't be read is dropped, never in the way: tasks announce themselves and executors are registered again. */
  #loadAgents(onUnreadable: (id: string) => void): void {
    for (const row of this.#sql.exec("SELECT * FROM agent").toArray()) {
      const { agent_id, body, ...life } = agentRowSchema.parse(row);
      const agent = poolAgentSchema.safeParse(JSON.parse(body));
      if (agent.success) {
        this.#agents.set(agent_id, { agent: agent.data, ...life, saved_at: life.last_seen_at });
      } else {
        this.#sql.exec("DELETE FROM agent WHERE agent_id = ?", agent_id);
        onUnreadable(agent_id);
      }
    }
  }

  #loadEntries(onUnreadable: (id: string) => void): void {
    for (const raw of this.#sql.exec("SELECT * FROM entry").toArray()) {
      const row = entryRowSchema.parse(raw);
      const item = poolItemSchema.safeParse(JSON.parse(row.body));
      if (item.success) {
        const entry = { item: item.data, since: row.since, reservation: reservationIn(row) };
        this.#entries.set(row.task_id, entry);
        if (entry.reservation === null) this.#ready.push(entry);
        else this.#hold(row.task_id, entry.reservation);
      } else {
        this.#sql.exec("DELETE FROM entry WHERE task_id = ?", row.task_id);
        onUnreadable(row.task_id);
      }
    }
    this.#ready.sort((one, other) => inOrder(one.item, other.item));
  }

  /** What is known of a task, or null. */
  entry(task_id: string): Entry | null {
    return this.#entries.get(task_id) ?? null;
  }

  /** The tasks that nobody has, in the order in which they are handed out. */
  get ready(): readonly Entry[] {
    return this.#ready;
  }

  /** Place of a task among those that nobody has, from 1; null when it is not one of them. */
  position(item: PoolItem): number | null {
    const index = this.#indexOf(item);
    return this.#ready[index]?.item.task_id === item.task_id ? index + 1 : null;
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
    for (const task_id of [...this.#held.values()].flatMap((held) => [...held])) {
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

  /** Every executor, the built-in one included, and how it is doing. */
  members(waiting: ReadonlySet<string>): Member[] {
    return [...this.#agents.values()].map(({ agent, last_seen_at, assigned, released }) => ({
      agent,
      last_seen_at,
      assigned,
      released,
      slots_in_use: this.slotsInUse(agent.agent_id),
      isWaiting: waiting.has(agent.agent_id),
    }));
  }

  /** An executor, or null when it is not registered. */
  agent(agent_id: string): StoredAgent | null {
    return this.#agents.get(agent_id) ?? null;
  }

  /** Adds the built-in executor, which needs no row: it comes with the code. */
  addBuiltin(agent: PoolAgent): void {
    const life = { last_seen_at: null, assigned: 0, released: 0, saved_at: 0 };
    this.#agents.set(agent.agent_id, { agent, ...life });
  }

  /** Stores an executor; nothing is written when nothing has changed. */
  putAgent(registered: PoolAgent, now: number): void {
    const agent = poolAgentSchema.parse(registered);
    const known = this.#agents.get(agent.agent_id);
    const isSame = known !== undefined && JSON.stringify(known.agent) === JSON.stringify(agent);
    const stored: StoredAgent = isSame
      ? known
      : {
          assigned: 0,
          released: 0,
          ...known,
          agent,
          last_seen_at: now,
          saved_at: Number.NEGATIVE_INFINITY,
        };
    this.#agents.set(agent.agent_id, stored);
    this.touch(agent.agent_id, now);
  }

  /** Notes that an executor called; false when it is not registered. */
  touch(agent_id: string, now: number): boolean {
    const stored = this.#agents.get(agent_id);
    if (stored === undefined) return false;
    stored.last_seen_at = now;
    if (!stored.agent.isBuiltin && now - stored.saved_at >= SAVE_EVERY_MS) this.#save(stored, now);
    return true;
  }

  #save(stored: StoredAgent, now: number): void {
    const { agent, assigned, released } = stored;
    this.#sql.exec(
      "INSERT OR REPLACE INTO agent VALUES (?, ?, ?, ?, ?)",
      agent.agent_id,
      JSON.stringify(agent),
      now,
      assigned,
      released,
    );
    stored.saved_at = now;
  }

  /** Forgets an executor, though not the slots that it holds. */
  removeAgent(agent_id: string): void {
    if (!this.#agents.delete(agent_id)) return;
    this.#sql.exec("DELETE FROM agent WHERE agent_id = ?", agent_id);
  }

  #remember(entry: Entry): Entry {
    const { item, reservation } = entry;
    this.#entries.set(item.task_id, entry);
    if (reservation === null) this.#ready.splice(this.#indexOf(item), 0, entry);
    else this.#hold(item.task_id, reservation);
    return entry;
  }

  #hold(task_id: string, { agent_id, expires_at }: { agent_id: string; expires_at: number }): void {
    const held = this.#held.get(agent_id) ?? new Set();
    this.#held.set(agent_id, held.add(task_id));
    this.#firstExpiry = Math.min(this.#firstExpiry, expires_at);
  }

  #forget({ item, reservation }: Entry): void {
    this.#entries.delete(item.task_id);
    if (reservation !== null) {
      const held = this.#held.get(reservation.agent_id);
      held?.delete(item.task_id);
      if (held?.size === 0) this.#held.delete(reservation.agent_id);
      return;
    }
    const index = this.#indexOf(item);
    if (this.#ready[index]?.item.task_id === item.task_id) this.#ready.splice(index, 1);
  }

  /** Where a task is in the order, or would be: found by halving, since ten thousand may wait. */
  #indexOf(item: PoolItem): number {
    let [low, high] = [0, this.#ready.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#ready[middle];
      if (other !== undefined && inOrder(other.item, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function reservationIn(row: z.infer<typeof entryRowSchema>): Reservation | null {
  const { agent_id, reserved_at, expires_at, decision } = row;
  const isReserved = agent_id !== null && reserved_at !== null && expires_at !== null;
  return isReserved ? { agent_id, reserved_at, expires_at, decision: decision ?? "{}" } : null;
}
