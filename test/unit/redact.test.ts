import { describe, expect, it } from "vitest";

import { brief, briefUrl, scrubbed, withoutSecrets } from "../../src/lib/redact.ts";

describe("what is kept for good", () => {
  it.each([
    ["the key bk_abcdefgh1234 was leaked", "the key [redacted] was leaked"],
    ["Bearer abc.def is short", "Bearer abc.def is short"],
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[redacted]"],
    ["nothing of the kind", "nothing of the kind"],
  ])("has of %j what is no secret", (text, clean) => {
    expect(withoutSecrets(text)).toBe(clean);
    expect(scrubbed({ a: [{ b: text }], n: 1 })).toEqual({ a: [{ b: clean }], n: 1 });
  });

  it.each([
    ["use this:\nbk_0123456789abcdef", "use this:\n[redacted]"],
    ["\tbk_0123456789abcdef", "\t[redacted]"],
    ["\u0008k_12345678", "\u0008k_12345678"],
    ['"bk_0123456789abcdef"', '"[redacted]"'],
  ])("has of %j what is no secret, whatever JSON makes of it", (text, clean) => {
    expect(scrubbed({ [text]: [{ b: text }] })).toEqual({ [clean]: [{ b: clean }] });
  });

  it("has names as they are, even those that mean something", () => {
    const fields: Record<string, unknown> = JSON.parse('{"__proto__":{"a":"bk_0123456789"}}');

    expect(JSON.stringify(scrubbed(fields))).toBe('{"__proto__":{"a":"[redacted]"}}');
  });

  it("has of a long value how long it is", () => {
    expect(brief("x".repeat(4_094))).toHaveLength(4_094);
    expect(brief("x".repeat(4_095))).toEqual({ omitted_characters: 4_097 });
    expect(brief(undefined)).toBeUndefined();
  });

  it.each([
    ["https://user:pw@hooks.example.com/T0/B0/secret?token=x#y", "https://hooks.example.com/…"],
    ["https://hooks.example.com:8443/", "https://hooks.example.com:8443/…"],
    ["no address", "…"],
  ])("has of the address %s where it leads", (url, shown) => {
    expect(briefUrl(url)).toBe(shown);
  });
});
