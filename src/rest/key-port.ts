import type { Result } from "../lib/result.ts";
import type { KeyChange, KeyRequest, KeyView, Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Whose keys are meant, where not the asking key's tenant's. */
interface KeysOf {
  tenant?: string | undefined;
}

/** Keys of the installation. */
export interface KeyPort {
  /** Who holds this key or token, or null when it is unknown, expired or revoked. */
  principalOf(key: string): Promise<Principal | null>;
  /** Who held it when it was last looked up, by memory alone; null when nobody knows. It opens nothing. */
  remembered(key: string): Promise<Principal | null>;
  /** Whether a key or token is known, by memory alone, to be none that is still good. */
  isHopeless(key: string): Promise<boolean>;
  /** Who holds this public read token: the reader of one task. Null when it is none, expired or its key is gone. */
  readerOf(token: string): Promise<Principal | null>;
  /** Notes that a key was used, where that is due; null where it is not. */
  noteUse(by: Principal): Promise<void> | null;
  create(by: Principal, request: KeyRequest): Answer<KeyView>;
  list(
    by: Principal,
    page: KeysOf & { cursor?: string | undefined; limit: number },
  ): Answer<{ items: KeyView[]; next_cursor: string | null }>;
  get(by: Principal, key_id: string, of: KeysOf): Answer<KeyView>;
  rotate(by: Principal, key_id: string, of: KeysOf & { overlap_seconds: number }): Answer<KeyView>;
  change(by: Principal, key_id: string, of: KeysOf & { change: KeyChange }): Answer<KeyView>;
  remove(by: Principal, key_id: string, of: KeysOf): Answer<null>;
  /** A token with which anyone reads this task; refused unless `by` may read it. */
  mintToken(
    by: Principal,
    task_id: string,
    expiresInSeconds: number,
  ): Answer<{ token: string; expires_at: string }>;
}
