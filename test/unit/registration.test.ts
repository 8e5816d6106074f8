import { describe, expect, it } from "vitest";

import { endpointConfigSchema } from "../../src/delivery/endpoint-config.ts";
import {
  configOf,
  patched,
  registrationRefusal,
  rotated,
  storedRegistration,
  wantedState,
  webhookView,
  type Webhook,
} from "../../src/delivery/registry/registration.ts";
import { webhookRegistrationSchema, webhookViewSchema } from "../../src/protocol/webhook.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const POLICY = { isLocalAllowed: false };
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

function registration(fields: Record<string, unknown> = {}) {
  const request = webhookRegistrationSchema.parse({ url: "https://hooks.example.com/", ...fields });
  return storedRegistration(request);
}

const WEBHOOK: Webhook = {
  tenant: "default",
  webhook_id: "wh_0123456789ABCDEFGHIJkl",
  registration: registration({ headers: { "x-key": "1" }, secret: SECRET }),
  secrets: [{ secret: SECRET, expires_at: null }],
  state: "active",
  level: 0,
  isVerified: true,
  routing: [],
  version: 3,
  created_at: "2026-11-22T10:00:00.000Z",
};

describe("a registration", () => {
  it("is taken when all of it is honoured", () => {
    const full = registration({
      events: ["all"],
      filters: { tags: ["a"], priorities: ["high"], match: { "data.x": { $gt: 1 } } },
      ordering: "endpoint",
      retry_policy: { base: 1, multiplier: 2, cap: 60, max_retries: 3 },
      final_statuses: [404],
      headers: { authorization: "Bearer x" },
      compression: "gzip",
    });

    expect(registrationRefusal(full, POLICY)).toBeNull();
  });

  it.each([
    [{ url: "http://hooks.example.com/" }, "/url"],
    [{ headers: { Host: "x" } }, "/headers/Host"],
    [{ headers: { "webhook-id": "x" } }, "/headers/webhook-id"],
    [{ headers: { "X-Key": "1", "x-key": "2" } }, "/headers/x-key"],
  ])("is refused as an endpoint: %j", (fields, pointer) => {
    expect(registrationRefusal(registration(fields), POLICY)).toMatchObject({
      code: "endpoint_refused",
      errors: [{ pointer }],
    });
  });

  it.each([
    [{ shards: 4, ordering: "endpoint" }, "/shards"],
    [{ shards: 4, rate_limit: { rate: 3 } }, "/rate_limit/rate"],
    [{ events: ["all", "performance_metric"] }, "/events/1"],
  ])("is refused as not supported: %j", (fields, pointer) => {
    expect(registrationRefusal(registration(fields), POLICY)).toMatchObject({
      code: "not_supported",
      errors: [{ pointer }],
    });
  });

  it("is refused with all its faults at once", () => {
    const refusal = registrationRefusal(
      registration({ url: "https://127.0.0.1/", headers: { te: "x", via: "y" } }),
      POLICY,
    );

    expect(refusal?.errors?.map(({ pointer }) => pointer)).toEqual([
      "/url",
      "/headers/te",
      "/headers/via",
    ]);
  });

  it("is kept without its secret", () => {
    expect(JSON.stringify(WEBHOOK.registration)).not.toContain("whsec_");
  });

  it("changes where a patch says so, and nowhere else", () => {
    const after = patched(WEBHOOK.registration, { timeout: 3, active: false });

    expect(after).toEqual({ ...WEBHOOK.registration, timeout: 3 });
  });

  it.each([
    ["active", undefined, "active"],
    ["disabled", undefined, "disabled"],
    ["active", false, "paused"],
    ["paused", true, "active"],
    ["disabled", true, "active"],
  ] as const)("in state %s with active %s becomes %s", (before, active, after) => {
    expect(wantedState(before, active)).toBe(after);
  });
});

describe("a webhook", () => {
  it("looks as the contract says, without its secret", () => {
    const view = webhookView(WEBHOOK);

    expect(webhookViewSchema.parse(view)).toEqual(view);
    expect(JSON.stringify(view)).not.toContain("whsec_");
  });

  it("shows a secret only where one was minted", () => {
    expect(webhookView(WEBHOOK, SECRET).secret).toBe(SECRET);
  });

  it.each([
    ["active", true, 0],
    ["paused", false, 0],
    ["disabled", false, 4],
  ] as const)("that is %s has active %s and level %i", (state, active, level) => {
    expect(webhookView({ ...WEBHOOK, state })).toMatchObject({ state, active, level });
  });

  it("gives its object a configuration that holds", () => {
    const config = configOf(WEBHOOK);

    expect(endpointConfigSchema.parse(config)).toEqual(config);
    expect(config).toMatchObject({ version: 3, headers: { "x-key": "1" } });
  });
});

describe("rotation of a secret", () => {
  const old = { secret: "old", expires_at: null };

  it("lets the old one sign beside the new one until the overlap ends", () => {
    expect(rotated([old], "new", { overlapSeconds: 60, now: NOW })).toEqual([
      { secret: "new", expires_at: null },
      { secret: "old", expires_at: "2026-11-22T10:01:00.000Z" },
    ]);
  });

  it("drops the old one at once without an overlap", () => {
    expect(rotated([old], "new", { overlapSeconds: 0, now: NOW })).toHaveLength(1);
  });

  it("keeps three at most, the newest", () => {
    let secrets = [old];
    for (const name of ["b", "c", "d"]) {
      secrets = rotated(secrets, name, { overlapSeconds: 60, now: NOW }) as typeof secrets;
    }

    expect(secrets.map(({ secret }) => secret)).toEqual(["d", "c", "b"]);
  });

  it("never gives an old one more time than it had", () => {
    const ending = { secret: "a", expires_at: "2026-11-22T10:00:05.000Z" };

    const [, second, third] = rotated([old, ending], "new", { overlapSeconds: 60, now: NOW });

    expect([second?.expires_at, third?.expires_at]).toEqual([
      "2026-11-22T10:01:00.000Z",
      "2026-11-22T10:00:05.000Z",
    ]);
  });
});
