import { describe, expect, it } from "vitest";

import { isSigned, newSecret, signatureHeader, signingKey } from "../../src/delivery/signature.ts";
import { ok } from "../../src/lib/result.ts";
import { createFakeApp } from "./rest-fakes.ts";

/* Messages that are signed in place of sending a key: what passes, and what all else is answered. */

const SECRET = newSecret();
const AT = new Date(1_000).toISOString();
const NOTIFICATION = {
  notification_id: "n1",
  notification_type: "task_progress",
  task_id: "t1",
  agent_id: "ann",
  timestamp: AT,
  data: { progress_percentage: 10, current_step: "reading" },
};

interface Signing {
  path?: string;
  body?: unknown;
  secret?: string;
  /** Unix seconds; the fakes' clock stands at one. */
  timestamp?: number;
  headers?: Record<string, string | undefined>;
  /** What is sent in place of what was signed. */
  sent?: string;
}

async function sendSigned(signing: Signing = {}) {
  const { path = "/v1/notifications", timestamp = 1, headers = {} } = signing;
  const text = JSON.stringify(signing.body ?? NOTIFICATION);
  const calls: unknown[][] = [];
  const { app } = createFakeApp({
    agents: {
      signer: async (tenant, agent_id, message) => {
        calls.push(["signer", tenant, agent_id]);
        const keys = [await signingKey(SECRET)];
        const isGenuine = agent_id === "ann" && (await isSigned(keys, message, message.signature));
        return isGenuine ? { key_id: "k1", tenant, scopes: ["execute"], isBootstrap: false } : null;
      },
    },
    tasks: {
      notify: async (by, lease) => {
        calls.push(["notify", by.tenant, lease]);
        return ok({ receipt: { seq: 1, event_id: "e1" }, isNew: true, ended_attempt: null });
      },
      heartbeat: async (by) => {
        calls.push(["heartbeat", by.tenant]);
        return ok({ lease: { token: "t", attempt: 1, expires_at: AT }, commands: [] });
      },
    },
  });
  const body = new TextEncoder().encode(text);
  const key = await signingKey(signing.secret ?? SECRET);
  const all: Record<string, string | undefined> = {
    "content-type": "application/json",
    "webhook-id": "m1",
    "webhook-timestamp": String(timestamp),
    "webhook-signature": await signatureHeader([key], { id: "m1", timestamp, body }),
    "lease-token": "tok-1",
    ...headers,
  };
  const kept = Object.entries(all).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  const response = await app.request(path, {
    method: "POST",
    headers: Object.fromEntries(kept),
    body: signing.sent ?? text,
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, answer, calls };
}

describe("a signed message", () => {
  it("passes without a key, in the tenant default or the one that it names", async () => {
    const plain = await sendSigned();
    const named = await sendSigned({ headers: { "batuta-tenant": "acme" } });

    expect([plain.status, named.status]).toEqual([202, 202]);
    expect(plain.calls).toEqual([
      ["signer", "default", "ann"],
      ["notify", "default", "tok-1"],
    ]);
    expect(named.calls[1]).toEqual(["notify", "acme", "tok-1"]);
  });

  it("names its agent in a header where the message does not", async () => {
    const path = "/v1/tasks/t1/heartbeat";

    const named = await sendSigned({ path, body: {}, headers: { "batuta-agent": "ann" } });
    const unnamed = await sendSigned({ path, body: {} });

    expect([named.status, unnamed.status]).toEqual([200, 401]);
    expect(named.calls).toEqual([
      ["signer", "default", "ann"],
      ["heartbeat", "default"],
    ]);
  });

  it.each<[string, Signing]>([
    ["with another secret", { secret: newSecret() }],
    ["with another body", { sent: JSON.stringify({ ...NOTIFICATION, notification_id: "n2" }) }],
    ["by an unknown agent", { body: { ...NOTIFICATION, agent_id: "nobody" } }],
    ["without a signature", { headers: { "webhook-signature": undefined } }],
    ["without an id", { headers: { "webhook-id": undefined } }],
    ["without a time", { headers: { "webhook-timestamp": undefined } }],
    ["of another version", { headers: { "webhook-signature": "v2,AAAA" } }],
    ["more than 300 s from now", { timestamp: 302 }],
    ["in no possible tenant", { headers: { "batuta-tenant": "no tenant" } }],
    ["of two agents", { headers: { "batuta-agent": "bob" } }],
    ["that is no JSON", { sent: "{" }],
  ])("is answered with one and the same 401 when it is made %s", async (_what, signing) => {
    const { status, answer, calls } = await sendSigned(signing);

    expect(status).toBe(401);
    expect(answer).toMatchObject({ code: "unauthenticated" });
    expect(answer["detail"]).toBe((await sendSigned({ secret: newSecret() })).answer["detail"]);
    expect(calls.filter(([name]) => name === "notify")).toEqual([]);
  });

  it("is judged by its key alone when it has one", async () => {
    const { status, calls } = await sendSigned({ headers: { authorization: "Bearer wrong" } });

    expect(status).toBe(401);
    expect(calls).toEqual([]);
  });

  it("opens no other route", async () => {
    const { status, calls } = await sendSigned({ path: "/v1/agents/ann/claim", body: {} });

    expect(status).toBe(401);
    expect(calls).toEqual([]);
  });
});
