import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { PoolObject } from "../../src/dispatch/pool/pool-object.ts";
import type { PoolPort } from "../../src/dispatch/pool/pool-port.ts";
import { poolItemSchema } from "../../src/dispatch/pool/pool.ts";
import type { PoolItem } from "../../src/dispatch/pool/pool.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import type { Executor } from "./executor.ts";
import { MemoryObject } from "./memory-object.ts";

const VARIABLES = { BATUTA_SAM: "off", BATUTA_SEAL_KEY: "a-key-of-thirty-two-characters-at-least" };

/** The pool's object: the real one on a database in memory, to be evicted at any time. */
export class PoolNode {
  readonly #object = new MemoryObject();
  readonly #build: () => PoolObject;
  port: PoolPort;
  #current: PoolObject;

  constructor(name: string, now: () => number) {
    const state = Object.assign(this.#object.state, { id: { name } });
    this.#build = () => {
      const pool = new PoolObject(state, VARIABLES as unknown as Env);
      pool.now = now;
      return pool;
    };
    this.#current = this.#build();
    this.port = this.#current;
  }

  /** Forgets what is in memory, as an object does that was idle or crashed. */
  evict(): void {
    this.#current = this.#build();
    this.port = this.#current;
  }

  /** The registration of an executor of this world. */
  recordOf({ agent_id, slots }: Executor): AgentRecord {
    const registration = agentRegistrationSchema.parse({ slots });
    return { agent_id, registration, secret: "", key_id: null, is_draining: false, updated_at: "" };
  }

  /** The tasks that nobody has, as the pool's own rows say. */
  waitingFor(): PoolItem[] {
    return this.#object.sql
      .exec<{ body: string }>("SELECT body FROM entry WHERE agent_id IS NULL")
      .toArray()
      .map(({ body }) => poolItemSchema.parse(JSON.parse(body)));
  }

  /** The tasks that it knows, whoever has them, as its own rows say. */
  tasks(): string[] {
    return this.#object.sql
      .exec<{ task_id: string }>("SELECT task_id FROM entry")
      .toArray()
      .map(({ task_id }) => task_id);
  }

  /** Slots in use, of all executors. */
  async slotsInUse(): Promise<number> {
    const agents = await this.port.presence();
    return agents.reduce((sum, { slots_in_use }) => sum + slots_in_use, 0);
  }

  /** When its alarm rings, epoch milliseconds, or null. */
  get alarmAt(): number | null {
    return this.#object.alarmAt;
  }

  /** Frees the memory of a pool that is needed no more. */
  close(): void {
    this.#object.close();
  }

  /** Fires the alarm when it is due. */
  async wakeIfDue(now: number): Promise<void> {
    if (this.#object.alarmAt === null || this.#object.alarmAt > now) return;
    this.#object.alarmAt = null;
    await this.#current.alarm();
  }
}
