import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { deleteKey, findKey, insertKey, listKeys } from "../../src/access/key-store.ts";
import type { KeyView } from "../../src/protocol/access.ts";
import { at } from "../task-news.ts";

const keyOf = (key_id: string, changes: Partial<KeyView> = {}): KeyView => ({
  key_id,
  name: "ci",
  tenant: "acme",
  scopes: ["observe", "execute"],
  created_at: at(0),
  expires_at: null,
  ...changes,
});

describe("the stored keys", () => {
  it("are found by their hash and never hold the key itself", async () => {
    const key = keyOf("key_1", { expires_at: at(9) });
    await insertKey(env.DB, "hash-1", { ...key, key: "bk_secret" });

    expect(await findKey(env.DB, "hash-1")).toEqual(key);
    expect(await findKey(env.DB, "hash-2")).toBeNull();
    const { results } = await env.DB.prepare("SELECT * FROM api_key").all();
    expect(JSON.stringify(results)).not.toContain("bk_secret");
  });

  it("are listed and removed within their tenant alone", async () => {
    await insertKey(env.DB, "hash-b", keyOf("key_b", { tenant: "two" }));
    await insertKey(env.DB, "hash-a", keyOf("key_a", { tenant: "two" }));
    await insertKey(env.DB, "hash-c", keyOf("key_c", { tenant: "three" }));
    const idsAfter = async (after: string) =>
      (await listKeys(env.DB, "two", { after, limit: 5 })).map(({ key_id }) => key_id);

    expect([await idsAfter(""), await idsAfter("key_a")]).toEqual([["key_a", "key_b"], ["key_b"]]);
    expect(await deleteKey(env.DB, "two", "key_c")).toBeNull();
    expect(await deleteKey(env.DB, "two", "key_a")).toBe("hash-a");
    expect(await idsAfter("")).toEqual(["key_b"]);
  });
});
