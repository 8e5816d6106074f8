import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { newSecret } from "../../src/delivery/signature.ts";
import { call, eventually, submit } from "./batuta.ts";
import { bodyText, newReceiver, type Receiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  callbackIdOf,
  stubOf,
  newTenant,
  ORIGIN,
  register,
  webhooks,
} from "./webhook-world.ts";

/** Every row of every table of D1 as text. */
async function allOfD1(): Promise<string> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'",
  ).all<{ name: string }>();
  const rows = await Promise.all(
    tables.results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  );
  return JSON.stringify(rows.map(({ results }) => results));
}

/** Every row of every table of an endpoint's object as text. */
function allOfObject(tenant: string, webhook_id: string): Promise<string> {
  return runInDurableObject(stubOf(tenant, webhook_id), (_instance, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'",
      )
      .toArray();
    return JSON.stringify(
      tables.map(({ name }) => storage.sql.exec(`SELECT * FROM "${name}"`).toArray()),
    );
  });
}

const secretsOf = async (webhook_id: string): Promise<string> =>
  (await env.DB.prepare("SELECT secrets FROM webhook WHERE webhook_id = ?")
    .bind(webhook_id)
    .first<string>("secrets")) ?? "";

/** Puts a secret into the registry's row as it stands, as nobody but an attacker or an earlier version would. */
async function plant(webhook_id: string, secret: string): Promise<void> {
  await env.DB.prepare("UPDATE webhook SET secrets = ? WHERE webhook_id = ?")
    .bind(JSON.stringify([{ secret, expires_at: null }]), webhook_id)
    .run();
}

async function firstVerifies(receiver: Receiver, secret: string): Promise<boolean> {
  const [request] = await receiver.log();
  if (request === undefined) throw new Error("nothing arrived");
  try {
    new Webhook(secret).verify(bodyText(request), request.headers);
    return true;
  } catch {
    return false;
  }
}

describe("secrets at rest", () => {
  it("are in clear in no row of D1 and of no endpoint's object", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const given = newSecret();
    const webhook = await register(by, receiver, { secret: given });
    const callback_url = `${receiver.url}/callback`;
    await webhooks.rotateSecret(by, webhook.webhook_id, 60);
    await webhooks.callbackSecret(by.tenant);
    await webhooks.rotateCallbackSecret(by, 60);
    await call("PUT", "/v1/agents/sealed-agent", { capabilities: ["x"] });
    await announce(by, "t", 1, { callback_url });
    await arrivals(receiver, 2);

    const stored = [
      await allOfD1(),
      await allOfObject(by.tenant, webhook.webhook_id),
      await allOfObject(by.tenant, await callbackIdOf(by.tenant, callback_url)),
    ];

    for (const text of stored) {
      expect(text).toContain("sealed.v1.");
      expect(text).not.toContain("whsec_");
      expect(text).not.toContain(given.slice(6));
    }
  });

  it("sign as what they are: the receiver verifies with the secret that it was shown", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { secret } = await register(by, receiver);

    await announce(by, "t", 1);
    await arrivals(receiver, 1);

    expect(await firstVerifies(receiver, secret ?? "")).toBe(true);
  });

  it("of a callback sign as what the tenant is shown", async () => {
    const receiver = newReceiver();
    const { body } = await call<{ secret: string }>("GET", "/v1/callback-secret");

    // For the built-in executor alone: others of this file could have it, and never ask.
    const requires = { capabilities: ["builtin"] };
    await submit({ orchestrator_info: { callback_url: receiver.url }, requires });
    await eventually(
      () => receiver.log(),
      (log) => log.length > 0,
    );

    expect(await firstVerifies(receiver, body.secret)).toBe(true);
  });

  it("don't sign for another endpoint to which their row was moved", async () => {
    const by = newTenant();
    const [mine, theirs] = [newReceiver(), newReceiver()];
    const victim = await register(by, theirs);
    const { webhook_id } = await register(by, mine);
    const [{ secret }] = JSON.parse(await secretsOf(victim.webhook_id)) as [{ secret: string }];

    await plant(webhook_id, secret);
    await webhooks.patch(by, webhook_id, { name: "moved" }, ORIGIN);
    await announce(by, "t", 1);
    await arrivals(theirs, 1);
    await runDurableObjectAlarm(stubOf(by.tenant, webhook_id));

    const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 5 });
    expect(page).toMatchObject({ value: { items: [{ attempts_made: 0, delivered_at: null }] } });
    expect(await mine.log()).toEqual([]);
  });
});

describe("a secret that an earlier version stored in clear", () => {
  it("goes on signing, and is sealed by the next change", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);
    const clear = newSecret();
    await plant(webhook_id, clear);

    await webhooks.patch(by, webhook_id, {}, ORIGIN);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);

    expect(await firstVerifies(receiver, clear)).toBe(true);
    expect(await secretsOf(webhook_id)).not.toContain("whsec_");
    expect(await allOfObject(by.tenant, webhook_id)).not.toContain("whsec_");
  });
});
