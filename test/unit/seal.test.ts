import { describe, expect, it } from "vitest";

import { createSealer, SEALED_FORM } from "../../src/lib/seal.ts";

const [FIRST, SECOND] = ["the first key, of 32 characters!", "the second key, a little longer..."];
const TEXT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OWNER = "webhook/acme/wh_1";

const sealer = createSealer([FIRST]);

/** The text with one character of one of its parts changed. */
function changed(sealed: string, part: number): string {
  const parts = sealed.split(".");
  const text = parts[part] ?? "";
  parts[part] = (text.startsWith("A") ? "B" : "A") + text.slice(1);
  return parts.join(".");
}

describe("a sealed text", () => {
  it("has its form, shows nothing of what is in it, and opens for its owner", async () => {
    const sealed = await sealer.seal(TEXT, OWNER);

    expect(sealed).toMatch(SEALED_FORM);
    expect(sealed).not.toContain(TEXT.slice(6));
    expect(await sealer.open(sealed, OWNER)).toBe(TEXT);
  });

  it("is never the same twice", async () => {
    const sealed = await Promise.all(Array.from({ length: 20 }, () => sealer.seal(TEXT, OWNER)));

    expect(new Set(sealed).size).toBe(20);
  });

  it.each(["", "größe ✓ 🚀", "x".repeat(5_000)])("keeps %j", async (text) => {
    expect(await sealer.open(await sealer.seal(text, OWNER), OWNER)).toBe(text);
  });

  it.each(["webhook/acme/wh_2", "webhook/other/wh_1", "callback/acme", ""])(
    "does not open for %j, to whom it was moved",
    async (other) => {
      const sealed = await sealer.seal(TEXT, OWNER);

      await expect(sealer.open(sealed, other)).rejects.toThrow(/another owner/);
    },
  );

  it.each([
    ["version", 1],
    ["key", 2],
    ["IV", 3],
    ["ciphertext", 4],
  ])("does not open with another %s", async (_what, part) => {
    const sealed = changed(await sealer.seal(TEXT, OWNER), part);

    await expect(sealer.open(sealed, OWNER)).rejects.toBeInstanceOf(Error);
  });

  it("does not open with another key that calls itself by the same id", async () => {
    const [, , id] = (await sealer.seal(TEXT, OWNER)).split(".");
    const other = (await createSealer([SECOND]).seal(TEXT, OWNER)).split(".");
    other[2] = id ?? "";

    await expect(sealer.open(other.join("."), OWNER)).rejects.toBeInstanceOf(Error);
  });
});

describe("a text that was never sealed", () => {
  it("comes back as it is", async () => {
    expect(await sealer.open(TEXT, OWNER)).toBe(TEXT);
  });

  it("is sealed when it is renewed", async () => {
    const sealed = await sealer.renew(TEXT, OWNER);

    expect(sealed).toMatch(SEALED_FORM);
    expect(await sealer.open(sealed, OWNER)).toBe(TEXT);
  });
});

describe("a change of the key", () => {
  const both = createSealer([SECOND, FIRST]);

  it("seals with the first key and opens with all", async () => {
    const [old, fresh] = [await sealer.seal(TEXT, OWNER), await both.seal(TEXT, OWNER)];

    expect(await both.open(old, OWNER)).toBe(TEXT);
    expect(await createSealer([SECOND]).open(fresh, OWNER)).toBe(TEXT);
    await expect(sealer.open(fresh, OWNER)).rejects.toThrow(/No key opens/);
  });

  it("renews what the old key sealed, and leaves what the new one sealed", async () => {
    const old = await sealer.seal(TEXT, OWNER);

    const renewed = await both.renew(old, OWNER);

    expect(await createSealer([SECOND]).open(renewed, OWNER)).toBe(TEXT);
    expect(await both.renew(renewed, OWNER)).toBe(renewed);
  });

  it("refuses to renew what another owner's row holds", async () => {
    const old = await sealer.seal(TEXT, OWNER);

    await expect(both.renew(old, "webhook/acme/wh_2")).rejects.toThrow(/another owner/);
  });
});
