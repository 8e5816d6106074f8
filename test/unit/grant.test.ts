import { describe, expect, it } from "vitest";

import { grantOf } from "../../src/access/grant.ts";
import type { KeyRequest, Principal } from "../../src/protocol/access.ts";
import type { Scope } from "../../src/protocol/enums.ts";
import { at, T0 } from "../task-news.ts";

const makerWith = (...scopes: Scope[]): Principal => ({
  key_id: "key_1",
  tenant: "acme",
  scopes,
  isBootstrap: false,
});
const bootstrap: Principal = { ...makerWith("admin"), tenant: "default", isBootstrap: true };
const requestOf = (changes: Partial<KeyRequest> = {}): KeyRequest => ({
  schema_version: "2.0",
  name: "ci",
  scopes: ["observe"],
  ...changes,
});

describe("granting a key", () => {
  it("is for the maker's own tenant unless it says otherwise", () => {
    const grant = grantOf(makerWith("admin"), requestOf({ scopes: ["observe", "observe"] }), T0);

    expect(grant).toEqual({ ok: true, value: { tenant: "acme", scopes: ["observe"] } });
  });

  it("lets an admin key grant every scope, because admin includes them", () => {
    const scopes: Scope[] = ["orchestrate", "execute", "observe", "admin"];

    expect(grantOf(makerWith("admin"), requestOf({ scopes }), T0).ok).toBe(true);
  });

  it("refuses scopes that the maker lacks", () => {
    const grant = grantOf(
      makerWith("orchestrate"),
      requestOf({ scopes: ["orchestrate", "admin"] }),
      T0,
    );

    expect(grant).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
  });

  it("refuses another tenant to all but the bootstrap key", () => {
    const request = requestOf({ tenant: "other" });

    expect(grantOf(makerWith("admin"), request, T0)).toMatchObject({
      ok: false,
      refusal: { code: "forbidden" },
    });
    expect(grantOf(bootstrap, request, T0)).toMatchObject({ ok: true, value: { tenant: "other" } });
  });

  it("refuses a key that has expired before it is made", () => {
    const grant = grantOf(makerWith("admin"), requestOf({ expires_at: at(0) }), T0);

    expect(grant).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed", errors: [{ pointer: "/expires_at" }] },
    });
    expect(grantOf(makerWith("admin"), requestOf({ expires_at: at(1) }), T0).ok).toBe(true);
  });
});
