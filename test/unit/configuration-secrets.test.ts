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
    "password",
    "API_TOKEN",
  ])("tells that %s is secret", (name) => {
    expect(isSecret(`/${name}`, "z")).toBe(true);
  });

  it.each(["compass", "bypass", "author", "key", "monkey", "keyboard", "public_key", "publicKey"])(
    "leaves %s in sight",
    (name) => {
      expect(isSecret(`/${name}`, "z")).toBe(false);
    },
  );

  it("hides what stands below it", () => {
    expect(masked({ db: { auth: { user: "z" }, pass: "z", host: "h" } }, "")).toEqual({
      db: { auth: { user: "***" }, pass: "***", host: "h" },
    });
  });
});
