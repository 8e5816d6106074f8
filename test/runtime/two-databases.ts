import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { shardOfNew } from "../../src/history/shards/shards.ts";
import { faceOf } from "../../src/services-face.ts";
import { Executor, eventually } from "./batuta.ts";
import { newTenant } from "./tenant.ts";

/* An installation whose operator bound a second database: two tenants, whose tasks go through real objects and queues. */

// Before anything is built of the bindings, as a deployment would.
Object.assign(env, { DB_1: env.TEST_DATABASE, HISTORY_SHARDS: "DB,DB_1" });
/** The second database. */
export const second = env.TEST_DATABASE;
await applyD1Migrations(second, env.TEST_MIGRATIONS);

type Call = Awaited<ReturnType<typeof newTenant>>;

/** The first of many names that is dealt out to a database. */
function nameIn(shard: string, prefix: string): string {
  const names = Array.from({ length: 100 }, (_, index) => `${prefix}-${index}`);
  return names.find((name) => shardOfNew(name, ["DB", "DB_1"]) === shard) ?? "";
}
/** The tenants. */
export const NEAR = nameIn("DB", "near");
export const FAR = nameIn("DB_1", "far");

/** How many rows a tenant has in DB, and in the second database. */
export function rowsOf(tenant: string, table = "task", condition = "true"): Promise<unknown[]> {
  const text = `SELECT count(*) AS n FROM ${table} WHERE tenant = ? AND ${condition}`;
  return Promise.all([env.DB, second].map((db) => db.prepare(text).bind(tenant).first("n")));
}

/** Runs a task of a tenant to its end, and waits until its history says so; `db` null waits for neither. */
export async function live(own: Call, task_id: string, db: D1Database | null): Promise<void> {
  const executor = await new Executor(`worker-${task_id}`, own).register();
  await own("POST", "/v1/tasks", {
    task_id,
    task_type: "research",
    description: "a task that a test submits",
    requires: { capabilities: [executor.agent_id] },
  });
  await executor.claim();
  await executor.start();
  await executor.complete();
  await executor.end();
  if (db === null) return;
  await eventually(
    () => db.prepare("SELECT phase FROM task WHERE task_id = ?").bind(task_id).first("phase"),
    (phase) => phase === "ended",
  );
}

/** A key by which a tenant asks isolates of other bindings. */
async function keyOf(own: Call): Promise<string> {
  const { body } = await own<{ key: string }>("POST", "/v1/keys", {
    name: "other isolates",
    scopes: ["observe", "orchestrate"],
  });
  return body.key;
}

/** How the tenant asks whose history is in DB. */
export const near = await newTenant(NEAR);
/** How the one asks whose history is in the second database. */
export const far = await newTenant(FAR);
const keys = new Map([
  [NEAR, await keyOf(near)],
  [FAR, await keyOf(far)],
]);

/** What both tenants are told. */
export const both = async <Body>(path: string): Promise<Body[]> => {
  const answers = await Promise.all([near<Body>("GET", path), far<Body>("GET", path)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  return answers.map(({ body }) => body);
};

/** Both tenants, how each asks, and where its history is. */
export const TENANTS = [
  [NEAR, near, env.DB],
  [FAR, far, second],
] as const;

/** Asks an isolate of these bindings with a tenant's key. */
export async function askIn(world: Env, tenant: string, path: string) {
  const response = await faceOf(world).request(`https://batuta.test${path}`, {
    headers: { authorization: `Bearer ${keys.get(tenant) ?? ""}` },
  });
  const body: Record<string, unknown> = await response.json();
  return { status: response.status, body };
}
