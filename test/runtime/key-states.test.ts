import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { ROUTES } from "../../src/rest/app.ts";
import { call } from "./batuta.ts";

/* Keys in every state they can be in, on the real Worker. What scopes open is in test/unit/auth-matrix.test.ts. */

interface Made {
  key_id: string;
  key: string;
}

const make = async (): Promise<Made> =>
  (await call<Made>("POST", "/v1/keys", { name: "state", scopes: ["admin"] })).body;

const rotate = async ({ key_id }: Made, overlap_seconds: number): Promise<string> =>
  (await call<Made>("POST", `/v1/keys/${key_id}/rotate`, { overlap_seconds })).body.key;

/** Moves an instant of a key into the past, as time would. */
async function pass(column: "expires_at" | "former_until", { key_id }: Made): Promise<void> {
  const past = new Date(Date.now() - 1_000).toISOString();
  await env.DB.prepare(`UPDATE api_key SET ${column} = ? WHERE tenant = 'default' AND key_id = ?`)
    .bind(past, key_id)
    .run();
}

const dead: Record<string, string> = { unknown: `bk_${"u".repeat(43)}`, malformed: "bk_short" };
const live: Record<string, string> = { bootstrap: env.BATUTA_ADMIN_KEY };

beforeAll(async () => {
  const [active, expired, revoked, retiring, retired, ended] = await Promise.all(
    Array.from({ length: 6 }, make),
  );
  if (!active || !expired || !revoked || !retiring || !retired || !ended)
    throw new Error("no keys");
  await pass("expires_at", expired);
  await call("DELETE", `/v1/keys/${revoked.key_id}`);
  live["rotated"] = await rotate(retiring, 60);
  await rotate(retired, 60);
  await pass("former_until", retired);
  await rotate(ended, 0);
  Object.assign(live, { active: active.key, retiring: retiring.key });
  Object.assign(dead, {
    expired: expired.key,
    revoked: revoked.key,
    retired: retired.key,
    "ended by a rotation without overlap": ended.key,
  });
});

const ask = async (method: string, path: string, key: string) =>
  (await call(method, path, undefined, { authorization: `Bearer ${key}` })).status;

describe("a key", () => {
  it("opens no route when it is unknown, malformed, expired, revoked, retired or ended", async () => {
    const guarded = ROUTES.filter(({ scopes }) => scopes !== null);
    const answers = await Promise.all(
      Object.entries(dead).flatMap(([state, key]) =>
        guarded.map(async ({ id, method, path }) => {
          const status = await ask(method, path.replaceAll(/:\w+/g, "x"), key);
          return { state, id, status };
        }),
      ),
    );

    expect(answers.length).toBe(guarded.length * 6);
    expect(answers.filter(({ status }) => status !== 401)).toEqual([]);
  });

  it("opens doors while it is active, retiring, rotated in, or the bootstrap key", async () => {
    const answers = await Promise.all(
      Object.entries(live).map(async ([state, key]) => [state, await ask("GET", "/v1/keys", key)]),
    );

    expect(Object.fromEntries(answers)).toEqual({
      bootstrap: 200,
      active: 200,
      retiring: 200,
      rotated: 200,
    });
  });

  it("may revoke itself, as its last request", async () => {
    const { key, key_id } = await make();

    const statuses = [
      await ask("DELETE", `/v1/keys/${key_id}`, key),
      await ask("GET", "/v1/keys", key),
    ];

    expect(statuses).toEqual([204, 401]);
  });

  it("is listed with its state, its rotation and its last use, and never with a secret", async () => {
    const { key, key_id } = await make();
    await rotate({ key, key_id }, 3_600);
    await ask("GET", "/v1/keys", key);
    const read = () => call("GET", `/v1/keys/${key_id}`);

    await expect.poll(async () => (await read()).body["last_used_at"]).toEqual(expect.any(String));
    const { body } = await read();
    expect(body).toMatchObject({
      state: "active",
      rotated_at: expect.any(String),
      retiring_until: expect.any(String),
    });
    expect(JSON.stringify(body)).not.toMatch(/bk_|hash/);
  });
});
