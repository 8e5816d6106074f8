import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { attemptDelivery, KeyRing } from "../../src/delivery/attempt.ts";
import type { EndpointConfig } from "../../src/delivery/endpoint-config.ts";
import type { DeliveryRow } from "../../src/delivery/endpoint/delivery-row.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { endpointConfig } from "../endpoint-config.ts";
import { sealer } from "../sealer.ts";
import { bodyText, newReceiver } from "./receiver.ts";

const NOW = Date.now();
const [LIVE, OLD, EXPIRED] = [newSecret(), newSecret(), newSecret()];

const ROW: DeliveryRow = {
  source: "t-1",
  seq: 4,
  position: NOW * 1_000,
  type: "task_started",
  priority: 1,
  state: "open",
  attempts: 2,
  tries: 2,
  due: NOW,
  replay_at: null,
  prev_seq: null,
  correlation_id: "",
  delivered_at: null,
  last_attempt: null,
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
    const job = { row: ROW, body: '{"a":"ö"}', config: config(receiver.url), isManual: false };

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
    expect(report).toMatchObject({ status_code: 200, started_at: NOW, isManual: false });
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
