import type { MemoryObject } from "../memory-object.ts";
import type { Fate, WayDown } from "./fate.ts";

/**
 * What is kept together when the machine goes down. `turn`: what was written without an await in between, as the
 * platform promises. `write`: each write alone, which is less than it promises.
 */
export type Grain = "turn" | "write";

/** What the dead get when they ask for something at once. Nothing that they make of it has any effect. */
class Fenced extends Error {}

const WRITES = /^\s*(insert|replace|update|delete|create|drop|alter)\b/i;

const forEver = <Value>(): Promise<Value> => new Promise<Value>(() => {});

interface Turn {
  labels: string[];
  end: { keep: () => void; undo: () => void };
  isKept: Promise<void>;
}

/** What an incarnation lives on. */
interface Ground {
  object: MemoryObject;
  fate: Fate;
  grain: Grain;
  /** The machine went down. */
  onDeath: () => void;
  /** It is to be evicted as soon as nothing is under way. */
  onEviction: () => void;
  /** A call that was under way reaches its goal later. */
  onLate: (call: () => Promise<unknown>) => void;
}

/**
 * One life of an object in memory, from when it is woken to when its machine goes down.
 *
 * Whatever a dead one still does has no effect: its writes are refused, its calls never come back.
 */
export class Incarnation {
  readonly #ground: Ground;
  #isDead = false;
  #turn: Turn | null = null;
  /** Inside a transaction each write belongs to it. */
  #depth = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Whether its machine went down. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** The state as a keeper takes it. */
  get state(): DurableObjectState {
    const partial = { storage: this.#storage(), getWebSockets: () => [] };
    return partial as unknown as DurableObjectState;
  }

  /** A call to another object: it leaves when everything written before it is durable, as through an output gate. */
  async call<Value>(label: string, work: () => Promise<Value>): Promise<Value> {
    await this.#turn?.isKept;
    if (this.#isDead) return forEver();
    const way = this.#ground.fate.meet({ kind: "call", label });
    if (way === "before" || way === "late") {
      if (way === "late") this.#ground.onLate(work);
      this.die();
      return forEver();
    }
    if (way === "evicted") this.#ground.onEviction();
    const value = await work();
    if (way === "after") this.die();
    return this.#isDead ? forEver() : value;
  }

  /** The machine goes down: an open turn was never written. */
  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#turn?.end.undo();
    this.#turn = null;
    this.#ground.onDeath();
  }

  #storage(): DurableObjectStorage {
    const { sql, storage } = this.#ground.object;
    const exec = (query: string, ...bindings: unknown[]) => {
      const work = () => sql.exec(query, ...bindings);
      return WRITES.test(query) ? this.#write(query.trim().slice(0, 30), work) : this.#read(work);
    };
    const partial = {
      sql: { exec },
      transactionSync: <Value>(work: () => Value): Value =>
        this.#write("transaction", () => storage.transactionSync(work)),
      getAlarm: () => this.#later(() => this.#read(() => storage.getAlarm())),
      setAlarm: (at: number) =>
        this.#later(() => this.#write("setAlarm", () => storage.setAlarm(at))),
      deleteAlarm: () => this.#later(() => this.#write("deleteAlarm", () => storage.deleteAlarm())),
      deleteAll: () => this.#later(() => this.#write("deleteAll", () => storage.deleteAll())),
    };
    return partial as unknown as DurableObjectStorage;
  }

  /** What is answered later is never answered to the dead. */
  #later<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof Fenced) return forEver();
      throw cause;
    }
  }

  #read<Value>(work: () => Value): Value {
    if (this.#isDead) throw new Fenced("the dead read nothing");
    return work();
  }

  #write<Value>(label: string, work: () => Value): Value {
    if (this.#isDead) throw new Fenced("the dead write nothing");
    if (this.#depth > 0) return work();
    this.#depth += 1;
    try {
      return this.#ground.grain === "write"
        ? this.#writeAlone(label, work)
        : this.#inTurn(label, work);
    } finally {
      this.#depth -= 1;
    }
  }

  #writeAlone<Value>(label: string, work: () => Value): Value {
    const way = this.#ground.fate.meet({ kind: "write", label });
    if (way === "evicted") this.#ground.onEviction();
    if (way === "before" || way === "late") this.die();
    if (this.#isDead) throw new Fenced("the machine went down before the write");
    const value = work();
    if (way === "after") {
      this.die();
      throw new Fenced("the machine went down after the write");
    }
    return value;
  }

  #inTurn<Value>(label: string, work: () => Value): Value {
    this.#turn ??= this.#beginTurn();
    this.#turn.labels.push(label);
    return work();
  }

  #beginTurn(): Turn {
    const { object } = this.#ground;
    const end = object.begin();
    const kept = Promise.withResolvers<void>();
    queueMicrotask(() => {
      if (this.#turn === null) return;
      const way = this.#endTurn(this.#turn);
      if (way !== "before" && way !== "late") kept.resolve();
    });
    return { labels: [], end, isKept: kept.promise };
  }

  #endTurn(turn: Turn): WayDown | null {
    const way = this.#ground.fate.meet({ kind: "write", label: turn.labels.join(" + ") });
    if (way === "before" || way === "late") {
      this.die();
      return way;
    }
    turn.end.keep();
    this.#turn = null;
    if (way === "after") this.die();
    if (way === "evicted") this.#ground.onEviction();
    return way;
  }
}
