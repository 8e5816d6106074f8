import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { endpointConfigSchema, type EndpointConfig } from "../../src/delivery/endpoint-config.ts";
import { CallbackSecretStore } from "../../src/delivery/registry/callback-secret-store.ts";
import {
  callbackConfig,
  callbackSecret,
  rotateCallbackSecret,
} from "../../src/delivery/registry/callbacks.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { randomId } from "../../src/lib/ports.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { webhookIdSchema } from "../../src/protocol/primitives.ts";
import { sealer } from "../sealer.ts";

/** The secrets of a configuration, open. */
const opened = (tenant: string, { secrets }: EndpointConfig) =>
  Promise.all(
    secrets.map(async ({ secret, expires_at }) => ({
      secret: await sealer.open(secret, `callback/${tenant}`),
      expires_at,
    })),
  );

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const URL = "https://hooks.example.com/done";
const ports = {
  secrets: new CallbackSecretStore(env.DB),
  newSecret,
  sealer,
  newId: randomId,
  now: () => NOW,
};
const keyOf = (tenant: string): Principal => ({
  key_id: "k",
  tenant,
  scopes: ["admin"],
  isBootstrap: false,
});

describe("a callback address", () => {
  it("is one endpoint per tenant, whichever task names it", async () => {
    const ids = [
      await callbackConfig(ports, "a", URL),
      await callbackConfig(ports, "a", URL),
      await callbackConfig(ports, "b", URL),
      await callbackConfig(ports, "a", `${URL}2`),
    ].map(({ webhook_id }) => webhook_id);

    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(webhookIdSchema.safeParse(id).success).toBe(true);
  });

  it("has a configuration that its object takes, signed with the tenant's secret", async () => {
    const { secret } = await callbackSecret(ports, "c");

    const config = await callbackConfig(ports, "c", URL);

    expect(endpointConfigSchema.parse(config)).toEqual(config);
    expect(JSON.stringify(config)).not.toContain("whsec_");
    expect(await opened("c", config)).toEqual([{ secret, expires_at: null }]);
  });
});

describe("the callback secret", () => {
  it("is minted once, also when two ask for it at the same time", async () => {
    const answers = await Promise.all([1, 2, 3].map(() => callbackSecret(ports, "d")));

    expect(new Set(answers.map(({ secret }) => secret)).size).toBe(1);
  });

  it("goes on signing beside the new one after a rotation, in a newer configuration", async () => {
    const before = await callbackConfig(ports, "e", URL);
    const first = await callbackSecret(ports, "e");

    const { secret } = await rotateCallbackSecret(ports, keyOf("e"), 60);
    const after = await callbackConfig(ports, "e", URL);

    expect(after.version).toBe(before.version + 1);
    expect(await opened("e", after)).toEqual([
      { secret, expires_at: null },
      { secret: first.secret, expires_at: "2026-11-22T10:01:00.000Z" },
    ]);
  });

  it("is rotated by each of several at the same time", async () => {
    await callbackSecret(ports, "f");

    await Promise.all([1, 2, 3].map(() => rotateCallbackSecret(ports, keyOf("f"), 60)));

    expect((await callbackConfig(ports, "f", URL)).version).toBe(4);
  });
});
