import { describe, expect, it } from "vitest";

import { keyless, keylessAnswer } from "../../src/executor/models/keyless.ts";

describe("a text without a key", () => {
  it.each([
    ["as it is", "a/key.with+signs"],
    ["in other letters", "A/KEY.With+Signs"],
    ["in JSON of a server that escapes slashes", String.raw`a\/key.with+signs`],
  ])("has a mark where the key stood %s", (_how, said) => {
    expect(keyless("a/key.with+signs")(`Bearer ${said}, twice: ${said}`)).toBe(
      "Bearer [api_key], twice: [api_key]",
    );
  });

  it("has none where the key has quotes and backslashes, which JSON escapes", () => {
    const api_key = String.raw`k"e\y`;

    expect(keyless(api_key)(JSON.stringify({ sent: api_key }))).toBe('{"sent":"[api_key]"}');
    expect(keyless(api_key)(`sent: ${api_key}`)).toBe("sent: [api_key]");
  });

  it("keeps the words of a model that are no secret: what servers without keys are given as one", () => {
    expect(keylessAnswer("ollama")("Ollama runs models.")).toBe("Ollama runs models.");
    expect(keylessAnswer("a-longer-secret")("It is a-longer-secret.")).toBe("It is [api_key].");
    expect(keyless(null)("nothing to hide")).toBe("nothing to hide");
  });
});
