import { instant, sha256Hex, type Clock } from "../lib/ports.ts";
import type { Principal } from "../protocol/access.ts";
import { scopeSchema } from "../protocol/enums.ts";
import { findKey, noteKeyUse, readKey, type KeyName, type KeyRecord } from "./key-store.ts";
import { isKeyForm, isSameHash } from "./key.ts";
import { Recent } from "./recent.ts";

/** What recognising keys needs from outside. */
export interface KeysPorts {
  db: D1Database;
  /** Makes a read of D1, unless that is down. */
  read: <Value>(query: () => Promise<Value>) => Promise<Value>;
  now: Clock;
  /** The bootstrap key, or null where the installation has none. */
  adminKey: string | null;
}

/** How long a Worker trusts what it knows of a key: a removed one may still open doors that long elsewhere. */
const TRUSTED_MS = 5_000;

/** Keys that a Worker remembers, known and unknown ones apart: guesses must not drive out the real ones. */
const MAX_REMEMBERED = 1_000;

/**
 * How long a key that can't be looked up stays good: tasks go on while D1 is down, for those who were there before.
 *
 * A key that was removed just before may open doors that long.
 */
const GRACE_MS = 600_000;

/** How long a key that was good once is worth a look-up from an address that is blocked for others' guesses. */
const REMEMBERED_MS = 3_600_000;

/** A use of a key is noted so often at most: who wants to know whether a key is in use asks for days, not for minutes. */
const USE_NOTED_MS = 3_600_000;

/** Under which id the bootstrap key acts. It is not stored: it is a variable of the installation. */
export const BOOTSTRAP_KEY_ID = "key_bootstrap";

/** What the bootstrap key is: all scopes in tenant `default` (protocol.md §4, Running it). */
const BOOTSTRAP: Principal = {
  key_id: BOOTSTRAP_KEY_ID,
  tenant: "default",
  scopes: scopeSchema.options,
  isBootstrap: true,
};

interface Found {
  key: KeyRecord;
  /** Whether it was found by the secret before its last rotation. */
  isFormer: boolean;
}

/**
 * Recognises the API keys of an installation.
 *
 * One per isolate: it remembers keys for `TRUSTED_MS`, so that a busy key costs D1 one read in that time.
 */
export class Keys {
  readonly #ports: KeysPorts;
  /** By the hash of the secret. */
  readonly #known = new Recent<Found>({ maxEntries: MAX_REMEMBERED, ttl_ms: TRUSTED_MS });
  /** By tenant and key_id: whose tokens of tasks count. */
  readonly #issuers = new Recent<Found>({ maxEntries: MAX_REMEMBERED, ttl_ms: TRUSTED_MS });
  readonly #unknown = new Recent<true>({ maxEntries: MAX_REMEMBERED, ttl_ms: TRUSTED_MS });
  readonly #used = new Recent<true>({ maxEntries: MAX_REMEMBERED, ttl_ms: USE_NOTED_MS });
  #bootstrapHash: Promise<string> | null = null;

  constructor(ports: KeysPorts) {
    this.#ports = ports;
  }

