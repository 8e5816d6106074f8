import { env } from "cloudflare:workers";
import { vi } from "vitest";

import { faceOf } from "../../src/services-face.ts";
import { tolerance } from "../../src/services-offenders.ts";

/** What a request of these tests may carry. */
export interface Sent {
  method?: string;
  key?: string | null;
  body?: BodyInit;
  headers?: Record<string, string>;
}

/**
 * An isolate of its own with the limits as production has them, whose caller comes from an address of its own.
 *
 * Isolates have nothing in common but the objects: two of these are as far apart as two machines.
 */
export function newIsolate(address: string) {
  const { factorOf } = tolerance;
  tolerance.factorOf = () => 1;
  const face = faceOf({ ...env });
  tolerance.factorOf = factorOf;
  const work: Promise<unknown>[] = [];
  const context = {
    waitUntil: (promise: Promise<unknown>) => void work.push(promise),
    passThroughOnException: () => {},
    props: {},
  };
  const send = async (path: string, sent: Sent) => {
    const { method = sent.body === undefined ? "GET" : "POST", key = null, body } = sent;
    const headers = {
      "CF-Connecting-IP": address,
      ...(key !== null && { Authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...sent.headers,
    };
    const init = { method, headers, ...(body !== undefined && { body }) };
    return await face.fetch(new Request(`https://batuta.test${path}`, init), env, context);
  };
  const call = async (path: string, sent: Sent = {}) => {
    const response = await send(path, sent);
    const text = await response.text();
    // What the answer does not wait for is over before the next request is made.
    await Promise.all(work.splice(0));
    const said: Record<string, unknown> = text === "" ? {} : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: said, code: said["code"] };
  };
  return { call, fetch: (path: string) => send(path, {}) };
}

/** The clock of the whole Worker, its objects included, as a value. */
export function newClock() {
  let now = Date.now();
  const spy = vi.spyOn(Date, "now").mockImplementation(() => now);
  return {
    get now() {
      return now;
    },
    pass: (ms: number) => void (now += ms),
    restore: () => spy.mockRestore(),
  };
}

/** An address that no other test comes from. */
export function newAddress(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(3));
  return `10.${[...bytes].join(".")}`;
}

/** A key of a tenant, which the bootstrap key makes. */
export async function newKey(
  tenant: string,
  scopes: readonly string[],
): Promise<{ key: string; key_id: string }> {
  const { call } = newIsolate(newAddress());
  const { body } = await call("/v1/keys", {
    key: env.BATUTA_ADMIN_KEY,
    body: JSON.stringify({ name: "test", tenant, scopes }),
  });
  return { key: String(body["key"]), key_id: String(body["key_id"]) };
}
