import { describe, expect, it } from "vitest";

import { isSecret, masked } from "../../src/executor/skills/configuration/secrets.ts";

describe("a name of a configuration", () => {
  it.each([
    "DB_PASS",
    "pass",
    "dbPass",
    "smtp.auth",
    "AUTH",
    "basicAuth",
    "signing_key",
    "ENCRYPTION_KEY",
    "signingKey",
    "storageAccountKey",
    "ssh-key",
    "auth/0",
    "password",
    "API_TOKEN",
  ])("tells that %s is secret", (name) => {
    expect(isSecret(`/${name}`, "z")).toBe(true);
  });

  it.each([
    "compass",
    "bypass",
    "author",
    "key",
    "monkey",
    "keyboard",
    "public_key",
    "publicKey",
    "primary_key",
    "sort_key",
    "foreignKey",
    "i18nKey",
    "translation_key",
    "cache-key",
    "auth/provider",
    "basicAuth/url",
  ])("leaves %s in sight", (name) => {
    expect(isSecret(`/${name}`, "z")).toBe(false);
  });

  it("hides what stands below it, where a name says that all of it is secret", () => {
    const shown = masked({ db: { auth: { user: "z", pass: "z" }, host: "h" }, secrets: ["z"] }, "");

    expect(shown).toEqual({
      db: { auth: { user: "z", pass: "***" }, host: "h" },
      secrets: ["***"],
    });
  });
});
