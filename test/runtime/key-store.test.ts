import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import {
  changeKey,
  deleteKey,
  findKey,
  insertKey,
  listKeys,
  noteKeyUse,
  readKey,
  rotateKey,
  type NewKey,
} from "../../src/access/key-store.ts";
import { at } from "../task-news.ts";

const keyOf = (key_id: string, changes: Partial<NewKey> = {}): NewKey => ({
  key_id,
  name: "ci",
  tenant: "acme",
  scopes: ["observe", "execute"],
  created_at: at(0),
  expires_at: null,
  ...changes,
});

const FRESH = { rotated_at: null, former_until: null, last_used_at: null };

describe("the stored keys", () => {
  it("are found by their hash", async () => {
    const key = keyOf("key_1", { expires_at: at(9) });
    await insertKey(env.DB, "hash-1", key);

    expect(await findKey(env.DB, "hash-1")).toEqual({ key: { ...key, ...FRESH }, isFormer: false });
    expect(await findKey(env.DB, "hash-2")).toBeNull();
  });

  it("are listed, read, changed and removed within their tenant alone", async () => {
    await insertKey(env.DB, "hash-b", keyOf("key_b", { tenant: "two" }));
    await insertKey(env.DB, "hash-a", keyOf("key_a", { tenant: "two" }));
    await insertKey(env.DB, "hash-c", keyOf("key_c", { tenant: "three" }));
    const idsAfter = async (after: string) =>
      (await listKeys(env.DB, "two", { after, limit: 5 })).map(({ key_id }) => key_id);
    const foreign = { tenant: "two", key_id: "key_c" };
    const own = { tenant: "two", key_id: "key_a" };

    expect([await idsAfter(""), await idsAfter("key_a")]).toEqual([["key_a", "key_b"], ["key_b"]]);
    const to = { key_hash: "hash-x", rotated_at: at(1), former_until: null };
    expect([
      await readKey(env.DB, foreign),
      await changeKey(env.DB, foreign, { name: "mine" }),
      await rotateKey(env.DB, foreign, to),
      await deleteKey(env.DB, foreign),
    ]).toEqual([null, null, null, false]);
    expect(await changeKey(env.DB, own, { name: "new" })).toMatchObject({ name: "new" });
    expect(await deleteKey(env.DB, own)).toBe(true);
    expect(await idsAfter("")).toEqual(["key_b"]);
  });

  it("have two secrets at most while one replaces the other", async () => {
    const name = { tenant: "acme", key_id: "key_r" };
    await insertKey(env.DB, "first", keyOf("key_r"));
    const rotate = (key_hash: string, former_until: string | null) =>
      rotateKey(env.DB, name, { key_hash, rotated_at: at(1), former_until });
    const places = async () =>
      Promise.all(
        ["first", "second", "third"].map(async (hash) => {
          const found = await findKey(env.DB, hash);
          return found === null ? "gone" : found.isFormer ? "former" : "present";
        }),
      );

    const seen = [await places()];
    expect(await rotate("second", at(9))).toMatchObject({ rotated_at: at(1), former_until: at(9) });
    seen.push(await places());
    await rotate("third", at(9));
    seen.push(await places());
    await rotate("third", null);
    seen.push(await places());

    expect(seen).toEqual([
      ["present", "gone", "gone"],
      ["former", "present", "gone"],
      ["gone", "former", "present"],
      ["gone", "gone", "present"],
    ]);
  });

  it("note a use once in the time that is asked for", async () => {
    const name = { tenant: "acme", key_id: "key_u" };
    await insertKey(env.DB, "hash-u", keyOf("key_u"));
    const noted: (string | null | undefined)[] = [];
    for (const [use, before] of [
      [at(1), at(0)],
      [at(2), at(0)],
      [at(3), at(2)],
    ] as const) {
      await noteKeyUse(env.DB, name, { at: use, before });
      noted.push((await readKey(env.DB, name))?.last_used_at);
    }

    expect(noted).toEqual([at(1), at(1), at(3)]);
  });
});
