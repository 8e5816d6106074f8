import { describe, expect, it } from "vitest";

import {
  base62,
  canonicalJson,
  derivedId,
  instant,
  randomId,
  sha256Hex,
} from "../../src/lib/ports.ts";

describe("an id", () => {
  it("has 22 characters that need no escaping, and is never the same", () => {
    const ids = Array.from({ length: 200 }, randomId);

    for (const id of ids) expect(id).toMatch(/^[0-9A-Za-z]{22}$/);
    expect(new Set(ids).size).toBe(200);
  });

  it.each([
    [[0, 0], "000"],
    [[0, 61], "00z"],
    [[0, 62], "010"],
    [[255, 255], "H31"],
    [Array(16).fill(255), "7n42DGM5Tflk9n8mt7Fhc7"],
    [Array(16).fill(0), "0".repeat(22)],
  ])("of the bytes %j is %s in base 62", (bytes, text) => {
    expect(base62(new Uint8Array(bytes))).toBe(text);
  });

  it("that is derived is the same for the same text only", async () => {
    expect(await derivedId("a")).toBe(await derivedId("a"));
    expect(await derivedId("a")).not.toBe(await derivedId("b"));
    expect(await derivedId("a")).toMatch(/^[0-9A-Za-z]{22}$/);
  });
});

describe("a hash", () => {
  it("is the SHA-256 as lower-case hexadecimal", async () => {
    expect(await sha256Hex("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});

describe("canonical JSON", () => {
  it("is equal for equal values in another order, at every depth", () => {
    const one = canonicalJson({ b: [{ y: 1, x: 2 }], a: null });
    const other = canonicalJson({ a: null, b: [{ x: 2, y: 1 }] });

    expect(one).toBe(other);
    expect(one).toBe('{"a":null,"b":[{"x":2,"y":1}]}');
  });

  it("keeps the order of lists, and tells a text from a number", () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson({ a: "1" })).not.toBe(canonicalJson({ a: 1 }));
  });
});

describe("an instant", () => {
  it("is written in UTC with milliseconds", () => {
    expect(instant(Date.UTC(2026, 10, 22, 10, 0, 0, 7))).toBe("2026-11-22T10:00:00.007Z");
  });
});
