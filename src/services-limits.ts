import { readKey } from "./access/key-store.ts";
import { limitsName } from "./access/limit-door.ts";
import type { LimitsPorts } from "./access/limits-object.ts";
import { Limits } from "./access/limits.ts";
import { consoleLog } from "./lib/log.ts";
import { ok, refuse } from "./lib/result.ts";
import { readBacklog } from "./observe/backlog-store.ts";
import type { Principal } from "./protocol/access.ts";
import type { LimitPort } from "./rest/limit-port.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What limits are built of. */

/**
 * How an installation takes its limits: by what every one of them is multiplied, and how long their object is waited
 * for (milliseconds). Tests of everything else replace it: they make more requests than anybody may.
 */
export const limiting = {
  scaleOf: (env: Env): number => doorsOf(env).config.limitsFactor,
  slow_ms: 250,
};

const built = new WeakMap<Env, Limits>();

/** The limits as this isolate applies them. */
export function limitsOf(env: Env): Limits {
  const known = built.get(env);
  if (known !== undefined) return known;
  const limits = new Limits({
    now,
    log: consoleLog("limits", now),
    door: (tenant) => env.LIMITS.getByName(limitsName(tenant)),
    scale: limiting.scaleOf(env),
    slow_ms: limiting.slow_ms,
  });
  built.set(env, limits);
  return limits;
}

/** Whether there is such a key, the bootstrap key of the installation included. */
async function isKey(env: Env, by: Principal, key_id: string): Promise<boolean> {
  if (by.isBootstrap && key_id === by.key_id) return true;
  const key = await doorsOf(env).guard.get(() => readKey(env.DB, { tenant: by.tenant, key_id }));
  return key !== null;
}

/** What the HTTP face asks of limits. */
export function limitPort(env: Env): LimitPort {
  const limits = limitsOf(env);
  return {
    draw: (by, operation) => limits.draw(by, operation),
    answered: (tenant, isFault) => limits.answered(tenant, isFault),
    view: async (by) => ok(await limits.view(by)),
    change: (by, patch) => limits.change(by, { patch }),
    async setKey(by, key_id, set) {
      if (!(await isKey(env, by, key_id))) {
        return refuse({ code: "key_not_found", detail: "there is no such key" });
      }
      const changed = await limits.changeKey(by, key_id, set);
      return changed.ok ? ok({ key_id, limits: set }) : changed;
    },
    clearKey: (by, key_id) => limits.changeKey(by, key_id, null),
  };
}

/** What the objects of limits need from other parts. */
export function limitsPortsOf(env: Env): LimitsPorts {
  return {
    async backlog(tenant) {
      const { history } = doorsOf(env);
      const { waiting, oldest_created_at } = await history.get(tenant, (db) =>
        readBacklog(db, tenant),
      );
      const oldest_ms = oldest_created_at === null ? 0 : now() - Date.parse(oldest_created_at);
      return { waiting, oldest_ms };
    },
  };
}
