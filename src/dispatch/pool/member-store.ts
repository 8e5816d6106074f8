import * as z from "zod";

import type { PushBreaker } from "../choice/push-breaker.ts";
import { capacityOf, servedBy } from "../choice/score.ts";
import { Census } from "./census.ts";
import { agentLifeSchema, newLife, poolAgentSchema } from "./pool.ts";
import type { AgentLife, Member, PoolAgent } from "./pool.ts";

/** What a store needs of the platform's SqlStorage: statements with their rows. */
export interface PoolRows {
  exec(query: string, ...bindings: (string | number | null)[]): { toArray(): unknown[] };
}

const agentRowSchema = z.strictObject({
  agent_id: z.string(),
  body: z.string(),
  last_seen_at: z.int(),
  assigned: z.int(),
  released: z.int(),
});

const agentBodySchema = z.looseObject({ agent: poolAgentSchema });

/** What is learnt of an executor, beside what it says of itself. */
const learntSchema = z.object({
  life: agentLifeSchema,
  learned_at: z.int().nullable().default(null),
});

/**
 * An executor as stored. `saved_at` is when its row was last written; what came later is in memory only.
 * `learned_at` is when it was last written with news of how attempts went, null when never; `hasNews` says
 * that there are some which the row does not have.
 */
export interface StoredAgent {
  agent: PoolAgent;
  last_seen_at: number | null;
  assigned: number;
  released: number;
  life: AgentLife;
  saved_at: number;
  learned_at: number | null;
  hasNews: boolean;
}

/**
 * Signs of life are written at most this often, and so is how attempts went: each is a row, and what a wake
 * forgets of one minute costs little.
 */
const SAVE_EVERY_MS = 60_000;

/** What nothing was written of yet. */
const UNSAVED = { saved_at: Number.NEGATIVE_INFINITY, learned_at: null, hasNews: false };

/** The executors of a pool, one row each. The built-in one has none: it comes with the code. */
export class MemberStore {
  readonly census = new Census();
  /** Says whether an executor waits for a task. */
  isWaiting: (agent_id: string) => boolean = () => false;
  readonly #sql: PoolRows;
  readonly #slotsInUse: (agent_id: string) => number;
  readonly #agents = new Map<string, StoredAgent>();
  readonly #pushed = new Set<string>();
  /** In the order of their ids; null when somebody has come or gone. */
  #names: readonly string[] | null = null;

