import { createJwtCheck, isJwtForm } from "./access/jwt.ts";
import { createKeyDesk } from "./access/key-desk.ts";
import { Keys } from "./access/keys.ts";
import { createPublicTokens } from "./access/public-tokens.ts";
import { consoleLog } from "./lib/log.ts";
import { createMac } from "./lib/mac.ts";
import type { KeyPort } from "./rest/key-port.ts";
import { now } from "./services-doors.ts";
import type { Services } from "./services.ts";

/* What the HTTP face is given of keys and tokens. */

/** What public read tokens begin with. */
const PUBLIC_PREFIX = "pt_";

/** Keys as the REST face uses them. */
export function keyPort(env: Env, { config, guard, tasks, fetchKeySet }: Services): KeyPort {
  const log = consoleLog("access", now);
  const keys = new Keys({
    db: env.DB,
    read: (query) => guard.get(query),
    now,
    adminKey: config.adminKey,
  });
  const tokens = createPublicTokens({
    mac: createMac(config.sealKeys, "public read token v1"),
    now,
    markOf: (key_id) => keys.markOf(key_id),
    isGood: (name) => keys.isGood(name),
  });
  const ofToken =
    config.jwt === null ? null : createJwtCheck({ ...config.jwt, now, log, get: fetchKeySet });
  const desk = createKeyDesk({
    db: env.DB,
    now,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    forget: (name) => keys.forget(name),
  });
  return {
    create: (...asked) => guard.read(() => desk.create(...asked)),
    list: (...asked) => guard.read(() => desk.list(...asked)),
    get: (...asked) => guard.read(() => desk.get(...asked)),
    rotate: (...asked) => guard.read(() => desk.rotate(...asked)),
    change: (...asked) => guard.read(() => desk.change(...asked)),
    remove: (...asked) => guard.read(() => desk.remove(...asked)),
    principalOf: (key) =>
      ofToken !== null && isJwtForm(key) ? ofToken.principalOf(key) : keys.principalOf(key),
    remembered: (key) => {
      if (key.startsWith(PUBLIC_PREFIX)) return tokens.readerOf(key);
      return ofToken !== null && isJwtForm(key) ? ofToken.remembered(key) : keys.remembered(key);
    },
    isHopeless: async (key) =>
      key.startsWith(PUBLIC_PREFIX) ||
      (isJwtForm(key) ? ofToken === null : await keys.isHopeless(key)),
    noteUse: (by) =>
      keys.noteUse(by)?.catch((cause: unknown) => {
        log("warning", "key_use_not_noted", { key_id: by.key_id, detail: String(cause) });
      }) ?? null,
    readerOf: (token) => tokens.readerOf(token),
    async mintToken(by, task_id, expiresInSeconds) {
      const readable = await tasks.readable(by, task_id);
      return readable.ok ? tokens.mint(by, task_id, expiresInSeconds) : readable;
    },
  };
}
