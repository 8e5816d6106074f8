import type { Log } from "../../lib/log.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Guard } from "../guard.ts";
import { pinTenant, readPinnedShards, readPins, readSettled } from "./shard-store.ts";
import { FIRST_SHARD, shardOfNew, unboundOf } from "./shards.ts";

/** A database that holds history. */
export interface HistoryDatabase {
  binding: string;
  db: D1Database;
  /** Of this database alone: one that is down keeps nobody from the others. */
  guard: Guard;
}

/** What the histories of all tenants are made from. */
export interface HistoriesParts {
  /** Those that are bound; `DB` is among them. */
  databases: readonly HistoryDatabase[];
  /** Bindings that new tenants are dealt out to; none: they stay in DB. */
  open: readonly string[];
  /** What is known of who is where: pins never change, and who has history in DB is never pinned elsewhere. */
  pins: Map<string, string>;
  log: Log;
}

/** When to ask again for what an operator has to bind first. Seconds. */
const RETRY_AFTER_S = 60;

/** An outage in what it says to others, and an operator's work in what it says to the log. */
function unbound(tenant: string, names: readonly string[]): Error {
  const what = `The history of tenant ${tenant} is in a database that is not bound here`;
  return Object.assign(new Error(`${what}: ${names.join(", ")}`), {
    retryable: true,
    retry_after: RETRY_AFTER_S,
  });
}

/** In which database the history of each tenant is. With one database and no list, that is known without asking. */
export class Histories {
  readonly #parts: HistoriesParts;
  readonly #byName: ReadonlyMap<string, HistoryDatabase>;
  readonly #first: HistoryDatabase;
  readonly #isAlone: boolean;

  /** @throws when DB is not among the databases */
  constructor(parts: HistoriesParts) {
    this.#parts = parts;
    this.#byName = new Map(parts.databases.map((one) => [one.binding, one]));
    const first = this.#byName.get(FIRST_SHARD);
    if (first === undefined) throw new Error(`no database is bound as ${FIRST_SHARD}`);
    this.#first = first;
    this.#isAlone = parts.databases.length === 1 && parts.open.length === 0;
  }

  /** All databases that are bound. */
  get databases(): readonly HistoryDatabase[] {
    return this.#parts.databases;
  }

  /**
   * The database of a tenant, to write to.
   *
   * @throws while DB can't say which, and an error with `retryable` and the name of a database that would be needed and is
   * not bound: what was written elsewhere would be lost to everyone
   */
  async of(tenant: string): Promise<D1Database> {
    return (await this.#place(tenant)).db;
  }

  /** What a read of a tenant's history gives. @throws as `of`, and as `Guard.get` while its database is down */
  async get<Value>(tenant: string, query: (db: D1Database) => Promise<Value>): Promise<Value> {
    const { db, guard } = await this.#place(tenant);
    return guard.get(() => query(db));
  }

  /** What a read of a tenant's history answers. Refused as `Guard.read` while its database is down. @throws as `of` */
  async read<Value>(
    tenant: string,
    query: (db: D1Database) => Promise<Result<Value, Refusal>>,
  ): Promise<Result<Value, Refusal>> {
    const { db, guard } = await this.#place(tenant);
    return guard.read(() => query(db));
  }

  /** The database of a tenant as far as that is known without asking; null where `of` has to ask, or would throw. */
  known(tenant: string): D1Database | null {
    if (this.#isAlone) return this.#first.db;
    return this.#byName.get(this.#parts.pins.get(tenant) ?? "")?.db ?? null;
  }

  /**
   * Asks every database, unless it is down, and gives the answers of those that have one.
   *
   * @param query asks that database alone: whatever fails in it counts as a failure of that one
   * @throws as `Guard.get` when none has
   */
  async each<Value>(
    query: (db: D1Database) => Promise<Value>,
  ): Promise<{ found: Value[]; isComplete: boolean }> {
    const { databases, log } = this.#parts;
    const asked = await Promise.allSettled(
      databases.map(({ db, guard }) => guard.get(() => query(db))),
    );
    const found = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failures = asked.flatMap((one, index) =>
      one.status === "rejected" ? [{ binding: databases[index]?.binding, one }] : [],
    );
    const [failure] = failures;
    if (failure !== undefined && found.length === 0) throw failure.one.reason;
    for (const { binding, one } of failures) {
      log("error", "history_database_failed", { binding, error: String(one.reason) });
    }
    return { found, isComplete: failures.length === 0 };
  }

  /** Learns where tenants are that are about to be asked for, in one statement instead of one each. @throws when DB fails */
  async learn(tenants: readonly string[]): Promise<void> {
    const { pins, open } = this.#parts;
    const unknown = tenants.filter((tenant) => !pins.has(tenant));
    if (this.#isAlone || unknown.length === 0) return;
    // With a list each tenant gets a pin when it is first asked for; without one most never have any.
    const read = open.length === 0 ? readSettled : readPins;
    const found = await this.#first.guard.get(() => read(this.#first.db, unknown));
    for (const [tenant, shard] of found) pins.set(tenant, shard);
  }

  /** Names of databases that take new tenants, or have some, and are not bound. @throws when D1 fails */
  async missing(): Promise<string[]> {
    const pinned = await readPinnedShards(this.#first.db);
    return unboundOf([...this.#parts.open, ...pinned], this.#byName.keys());
  }

  async #place(tenant: string): Promise<HistoryDatabase> {
    if (this.#isAlone) return this.#first;
    const shard = this.#parts.pins.get(tenant) ?? (await this.#pin(tenant));
    const place = this.#byName.get(shard);
    if (place !== undefined) return place;
    this.#parts.log("error", "history_database_unbound", { tenant, binding: shard });
    throw unbound(tenant, [shard]);
  }

  async #pin(tenant: string): Promise<string> {
    await this.learn([tenant]);
    const { pins, open, log } = this.#parts;
    const known = pins.get(tenant);
    if (known !== undefined) return known;
    // Without a list nothing is dealt out, and so there is nothing to write down. Nor to remember before there is history in DB:
    // a list begins with another deployment, beside this one for a while, which may pin the tenant elsewhere meanwhile.
    if (open.length === 0) return FIRST_SHARD;
    const missing = unboundOf(open, this.#byName.keys());
    if (missing.length > 0) {
      log("error", "history_database_unbound", { tenant, binding: missing.join(",") });
      throw unbound(tenant, missing);
    }
    const { db, guard } = this.#first;
    const shard = await guard.get(() => pinTenant(db, tenant, shardOfNew(tenant, open)));
    pins.set(tenant, shard);
    return shard;
  }
}
