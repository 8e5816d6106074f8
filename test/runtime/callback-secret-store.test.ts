import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { AuditStore } from "../../src/audit/audit-store.ts";
import { auditRecord, CALLBACK_SECRET } from "../../src/delivery/registry/audit.ts";
import { CallbackSecretStore } from "../../src/delivery/registry/callback-secret-store.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { randomId } from "../../src/lib/ports.ts";

const store = new CallbackSecretStore(env.DB);
const audit = new AuditStore(env.DB);
const rotation = (tenant: string) =>
  auditRecord(
    { now: () => Date.parse("2026-11-22T10:00:00.000Z"), newId: randomId },
    { key_id: "k", tenant, scopes: ["admin"], isBootstrap: false },
    { subject: CALLBACK_SECRET, action: "callback_secret_rotated", detail: {} },
  );
const version = (number: number) => ({
  version: number,
  secrets: [{ secret: newSecret(), expires_at: null }],
});

describe("the store of callback secrets", () => {
  it("has none for a tenant that never asked", async () => {
    expect(await store.read("nobody")).toBeNull();
  });

  it("keeps the first when two set the first", async () => {
    const [first, second] = [version(1), version(1)];

    await store.insert("a", first);
    await store.insert("a", second);

    expect(await store.read("a")).toEqual(first);
  });

  it("takes the next version alone, and records no other", async () => {
    const [first, second] = [version(1), version(2)];
    await store.insert("b", first);

    const outcomes = [
      await store.update(second, rotation("b")),
      await store.update(version(2), rotation("b")),
      await store.update(version(9), rotation("b")),
    ];

    expect(outcomes).toEqual([true, false, false]);
    expect(await store.read("b")).toEqual(second);
    expect(await audit.list("b", { subject: CALLBACK_SECRET }, { limit: 10 })).toMatchObject({
      value: { items: [{ action: "callback_secret_rotated", actor: "k" }], next_cursor: null },
    });
  });
});
