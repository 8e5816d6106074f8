import { describe, expect, it } from "vitest";

import type { Offence } from "../../src/protocol/block.ts";
import { ROUTES } from "../../src/rest/app.ts";
import type { Caller } from "../../src/rest/offender-ports.ts";
import { accepting, createFakeApp, send, TASK } from "./rest-fakes.ts";
import type { Sent } from "./rest-fakes.ts";

const ADDRESS = "203.0.113.9";

/** A face that writes down whose offences it counts, with some callers blocked. */
function newFace(blocked: readonly string[] = []) {
  const offences: [who: string, Offence][] = [];
  const nameOf = (caller: Caller) => (typeof caller === "string" ? caller : caller.key_id);
  const taken: string[] = [];
  let proofs = 0;
  const { app, calls, ports } = createFakeApp({
    ...accepting,
    keys: {
      remembered: async (key) =>
        key === "all"
          ? { key_id: "key_all", tenant: "acme", scopes: ["admin"], isBootstrap: false }
          : null,
    },
    addresses: {
      take: async (account) => {
        taken.push(account);
        return account !== "too-fast";
      },
    },
    offenders: {
      blockedFor: (caller) => (blocked.includes(nameOf(caller)) ? 61_500 : 0),
      mayProve: () => (proofs += 1) === 1,
      commit: (caller, offence) => {
        offences.push([nameOf(caller), offence]);
        return null;
      },
    },
  });
  const from = (address: string, path: string, sent: Sent = {}) =>
    send(app, path, { ...sent, headers: { "CF-Connecting-IP": address, ...sent.headers } });
  return { offences, from, calls, taken, ports };
}

const signed = {
  "webhook-id": "m1",
  "webhook-timestamp": String(Math.floor(Date.now() / 1_000)),
  "webhook-signature": "v1,AAAA",
};

describe("offences", () => {
  it.each<[what: string, path: string, sent: Sent, who: string, Offence]>([
    ["a wrong key", "/v1/tasks", { key: "wrong" }, ADDRESS, "wrong_key"],
    [
      "a forged signature",
      "/v1/notifications",
      { key: null, body: {}, headers: signed },
      ADDRESS,
      "forged_signature",
    ],
    [
      "a body beyond the limit",
      "/v1/tasks",
      { key: null, body: "x".repeat(1_048_577) },
      ADDRESS,
      "oversize",
    ],
    [
      "a body beyond the limit, with a good key",
      "/v1/tasks",
      { body: "x".repeat(1_048_577) },
      "key_all",
      "oversize",
    ],
    [
      "a body that is not JSON, with a good key",
      "/v1/tasks",
      { body: "{" },
      "key_all",
      "malformed",
    ],
    [
      "a body nested too deeply",
      "/v1/tasks",
      { body: "[".repeat(33) + "]".repeat(33) },
      "key_all",
      "malformed",
    ],
  ])("are counted: %s", async (...row) => {
    const [, path, sent, who, offence] = row;
    const { offences, from } = newFace();

    await from(ADDRESS, path, sent);

    expect(offences).toEqual([[who, offence]]);
  });

  it.each(["/v1/tasks", "/health", "/nothing", "/docs"])(
    "are counted: one request too many, on %s, whatever the key",
    async (path) => {
      const { offences, from, calls } = newFace();

      const response = await from("too-fast", path);

      expect(response.status).toBe(429);
      expect(await response.json()).toMatchObject({ code: "rate_limited", retry_after: 60 });
      expect(response.headers.get("Retry-After")).toBe("60");
      expect(response.headers.get("RateLimit")).toBe('"address";r=0;t=60');
      expect(response.headers.get("RateLimit-Policy")).toBe('"address";q=600;w=60');
      expect(offences).toEqual([["too-fast", "address_limited"]]);
      expect(calls).toEqual([]);
    },
  );

  it.each<[what: string, path: string, sent: Sent]>([
    ["a good request", "/v1/tasks", { body: TASK }],
    ["no key", "/v1/tasks", { key: null }],
    ["a key without the scope", "/v1/tasks", { key: "execute", body: TASK }],
    ["a body that breaks its schema", "/v1/tasks", { body: {} }],
    ["another content type", "/v1/tasks", { body: "{", headers: { "Content-Type": "text/plain" } }],
    ["an unknown address", "/nothing", {}],
  ])("are not what may happen to anybody: %s", async (_what, path, sent) => {
    const { offences, from } = newFace();

    await from(ADDRESS, path, sent);

    expect(offences).toEqual([]);
  });

  it("count each request once against the limit of its address, also those that lead nowhere", async () => {
    const { from, taken } = newFace();

    for (const path of ["/health", "/v1/tasks", "/nothing", "/openapi.json"]) {
      await from(ADDRESS, path, { key: null });
    }
    await from(ADDRESS, "/v1/tasks", { method: "OPTIONS" });

    expect(taken).toEqual(Array.from({ length: 5 }, () => ADDRESS));
  });
});

describe("a blocked address", () => {
  it.each(ROUTES.map(({ method, path }) => [method, path.replaceAll(/:\w+/g, "x1")] as const))(
    "is refused before anything is looked at: %s %s",
    async (method, path) => {
      const { from, calls, taken } = newFace([ADDRESS]);

      const response = await from(ADDRESS, path, { method, key: null });

      expect(response.status).toBe(429);
      expect(await response.json()).toMatchObject({ code: "temporarily_blocked", retry_after: 62 });
      expect(response.headers.get("Retry-After")).toBe("62");
      expect([...calls, ...taken]).toEqual([]);
    },
  );

  it("lets a key pass that is known to be good, for others may share the address", async () => {
    const { from } = newFace([ADDRESS]);

    expect((await from(ADDRESS, "/v1/tasks", { body: TASK })).status).toBe(202);
  });

  it("has an unknown key looked up when it is time for one, and counts it when it is wrong", async () => {
    const { from, offences } = newFace([ADDRESS]);

    const statuses: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      statuses.push((await from(ADDRESS, "/v1/tasks", { key: "wrong" })).status);
    }

    expect(statuses).toEqual([401, 429, 429, 429, 429]);
    expect(offences).toEqual([[ADDRESS, "wrong_key"]]);
  });

  it("holds against a known key what it sends too much of", async () => {
    const { from, offences } = newFace([ADDRESS]);

    await from(ADDRESS, "/v1/tasks", { body: "x".repeat(1_048_577) });

    expect(offences).toEqual([["key_all", "oversize"]]);
  });
});

describe("a blocked key", () => {
  it("is refused from every address, and other keys from the same one are not", async () => {
    const { from, calls } = newFace(["key_all"]);

    const refused = await from("198.51.100.1", "/v1/tasks", { body: TASK });
    const other = await from("198.51.100.1", "/v1/tasks", { key: "orchestrate", body: TASK });

    expect([refused.status, other.status]).toEqual([429, 202]);
    expect(await refused.json()).toMatchObject({ code: "temporarily_blocked", retry_after: 62 });
    expect(calls).toEqual(["tasks.submit"]);
  });

  it("is refused before its body is read where its address is blocked too", async () => {
    const { from } = newFace([ADDRESS, "key_all"]);

    const response = await from(ADDRESS, "/v1/tasks", { body: "x".repeat(1_048_577) });

    expect(response.status).toBe(429);
  });
});
