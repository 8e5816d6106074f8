import type { Mac } from "../lib/mac.ts";
import { derivedId, instant, type Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { KeyName } from "./key-store.ts";
import { claimOf, isGenuine, mintPublicToken } from "./public-token.ts";

/** What public read tokens are made and recognised with. */
export interface PublicTokensParts {
  mac: Mac;
  now: Clock;
  /** What stands for a key in what it signs off; null where there is none. */
  markOf: (key_id: string) => Promise<string | null>;
  /** Whether a key is stored, and neither expired nor removed; always, for the bootstrap key. */
  isGood: (name: KeyName) => Promise<boolean>;
}

/** Tokens that show one task to whoever has them. None is stored: they carry what they grant, signed. */
export interface PublicTokens {
  /**
   * A token of a task that `by` may read, which the caller has made sure of. It dies with its time and with the key
   * that made it, so a request without a stored key gets none: `forbidden`.
   */
  mint(
    by: Principal,
    task_id: string,
    expiresInSeconds: number,
  ): Promise<Result<{ token: string; expires_at: string }, Refusal>>;
  /** Who holds this token: a reader of one task; null when it is forged, expired, or its key is gone. */
  readerOf(token: string): Promise<Principal | null>;
}

/** Makes and recognises public read tokens. */
export function createPublicTokens({ mac, now, markOf, isGood }: PublicTokensParts): PublicTokens {
  return {
    async mint({ tenant, key_id, agent_id }, task_id, expiresInSeconds) {
      const isKey = agent_id === undefined && (await isGood({ tenant, key_id }));
      const mark = isKey ? await markOf(key_id) : null;
      if (mark === null) {
        const detail = "a public token lives and dies with the API key that made it: send one";
        return refuse({ code: "forbidden", detail });
      }
      const expires_at = Math.floor(now() / 1_000) + expiresInSeconds;
      const token = await mintPublicToken(mac, { tenant, task_id, key_id, expires_at }, mark);
      return ok({ token, expires_at: instant(expires_at * 1_000) });
    },
    async readerOf(token) {
      const claim = claimOf(token);
      if (claim === null) return null;
      const { tenant, task_id, key_id } = claim.grant;
      const expires_at = claim.grant.expires_at * 1_000;
      if (expires_at <= now()) return null;
      const mark = await markOf(key_id);
      if (mark === null || !(await isGenuine(mac, claim, mark))) return null;
      // Last, so that what somebody made up costs no look-up.
      if (!(await isGood({ tenant, key_id }))) return null;
      return {
        // Each token has budgets of its own: viewers of one task do not starve each other.
        key_id: `public/${task_id}/${await derivedId(token)}`,
        tenant,
        scopes: ["observe"],
        isBootstrap: false,
        public_task: { task_id, expires_at },
      };
    },
  };
}
