import { base62, instant, sha256Hex, type Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { KeyChange, KeyRequest, KeyView, Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { expiryFault, grantOf, governedTenant } from "./grant.ts";
import {
  changeKey,
  deleteKey,
  insertKey,
  listKeys,
  readKey,
  rotateKey,
  type KeyName,
  type KeyRecord,
} from "./key-store.ts";
import { KEY_BYTES, mintKey } from "./key.ts";
import { BOOTSTRAP_KEY_ID } from "./keys.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What governing keys needs. */
export interface KeyDeskParts {
  db: D1Database;
  now: Clock;
  /** So many bytes from a cryptographic source. */
  randomBytes: (length: number) => Uint8Array;
  /** What is remembered of this key is out of date. */
  forget: (name: KeyName) => void;
}

/** Whose keys: the asking key's tenant's, or those of the one that the bootstrap key names. */
interface KeysOf {
  tenant?: string | undefined;
}

/**
 * Making, showing, rotating, changing and removing keys.
 *
 * What changes is in force at once in this isolate, and within five seconds everywhere. Refused: `forbidden` for the
 * keys of another tenant, unless by the bootstrap key, and for the bootstrap key itself, which is a variable of the
 * installation; `key_not_found`.
 */
export interface KeyDesk {
  /** A new key, shown this one time. Refuses what `grantOf` refuses. */
  create(by: Principal, request: KeyRequest): Answer<KeyView>;
  /** In order of key_id, without the keys themselves. */
  list(
    by: Principal,
    page: KeysOf & { cursor?: string | undefined; limit: number },
  ): Answer<{ items: KeyView[]; next_cursor: string | null }>;
  get(by: Principal, key_id: string, of: KeysOf): Answer<KeyView>;
  /**
   * A new secret for a key, shown this one time. The one before it works for `overlap_seconds` more; one that was
   * retiring already is over. Refused: `key_expired`.
   */
  rotate(by: Principal, key_id: string, of: KeysOf & { overlap_seconds: number }): Answer<KeyView>;
  change(by: Principal, key_id: string, of: KeysOf & { change: KeyChange }): Answer<KeyView>;
  /** Removes a key with all its secrets and tokens. A key may remove itself: it was its last request. */
  remove(by: Principal, key_id: string, of: KeysOf): Answer<null>;
}

const KEY_ID_BYTES = 16;

const UNKNOWN: Refusal = { code: "key_not_found", detail: "there is no such key" };

function isPast(at: string | null, now: number): boolean {
  return at !== null && Date.parse(at) <= now;
}

function viewOf(record: KeyRecord, now: number): KeyView {
  const { former_until, last_used_at, ...key } = record;
  return {
    ...key,
    state: isPast(key.expires_at, now) ? "expired" : "active",
    retiring_until: isPast(former_until, now) ? null : former_until,
    last_used_at,
  };
}

/** Which key is meant, if whoever asks may govern it. */
function nameOf(by: Principal, key_id: string, { tenant }: KeysOf): Result<KeyName, Refusal> {
  const governed = governedTenant(by, tenant);
  if (!governed.ok) return governed;
  if (key_id === BOOTSTRAP_KEY_ID && governed.value === "default") {
    const detail =
      "the bootstrap key is the variable BATUTA_ADMIN_KEY of the installation: change it there";
    return refuse({ code: "forbidden", detail });
  }
  return ok({ tenant: governed.value, key_id });
}

function told(record: KeyRecord | null, now: number): Result<KeyView, Refusal> {
  return record === null ? refuse(UNKNOWN) : ok(viewOf(record, now));
}

/** What shows a secret. */
function issuing({
  db,
  now,
  randomBytes,
  forget,
}: KeyDeskParts): Pick<KeyDesk, "create" | "rotate"> {
  const mint = (): string => mintKey(randomBytes(KEY_BYTES));
  return {
    async create(by, request) {
      const at = now();
      const grant = grantOf(by, request, at);
      if (!grant.ok) return grant;
      const key = mint();
      const { name, expires_at } = request;
      const made = {
        key_id: `key_${base62(randomBytes(KEY_ID_BYTES))}`,
        name,
        ...grant.value,
        created_at: instant(at),
        expires_at: expires_at === undefined ? null : instant(Date.parse(expires_at)),
      };
      await insertKey(db, await sha256Hex(key), made);
      const fresh = { rotated_at: null, former_until: null, last_used_at: null };
      return ok({ ...viewOf({ ...made, ...fresh }, at), key });
    },
    async rotate(by, key_id, { overlap_seconds, ...of }) {
      const name = nameOf(by, key_id, of);
      if (!name.ok) return name;
      const at = now();
      const present = await readKey(db, name.value);
      if (isPast(present?.expires_at ?? null, at)) {
        const detail = "the key has expired: set its expires_at first, or make another";
        return refuse({ code: "key_expired", detail });
      }
      const key = mint();
      const rotated = await rotateKey(db, name.value, {
        key_hash: await sha256Hex(key),
        rotated_at: instant(at),
        former_until: overlap_seconds === 0 ? null : instant(at + overlap_seconds * 1_000),
      });
      forget(name.value);
      const view = told(rotated, at);
      return view.ok ? ok({ ...view.value, key }) : view;
    },
  };
}

/** Governs the keys of an installation. */
export function createKeyDesk(parts: KeyDeskParts): KeyDesk {
  const { db, now, forget } = parts;
  return {
    ...issuing(parts),
    async list(by, { tenant, cursor = "", limit }) {
      const governed = governedTenant(by, tenant);
      if (!governed.ok) return governed;
      const rows = await listKeys(db, governed.value, { after: cursor, limit: limit + 1 });
      const items = rows.slice(0, limit).map((row) => viewOf(row, now()));
      const last = items.at(-1)?.key_id ?? null;
      return ok({ items, next_cursor: rows.length > limit ? last : null });
    },
    async get(by, key_id, of) {
      const name = nameOf(by, key_id, of);
      return name.ok ? told(await readKey(db, name.value), now()) : name;
    },
    async change(by, key_id, { change: { name: label, expires_at }, ...of }) {
      const name = nameOf(by, key_id, of);
      if (!name.ok) return name;
      const fault = expiryFault(expires_at ?? undefined, now());
      if (fault !== null) return refuse(fault);
      const until = typeof expires_at === "string" ? instant(Date.parse(expires_at)) : null;
      const changed = await changeKey(db, name.value, {
        ...(label !== undefined && { name: label }),
        ...(expires_at !== undefined && { expires_at: until }),
      });
      forget(name.value);
      return told(changed, now());
    },
    async remove(by, key_id, of) {
      const name = nameOf(by, key_id, of);
      if (!name.ok) return name;
      const wasThere = await deleteKey(db, name.value);
      forget(name.value);
      return wasThere ? ok(null) : refuse(UNKNOWN);
    },
  };
}