  /** @param onUnreadable told of each row of which something can't be read, and is dropped */
  constructor(
    sql: PoolRows,
    slotsInUse: (agent_id: string) => number,
    onUnreadable: (id: string) => void,
  ) {
    this.#sql = sql;
    this.#slotsInUse = slotsInUse;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS agent (
        agent_id TEXT PRIMARY KEY, body TEXT NOT NULL, last_seen_at INTEGER NOT NULL,
        assigned INTEGER NOT NULL, released INTEGER NOT NULL
      ) WITHOUT ROWID;`,
    );
    for (const row of sql.exec("SELECT * FROM agent").toArray()) this.#load(row, onUnreadable);
  }

  /** What can't be read of an executor's life is forgotten; its registration stays, for nobody would repeat it. */
  #load(row: unknown, onUnreadable: (id: string) => void): void {
    const { agent_id, body, ...figures } = agentRowSchema.parse(row);
    const stored = agentBodySchema.safeParse(JSON.parse(body));
    if (!stored.success) {
      this.#sql.exec("DELETE FROM agent WHERE agent_id = ?", agent_id);
      return onUnreadable(agent_id);
    }
    const { agent } = stored.data;
    const saved_at = figures.last_seen_at;
    const learnt = learntSchema.safeParse(stored.data);
    if (!learnt.success) onUnreadable(agent_id);
    const { life, learned_at } = learnt.data ?? { life: newLife(0, saved_at), learned_at: null };
    this.#set({ agent, life, learned_at, ...figures, saved_at, hasNews: false });
  }

  /** An executor, or null when it is not registered. */
  get(agent_id: string): StoredAgent | null {
    return this.#agents.get(agent_id) ?? null;
  }

  /** Executors that tasks are pushed to. */
  get pushed(): Iterable<string> {
    return this.#pushed;
  }

  /** How an executor is doing, or null when it is not registered. */
  member(agent_id: string): Member | null {
    const stored = this.#agents.get(agent_id);
    if (stored === undefined) return null;
    const { saved_at: _, learned_at: __, hasNews: ___, ...known } = stored;
    const slots_in_use = this.#slotsInUse(agent_id);
    return { ...known, slots_in_use, isWaiting: this.isWaiting(agent_id) };
  }

  /** Executors and how they are doing, the built-in one included, by agent_id: all of them, or the first. */
  members(count = Number.POSITIVE_INFINITY): Member[] {
    this.#names ??= [...this.#agents.keys()].toSorted();
    return this.#names.slice(0, count).flatMap((agent_id) => this.member(agent_id) ?? []);
  }

  /** Adds the built-in executor. */
  addBuiltin(agent: PoolAgent): void {
    const figures = { last_seen_at: null, assigned: 0, released: 0, ...UNSAVED };
    this.#set({ agent, life: newLife(0, 0), ...figures });
  }

  /** Stores an executor; nothing is written when nothing has changed. */
  put(registered: PoolAgent, now: number): void {
    const agent = poolAgentSchema.parse(registered);
    const known = this.#agents.get(agent.agent_id);
    const isSame = known !== undefined && JSON.stringify(known.agent) === JSON.stringify(agent);
    if (!isSame) {
      const life = known?.life ?? newLife(this.#leastShare(now) * agent.slots * agent.weight, now);
      const figures = known ?? { assigned: 0, released: 0, ...UNSAVED };
      const { saved_at } = UNSAVED;
      this.#set({ ...figures, agent, life, last_seen_at: now, saved_at });
    }
    this.touch(agent.agent_id, now);
  }

  /** Notes that an executor called; false when it is not registered. */
  touch(agent_id: string, now: number): boolean {
    const stored = this.#agents.get(agent_id);
    if (stored === undefined) return false;
    stored.last_seen_at = now;
    this.#saveIfDue(stored, now);
    this.census.note(agent_id);
    return true;
  }

  /**
   * Notes what is new of an executor's life. That it was offered a task is written with its next sign of
   * life: a task must not cost a row for it. How attempts went is written now, at most once a minute, so
   * that it is there after the idle time that follows a burst of work. A change of its breaker is written
   * at once: it is rare, and what an eviction forgets is pushed to in vain. Who tasks are pushed to gives no
   * sign of life; all news of it are written now, at most once a minute.
   */
  learn(stored: StoredAgent, news: Partial<AgentLife>, now: number): void {
    const { breaker } = stored.life;
    stored.life = { ...stored.life, ...news };
    stored.hasNews ||= news.reputation !== undefined;
    const learned_at = stored.learned_at ?? Number.NEGATIVE_INFINITY;
    const isDue = stored.hasNews && now - learned_at >= SAVE_EVERY_MS;
    if (isDue || !isSameBreaker(breaker, stored.life.breaker)) this.#save(stored, now);
    else if (stored.agent.isPush) this.#saveIfDue(stored, now);
    this.census.note(stored.agent.agent_id);
  }

  #saveIfDue(stored: StoredAgent, now: number): void {
    if (now - stored.saved_at >= SAVE_EVERY_MS) this.#save(stored, now);
  }

  /** Forgets an executor, though not the slots that it holds. */
  remove(agent_id: string): void {
    if (!this.#agents.delete(agent_id)) return;
    this.#pushed.delete(agent_id);
    this.#names = null;
    this.census.note(agent_id);
    this.#sql.exec("DELETE FROM agent WHERE agent_id = ?", agent_id);
  }

  #set(stored: StoredAgent): void {
    const { agent_id, isPush } = stored.agent;
    this.#agents.set(agent_id, stored);
    if (isPush) this.#pushed.add(agent_id);
    else this.#pushed.delete(agent_id);
    this.#names = null;
    this.census.note(agent_id);
  }

  /** The share of work of the external executor that has had the least: who comes new has had as much. */
  #leastShare(now: number): number {
    const shares = this.members()
      .filter(({ agent }) => !agent.isBuiltin)
      .map((member) => servedBy(member.life, now) / capacityOf(member));
    return shares.length === 0 ? 0 : Math.min(...shares);
  }

  /** The built-in executor comes with the code and has no row. */
  #save(stored: StoredAgent, now: number): void {
    const { agent, life, last_seen_at, assigned, released } = stored;
    if (agent.isBuiltin) return;
    if (stored.hasNews) stored.learned_at = now;
    stored.hasNews = false;
    this.#sql.exec(
      "INSERT OR REPLACE INTO agent VALUES (?, ?, ?, ?, ?)",
      agent.agent_id,
      JSON.stringify({ agent, life, learned_at: stored.learned_at }),
      last_seen_at ?? now,
      assigned,
      released,
    );
    stored.saved_at = now;
  }
}

function isSameBreaker(one: PushBreaker, other: PushBreaker): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
