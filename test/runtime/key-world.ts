import { env } from "cloudflare:workers";

import { createKeyDesk } from "../../src/access/key-desk.ts";
import { Keys } from "../../src/access/keys.ts";
import type { KeyRequest, Principal } from "../../src/protocol/access.ts";
import { T0 } from "../task-news.ts";
import { recordingDb } from "./recording-db.ts";

/* Keys on the real D1, on a clock of the test's own. */

/** The bootstrap key of these installations. */
export const ADMIN_KEY = "an operator chose this";

/** An installation, or another isolate of it: they share D1 and nothing else. */
export function newKeys(adminKey: string | null = ADMIN_KEY) {
  const clock = { now: T0, isDown: false };
  const recording = recordingDb(env.DB);
  const { db } = recording;
  const now = () => clock.now;
  const keys = new Keys({
    db,
    read: (query) => (clock.isDown ? Promise.reject(new Error("D1 is down")) : query()),
    now,
    adminKey,
  });
  const desk = createKeyDesk({
    db,
    now,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    forget: (name) => keys.forget(name),
  });
  return { keys, desk, clock, recording };
}

/** Who holds the bootstrap key. */
export const bootstrap: Principal = {
  key_id: "key_bootstrap",
  tenant: "default",
  scopes: ["orchestrate", "execute", "observe", "admin"],
  isBootstrap: true,
};

/** A request for a key. */
export const requestOf = (changes: Partial<KeyRequest> = {}): KeyRequest => ({
  schema_version: "2.0",
  name: "ci",
  scopes: ["observe"],
  ...changes,
});

/** Where keys are governed. */
export type Desk = ReturnType<typeof createKeyDesk>;

/** A new key, with its secret. */
export async function created(desk: Desk, changes: Partial<KeyRequest> = {}) {
  const answer = await desk.create(bootstrap, requestOf(changes));
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return { ...answer.value, key: answer.value.key ?? "" };
}

/** The new secret that a rotation shows. */
export function secretOf(answer: Awaited<ReturnType<Desk["rotate"]>>): string {
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return answer.value.key ?? "";
}
