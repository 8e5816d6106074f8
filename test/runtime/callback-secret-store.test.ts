import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { CallbackSecretStore } from "../../src/delivery/registry/callback-secret-store.ts";
import { newSecret } from "../../src/delivery/signature.ts";

const store = new CallbackSecretStore(env.DB);
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

  it("takes the next version alone", async () => {
    const [first, second] = [version(1), version(2)];
    await store.insert("b", first);

    const outcomes = [
      await store.update("b", second),
      await store.update("b", version(2)),
      await store.update("b", version(9)),
    ];

    expect(outcomes).toEqual([true, false, false]);
    expect(await store.read("b")).toEqual(second);
  });
});
