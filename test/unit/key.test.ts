import { describe, expect, it } from "vitest";

import { isKeyForm, isSameHash, KEY_BYTES, mintKey } from "../../src/access/key.ts";

describe("an API key", () => {
  it("is bk_ and 43 characters of base64url, made of every bit given", () => {
    const keys = [0, 62, 63, 250, 255].map((byte) => mintKey(new Uint8Array(KEY_BYTES).fill(byte)));

    for (const key of keys) expect(key).toMatch(/^bk_[A-Za-z0-9_-]{43}$/);
    expect(keys.every(isKeyForm)).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("takes exactly 32 bytes", () => {
    expect(() => mintKey(new Uint8Array(31))).toThrow(RangeError);
  });

  it.each([
    "",
    "bk_",
    "bk_short",
    `sk_${"a".repeat(43)}`,
    `bk_${"a".repeat(44)}`,
    ` bk_${"a".repeat(43)}`,
  ])("has a form that %o lacks", (text) => {
    expect(isKeyForm(text)).toBe(false);
  });
});

describe("hashes", () => {
  it("are the same only when every character is", () => {
    expect(isSameHash("abcd", "abcd")).toBe(true);
    expect(["abce", "xbcd", "abc", "abcde", ""].map((other) => isSameHash("abcd", other))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
