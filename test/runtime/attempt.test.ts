import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { attemptDelivery, KeyRing } from "../../src/delivery/attempt.ts";
import type { EndpointConfig } from "../../src/delivery/endpoint-config.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { endpointConfig } from "../endpoint-config.ts";
import type { ReceivedRequest } from "../received.ts";
import { sealer } from "../sealer.ts";
import { bodyBytes, bodyText, gunzippedText, newReceiver } from "./receiver.ts";

const NOW = Date.now();
const [LIVE, OLD, EXPIRED] = [newSecret(), newSecret(), newSecret()];

const FACTS = {
  task_id: "t-1",
  type: "task_started",
  attempt: 3,
  correlation_id: "",
  batch_size: null,
};

function config(url: string): EndpointConfig {
  return endpointConfig({
    url,
    secrets: [
      { secret: LIVE, expires_at: null },
      { secret: OLD, expires_at: new Date(NOW + 1_000).toISOString() },
      { secret: EXPIRED, expires_at: new Date(NOW).toISOString() },
    ],
    headers: { authorization: "Basic eA==" },
    timeout: 5,
  });
}

describe("one attempt", () => {
  it("sends the stored bytes, which each live secret verifies and an expired one does not", async () => {
    const receiver = newReceiver();
    const job = {
      message_id: "msg_wh0123456789ABCDEFGHIJkl_4_t-1",
      body: '{"a":"ö"}',
      delivery_id: "dlv_wh0123456789ABCDEFGHIJkl_4_t-1",
      facts: FACTS,
      config: config(receiver.url),
      started_at: NOW,
    };

    const report = await attemptDelivery(job, { now: () => NOW, keys: new KeyRing(sealer) });

    const [request] = await receiver.log();
    if (request === undefined) throw new Error("nothing arrived");
    const verify = (secret: string) => () =>
      new Webhook(secret).verify(bodyText(request), request.headers);
    expect(bodyText(request)).toBe('{"a":"ö"}');
    expect(verify(LIVE)).not.toThrow();
    expect(verify(OLD)).not.toThrow();
    expect(verify(EXPIRED)).toThrow(Error);
    expect(request.headers).toMatchObject({
      "webhook-id": "msg_wh0123456789ABCDEFGHIJkl_4_t-1",
      "x-attempt": "3",
      authorization: "Basic eA==",
    });
    expect(report).toMatchObject({ status_code: 200, started_at: NOW, ended_at: NOW });
  });
});

/**
 * Whether a signature of the request is the HMAC of its raw bytes, by the text of Standard Webhooks: its JavaScript
 * library takes bodies for text, which gzip is not.
 */
async function isSigned(request: ReceivedRequest, secret: string): Promise<boolean> {
  const { headers } = request;
  const raw = Uint8Array.from(atob(secret.slice(6)), (character) => character.codePointAt(0) ?? 0);
  const hash = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", raw, hash, false, ["verify"]);
  const head = new TextEncoder().encode(
    `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`,
  );
  const signed = new Uint8Array([...head, ...bodyBytes(request)]);
  const verdicts = (headers["webhook-signature"] ?? "").split(" ").map((signature) => {
    const bytes = Uint8Array.from(atob(signature.slice(3)), (char) => char.codePointAt(0) ?? 0);
    return crypto.subtle.verify("HMAC", key, bytes, signed);
  });
  return (await Promise.all(verdicts)).includes(true);
}

describe("an attempt of an endpoint that wants gzip", () => {
  const sent = async (body: string, attempts = 1) => {
    const receiver = newReceiver();
    const wanted = { ...config(receiver.url), compression: "gzip" as const };
    const ports = { now: () => NOW, keys: new KeyRing(sealer) };
    for (let tries = 0; tries < attempts; tries += 1) {
      const facts = { ...FACTS, attempt: tries + 1 };
      const job = {
        message_id: "msg_1",
        delivery_id: "dlv_1",
        body,
        facts,
        config: wanted,
        started_at: NOW,
      };
      await attemptDelivery(job, ports);
    }
    return receiver.log();
  };
  const bodyOf = (bytes: number) => JSON.stringify("é".repeat((bytes - 2) / 2));

  it("sends a large body compressed, and signs the bytes that are sent", async () => {
    const body = bodyOf(4_096);

    const [request] = await sent(body);

    if (request === undefined) throw new Error("nothing arrived");
    expect(request.headers).toMatchObject({
      "content-encoding": "gzip",
      "content-type": "application/json",
    });
    expect(bodyBytes(request).length).toBeLessThan(1_024);
    expect(await gunzippedText(request)).toBe(body);
    expect([await isSigned(request, LIVE), await isSigned(request, EXPIRED)]).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    [1_024, undefined],
    [1_026, "gzip"],
  ])("sends a body of %i bytes as %s", async (bytes, encoding) => {
    const [request] = await sent(bodyOf(bytes));

    expect(request?.headers["content-encoding"]).toBe(encoding);
    expect(request && (await isSigned(request, LIVE))).toBe(true);
  });

  it("sends the same bytes in every attempt", async () => {
    const [first, second] = await sent(bodyOf(40_000), 2);

    expect(first?.headers["x-attempt"]).toBe("1");
    expect(second?.headers["x-attempt"]).toBe("2");
    expect(second?.body_base64).toBe(first?.body_base64);
  });
});

describe("the keys of an endpoint", () => {
  it("are made once per secret", async () => {
    const ring = new KeyRing(sealer);
    const endpoint = config("https://hooks.example.com/");

    const [first] = await ring.keysOf(endpoint, NOW);
    const [again] = await ring.keysOf(endpoint, NOW);

    expect(again).toBe(first);
  });
});
