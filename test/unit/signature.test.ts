import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { isSigned, newSecret, signatureHeader, signingKey } from "../../src/delivery/signature.ts";
import { webhookSecretSchema } from "../../src/protocol/webhook.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1_614_265_330,
  body: new TextEncoder().encode('{"test": 2432232314}'),
};

function headers(signature: string, timestamp: number) {
  return {
    "webhook-id": MESSAGE.id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signature,
  };
}

/** A signature of now: the reference verifier accepts 300 s to either side of its own clock. */
async function signNow(secret: string, offsetSeconds = 0) {
  const timestamp = Math.floor(Date.now() / 1_000) + offsetSeconds;
  const signature = await signatureHeader([await signingKey(secret)], { ...MESSAGE, timestamp });
  return headers(signature, timestamp);
}

describe("signatures", () => {
  it("gives the known answer of Standard Webhooks", async () => {
    const signature = await signatureHeader([await signingKey(SECRET)], MESSAGE);

    expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("takes a secret without its prefix", async () => {
    const signature = await signatureHeader([await signingKey(SECRET.slice(6))], MESSAGE);

    expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("signs an empty body and one with characters of several bytes", async () => {
    for (const text of ["", '{"name":"größe ✓ 🚀"}']) {
      const secret = newSecret();
      const timestamp = Math.floor(Date.now() / 1_000);
      const body = new TextEncoder().encode(text);

      const signature = await signatureHeader([await signingKey(secret)], {
        ...MESSAGE,
        timestamp,
        body,
      });

      const verify = () =>
        new Webhook(secret).verify(text, headers(signature, timestamp), { jsonParse: false });
      expect(verify).not.toThrow();
    }
  });

  it("is accepted by the reference verifier, with a secret made here", async () => {
    const secret = newSecret();

    const signed = await signNow(secret);

    expect(new Webhook(secret).verify('{"test": 2432232314}', signed)).toEqual({
      test: 2_432_232_314,
    });
  });

  it("is accepted with either secret while both sign", async () => {
    const [older, newer] = [newSecret(), newSecret()];
    const timestamp = Math.floor(Date.now() / 1_000);

    const signature = await signatureHeader([await signingKey(newer), await signingKey(older)], {
      ...MESSAGE,
      timestamp,
    });

    for (const secret of [older, newer]) {
      const verify = () =>
        new Webhook(secret).verify('{"test": 2432232314}', headers(signature, timestamp));
      expect(verify).not.toThrow();
    }
  });

  it("is refused by the reference verifier when one byte of the body changed", async () => {
    const signed = await signNow(SECRET);

    const verify = () => new Webhook(SECRET).verify('{"test": 2432232315}', signed);

    expect(verify).toThrow(WebhookVerificationError);
  });

  it("is refused by the reference verifier under another id", async () => {
    const signed = { ...(await signNow(SECRET)), "webhook-id": "msg_other" };

    const verify = () => new Webhook(SECRET).verify('{"test": 2432232314}', signed);

    expect(verify).toThrow(WebhookVerificationError);
  });

  it.each([-301, 302])("is refused by the reference verifier %i s from now", async (offset) => {
    const signed = await signNow(SECRET, offset);

    const verify = () => new Webhook(SECRET).verify('{"test": 2432232314}', signed);

    expect(verify).toThrow(WebhookVerificationError);
  });

  it("refuses an empty secret", async () => {
    await expect(signingKey("whsec_")).rejects.toBeInstanceOf(Error);
  });

  it("makes secrets that the contract takes, each another", () => {
    const secrets = Array.from({ length: 50 }, () => newSecret());

    for (const secret of secrets) expect(webhookSecretSchema.safeParse(secret).success).toBe(true);
    expect(new Set(secrets).size).toBe(50);
  });
});

describe("verifying", () => {
  const signedBy = async (...secrets: string[]) =>
    signatureHeader(await Promise.all(secrets.map(signingKey)), MESSAGE);
  const verify = async (header: string, secrets = [SECRET], message = MESSAGE) =>
    isSigned(await Promise.all(secrets.map(signingKey)), message, header);

  it("takes what the reference library signed", async () => {
    const at = new Date(MESSAGE.timestamp * 1_000);

    const header = new Webhook(SECRET).sign(MESSAGE.id, at, '{"test": 2432232314}');

    expect(await verify(header)).toBe(true);
  });

  it("takes one good signature among others, and any of the secrets that are valid", async () => {
    const [older, newer] = [newSecret(), newSecret()];

    expect(await verify(await signedBy(older, newer), [newer])).toBe(true);
    expect(await verify(await signedBy(older), [newer, older])).toBe(true);
    expect(await verify(`v2,AAAA ${await signedBy(SECRET)}`)).toBe(true);
  });

  it.each<[string, (good: string) => string]>([
    ["nothing", () => ""],
    ["no base64", () => "v1,????"],
    ["another version", (good) => good.replace("v1,", "v2,")],
    ["a part", (good) => good.slice(0, -2)],
    ["more than it looks at", (good) => `${"v1,AAAA ".repeat(8)}${good}`],
  ])("takes no header with %s", async (_what, spoil) => {
    expect(await verify(spoil(await signedBy(SECRET)))).toBe(false);
  });

  it.each([
    ["id", { ...MESSAGE, id: "msg_2" }],
    ["time", { ...MESSAGE, timestamp: MESSAGE.timestamp + 1 }],
    ["body", { ...MESSAGE, body: new TextEncoder().encode("{}") }],
  ])("takes no signature of another %s", async (_what, message) => {
    expect(await verify(await signedBy(SECRET), [SECRET], message)).toBe(false);
  });

  it("takes no signature of another secret, nor any without a secret", async () => {
    expect(await verify(await signedBy(newSecret()))).toBe(false);
    expect(await verify(await signedBy(SECRET), [])).toBe(false);
  });
});