  /** Who holds this key, or null when it is unknown, expired, rotated out or removed. */
  async principalOf(key: string): Promise<Principal | null> {
    const hash = await sha256Hex(key);
    if (await this.#isBootstrap(hash)) return BOOTSTRAP;
    const found = isKeyForm(key) ? await this.#find(hash) : null;
    if (found === null || !this.#isLive(found)) return null;
    const { key_id, tenant, scopes } = found.key;
    return { key_id, tenant, scopes, isBootstrap: false };
  }

  /**
   * Who held this key when it was last looked up, in the last hour and by memory alone; null when nobody knows.
   *
   * It opens nothing: whether the key is still good is for `principalOf` to say.
   */
  async remembered(key: string): Promise<Principal | null> {
    const hash = await sha256Hex(key);
    if (await this.#isBootstrap(hash)) return BOOTSTRAP;
    const known = this.#known.stale(hash, this.#ports.now(), REMEMBERED_MS);
    if (known === undefined || !this.#isLive(known)) return null;
    const { key_id, tenant, scopes } = known.key;
    return { key_id, tenant, scopes, isBootstrap: false };
  }

  /** Whether a text is known, by memory alone, to be no key that is still good. */
  async isHopeless(key: string): Promise<boolean> {
    const hash = await sha256Hex(key);
    if (await this.#isBootstrap(hash)) return false;
    if (!isKeyForm(key)) return true;
    const now = this.#ports.now();
    const known = this.#known.get(hash, now);
    return known === undefined ? this.#unknown.get(hash, now) !== undefined : !this.#isLive(known);
  }

  /**
   * What stands for a key in what it signs off: its id, and for the bootstrap key, whose id never changes, what tells
   * one from the next. Null where there is none.
   */
  async markOf(key_id: string): Promise<string | null> {
    return key_id === BOOTSTRAP_KEY_ID ? this.#bootstrap() : key_id;
  }

  /** Whether a key is neither expired nor removed; asked of D1 once in `TRUSTED_MS`. */
  async isGood({ tenant, key_id }: KeyName): Promise<boolean> {
    if (key_id === BOOTSTRAP_KEY_ID) return this.#ports.adminKey !== null;
    const memory = { known: this.#issuers, name: `${tenant}/${key_id}` };
    const found = await this.#lookUp(memory, async () => {
      const key = await readKey(this.#ports.db, { tenant, key_id });
      return key === null ? null : { key, isFormer: false };
    });
    return found !== null && this.#isLive(found);
  }

  /** Notes that a key was used, where that was not noted in the last hour; null where there is nothing to do. */
  noteUse({ tenant, key_id, isBootstrap, agent_id }: Principal): Promise<void> | null {
    const isStored = !isBootstrap && agent_id === undefined && key_id.startsWith("key_");
    const now = this.#ports.now();
    const name = `${tenant}/${key_id}`;
    if (!isStored || this.#used.get(name, now) !== undefined) return null;
    this.#used.put(name, true, now);
    const times = { at: instant(now), before: instant(now - USE_NOTED_MS) };
    return noteKeyUse(this.#ports.db, { tenant, key_id }, times);
  }

  /** Forgets what is known of a key, because it has changed. */
  forget({ tenant, key_id }: KeyName): void {
    const isMeant = ({ key }: Found): boolean => key.key_id === key_id && key.tenant === tenant;
    this.#known.forgetWhere(isMeant);
    this.#issuers.forgetWhere(isMeant);
  }

  #bootstrap(): Promise<string> | null {
    const { adminKey } = this.#ports;
    if (adminKey === null) return null;
    return (this.#bootstrapHash ??= sha256Hex(adminKey));
  }

  async #isBootstrap(hash: string): Promise<boolean> {
    const own = await this.#bootstrap();
    return own !== null && isSameHash(hash, own);
  }

  #isLive({ key, isFormer }: Found): boolean {
    const now = this.#ports.now();
    const isOver = (until: string | null): boolean => until !== null && Date.parse(until) <= now;
    const isRetired = isFormer && (key.former_until === null || isOver(key.former_until));
    return !isRetired && !isOver(key.expires_at);
  }

  #find(hash: string): Promise<Found | null> {
    return this.#lookUp({ known: this.#known, name: hash }, () => findKey(this.#ports.db, hash));
  }

  async #lookUp(
    { known: memory, name }: { known: Recent<Found>; name: string },
    query: () => Promise<Found | null>,
  ): Promise<Found | null> {
    // Taken before the look-up, so that nothing is trusted for longer than since it was asked.
    const now = this.#ports.now();
    const known = memory.get(name, now);
    if (known !== undefined) return known;
    if (this.#unknown.get(name, now) !== undefined) return null;
    let found: Found | null;
    try {
      found = await this.#ports.read(query);
    } catch (error) {
      const last = memory.stale(name, now, GRACE_MS);
      if (last === undefined) throw error;
      return last;
    }
    if (found === null) {
      memory.forget(name);
      this.#unknown.put(name, true, now);
    } else {
      memory.put(name, found, now);
    }
    return found;
  }
}
