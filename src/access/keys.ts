import { base62, instant, sha256Hex, type Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { KeyRequest, KeyView, Principal } from "../protocol/access.ts";
import { scopeSchema } from "../protocol/enums.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { grantOf } from "./grant.ts";
import { deleteKey, findKey, insertKey, listKeys } from "./key-store.ts";
import { isKeyForm, isSameHash, KEY_BYTES, mintKey } from "./key.ts";
import { Recent } from "./recent.ts";

/** What the keys need from outside. */
export interface KeysPorts {
  db: D1Database;
  /** Makes a read of D1, unless that is down. */
  read: <Value>(query: () => Promise<Value>) => Promise<Value>;
  now: Clock;
  /** The bootstrap key, or null where the installation has none. */
  adminKey: string | null;
  /** So many bytes from a cryptographic source. */
  randomBytes: (length: number) => Uint8Array;
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

const KEY_ID_BYTES = 16;

/** What the bootstrap key is: all scopes in tenant `default` (protocol.md §4, Running it). */
const BOOTSTRAP: Principal = {
  key_id: "key_bootstrap",
  tenant: "default",
  scopes: scopeSchema.options,
  isBootstrap: true,
};

/**
 * The API keys of an installation: who holds one, and making, listing and removing them.
 *
 * One per isolate: it remembers keys for `TRUSTED_MS`, so that a busy key costs D1 one read in that time.
 */
export class Keys {
  readonly #ports: KeysPorts;
  readonly #known = new Recent<KeyView>({ maxEntries: MAX_REMEMBERED, ttl_ms: TRUSTED_MS });
  readonly #unknown = new Recent<true>({ maxEntries: MAX_REMEMBERED, ttl_ms: TRUSTED_MS });
  #bootstrapHash: Promise<string> | null = null;

  constructor(ports: KeysPorts) {
    this.#ports = ports;
  }

  /** Who holds this key, or null when it is unknown, expired or removed. */
  async principalOf(key: string): Promise<Principal | null> {
    const hash = await sha256Hex(key);
    if (await this.#isBootstrap(hash)) return BOOTSTRAP;
    const found = isKeyForm(key) ? await this.#find(hash) : null;
    if (found === null || this.#isExpired(found)) return null;
    const { key_id, tenant, scopes } = found;
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
    if (known === undefined) return null;
    const { key_id, tenant, scopes } = known;
    return { key_id, tenant, scopes, isBootstrap: false };
  }

  /** A new key, shown this one time. Refuses what `grantOf` refuses. */
  async create(by: Principal, request: KeyRequest): Promise<Result<KeyView, Refusal>> {
    const now = this.#ports.now();
    const grant = grantOf(by, request, now);
    if (!grant.ok) return grant;
    const key = mintKey(this.#ports.randomBytes(KEY_BYTES));
    const { expires_at } = request;
    const view: KeyView = {
      key_id: `key_${base62(this.#ports.randomBytes(KEY_ID_BYTES))}`,
      name: request.name,
      ...grant.value,
      created_at: instant(now),
      expires_at: expires_at === undefined ? null : instant(Date.parse(expires_at)),
    };
    const hash = await sha256Hex(key);
    await insertKey(this.#ports.db, hash, view);
    return ok({ ...view, key });
  }

  /** Keys of a tenant in order of key_id, without the keys themselves. */
  async list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: KeyView[]; next_cursor: string | null }> {
    const { cursor = "", limit } = page;
    const rows = await listKeys(this.#ports.db, tenant, { after: cursor, limit: limit + 1 });
    const items = rows.slice(0, limit);
    return { items, next_cursor: rows.length > limit ? (items.at(-1)?.key_id ?? null) : null };
  }

  /** Removes a key: at once in this isolate, within `TRUSTED_MS` everywhere. Refuses with `key_not_found`. */
  async remove(tenant: string, key_id: string): Promise<Result<null, Refusal>> {
    const hash = await deleteKey(this.#ports.db, tenant, key_id);
    if (hash === null) return refuse({ code: "key_not_found", detail: "there is no such key" });
    this.#known.forget(hash);
    return ok(null);
  }

  async #isBootstrap(hash: string): Promise<boolean> {
    if (this.#ports.adminKey === null) return false;
    this.#bootstrapHash ??= sha256Hex(this.#ports.adminKey);
    return isSameHash(hash, await this.#bootstrapHash);
  }

  #isExpired(key: KeyView): boolean {
    return key.expires_at !== null && Date.parse(key.expires_at) <= this.#ports.now();
  }

  async #find(hash: string): Promise<KeyView | null> {
    // Taken before the look-up, so that nothing is trusted for longer than since it was asked.
    const now = this.#ports.now();
    const known = this.#known.get(hash, now);
    if (known !== undefined) return known;
    if (this.#unknown.get(hash, now) !== undefined) return null;
    let found: KeyView | null;
    try {
      found = await this.#ports.read(() => findKey(this.#ports.db, hash));
    } catch (error) {
      const last = this.#known.stale(hash, now, GRACE_MS);
      if (last === undefined) throw error;
      return last;
    }
    if (found === null) {
      this.#known.forget(hash);
      this.#unknown.put(hash, true, now);
    } else {
      this.#known.put(hash, found, now);
    }
    return found;
  }
}
