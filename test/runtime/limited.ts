import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { limitsName } from "../../src/access/limit-door.ts";
import type { LimitsView } from "../../src/protocol/limits.ts";
import { faceOf } from "../../src/services-face.ts";
import { limiting, limitsOf } from "../../src/services-limits.ts";
import { ChannelClient } from "./agent-channel.ts";
import { call as callUnlimited } from "./batuta.ts";

/* An isolate of the real Worker with the limits that everybody has, and a clock that a test sets. */

/** @param bindings in place of the real ones */
export function limitedIsolate(bindings: Partial<Env> = {}) {
  const world: Env = { ...env, ...bindings };
  const { scaleOf } = limiting;
  limiting.scaleOf = () => 1;
  const face = faceOf(world);
  limiting.scaleOf = scaleOf;

  const send = async (
    method: string,
    path: string,
    sent: { key?: string; body?: unknown } = {},
  ) => {
    const { key = env.BATUTA_ADMIN_KEY, body } = sent;
    const request = new Request(`https://batuta.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        "cf-connecting-ip": "203.0.113.7",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = await face.fetch(request, world, createExecutionContext());
    const text = await response.text();
    const parsed: Record<string, unknown> = text === "" ? {} : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: parsed };
  };
  return {
    send,
    /** Sends the same request until it is refused for its number; how many were not. */
    drain: async (method: string, path: string, key: string): Promise<number> => {
      for (let passed = 0; passed < 2_000; passed += 1) {
        // One after the other, as one caller would.
        // oxlint-disable-next-line no-await-in-loop
        if ((await send(method, path, { key })).status === 429) return passed;
      }
      return Infinity;
    },
    limits: async (key: string) =>
      (await send("GET", "/v1/limits", { key })).body as unknown as LimitsView,
    connect: async (agent_id: string, key: string) => {
      const request = new Request(`https://batuta.test/v1/agents/${agent_id}/connect`, {
        headers: { upgrade: "websocket", authorization: `Bearer ${key}` },
      });
      const response = await face.fetch(request, world, createExecutionContext());
      if (response.webSocket === null) throw new Error("no WebSocket");
      return new ChannelClient(response.webSocket);
    },
    /** Moves the clock of this isolate. */
    setClock: (now: () => number): void => {
      limitsOf(world).now = now;
    },
  };
}

/** The object that keeps the limits of a tenant. */
export function limitsObject(tenant: string) {
  return env.LIMITS.getByName(limitsName(tenant));
}

/** Moves the clock of a tenant's object. */
export async function setObjectClock(tenant: string, now: () => number): Promise<void> {
  await runInDurableObject(limitsObject(tenant), (instance) => {
    instance.now = now;
  });
}

/** A key in a tenant. */
export async function keyIn(tenant: string): Promise<{ key: string; key_id: string }> {
  const { body } = await callUnlimited<{ key: string; key_id: string }>("POST", "/v1/keys", {
    name: "limited",
    tenant,
    scopes: ["orchestrate", "execute", "observe", "admin"],
  });
  return body;
}
