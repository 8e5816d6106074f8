import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { attemptDelivery, KeyRing } from "../../src/delivery/attempt.ts";
import type { EndpointConfig } from "../../src/delivery/endpoint-config.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { endpointConfig } from "../endpoint-config.ts";
import { bodyText, newReceiver } from "./receiver.ts";

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
      facts: FACTS,
      config: config(receiver.url),
      started_at: NOW,
    };

    const report = await attemptDelivery(job, { now: () => NOW, keys: new KeyRing() });

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

describe("the keys of an endpoint", () => {
  it("are made once per secret", async () => {
    const ring = new KeyRing();
    const { secrets } = config("https://hooks.example.com/");

    const [first] = await ring.keysOf(secrets, NOW);
    const [again] = await ring.keysOf(secrets, NOW);

    expect(again).toBe(first);
  });
});
