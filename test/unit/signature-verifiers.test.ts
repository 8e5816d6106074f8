import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, it } from "vitest";

import { newSecret, signatureHeader, signingKey } from "../../src/delivery/signature.ts";

/* What receivers do with our signatures, by two libraries that others wrote (facts/webhooks.md §2). */

const SECRET = newSecret();
const ID = "msg_wh0123456789ABCDEFGHIJkl_4_t-1";
const BODY = '{"type":"task_started","data":{"name":"größe ✓"}}';

interface Sent {
  secret: string;
  body: string;
  headers: Record<string, string>;
}

/** A request as it leaves, `offsetSeconds` from now. */
async function sent(
  more: { body?: string; offsetSeconds?: number; secrets?: string[] } = {},
): Promise<Sent> {
  const { body = BODY, offsetSeconds = 0, secrets = [SECRET] } = more;
  const timestamp = Math.floor(Date.now() / 1_000) + offsetSeconds;
  const keys = await Promise.all(secrets.map(signingKey));
  const bytes = new TextEncoder().encode(body);
  const signature = await signatureHeader(keys, { id: ID, timestamp, body: bytes });
  return {
    secret: SECRET,
    body,
    headers: {
      "webhook-id": ID,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signature,
    },
  };
}

/** The same request with other headers; undefined takes one away. */
function withHeaders(request: Sent, headers: Record<string, string | undefined>): Sent {
  const all = Object.entries({ ...request.headers, ...headers });
  return {
    ...request,
    headers: Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Sent["headers"],
  };
}

const signatureOf = (request: Sent): string => request.headers["webhook-signature"] ?? "";

const VERIFIERS = [
  [
    "standardwebhooks",
    ({ secret, body, headers }: Sent) => new StandardWebhook(secret).verify(body, headers),
  ],
  ["svix", ({ secret, body, headers }: Sent) => new SvixWebhook(secret).verify(body, headers)],
] as const;

describe.each(VERIFIERS)("%s", (_name, verify) => {
  it.each<[string, () => Promise<Sent>]>([
    ["a request of now", () => sent()],
    ["a request 299 s old", () => sent({ offsetSeconds: -299 })],
    ["a request 299 s ahead", () => sent({ offsetSeconds: 299 })],
    ["a secret without its prefix", async () => ({ ...(await sent()), secret: SECRET.slice(6) })],
    ["the right one of two signatures, first", () => sent({ secrets: [SECRET, newSecret()] })],
    [
      "the right one of three signatures, last",
      () => sent({ secrets: [newSecret(), newSecret(), SECRET] }),
    ],
    [
      "a good signature behind bogus ones",
      async () => {
        const request = await sent();
        const list = `v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Z28= ${signatureOf(request)}`;
        return withHeaders(request, { "webhook-signature": list });
      },
    ],
  ])("accepts %s", async (_what, make) => {
    const request = await make();

    expect(verify(request)).toEqual(JSON.parse(BODY));
  });

  it.each<[string, () => Promise<Sent>]>([
    ["one changed byte", async () => ({ ...(await sent()), body: BODY.replace("ö", "o") })],
    ["white space more", async () => ({ ...(await sent()), body: `${BODY} ` })],
    ["another secret", async () => ({ ...(await sent()), secret: newSecret() })],
    ["a request 301 s old", () => sent({ offsetSeconds: -301 })],
    // A second more, because the second may change between signing and verifying.
    ["a request 302 s ahead", () => sent({ offsetSeconds: 302 })],
    ["another id", async () => withHeaders(await sent(), { "webhook-id": "msg_other" })],
    [
      "another timestamp",
      async () => {
        const request = await sent({ offsetSeconds: -10 });
        const now = String(Math.floor(Date.now() / 1_000));
        return withHeaders(request, { "webhook-timestamp": now });
      },
    ],
    ["a timestamp in words", async () => withHeaders(await sent(), { "webhook-timestamp": "now" })],
    ["no id", async () => withHeaders(await sent(), { "webhook-id": undefined })],
    ["no timestamp", async () => withHeaders(await sent(), { "webhook-timestamp": undefined })],
    ["no signature", async () => withHeaders(await sent(), { "webhook-signature": undefined })],
    [
      "a signature of another version",
      async () => {
        const request = await sent();
        const signature = signatureOf(request).replace("v1,", "v2,");
        return withHeaders(request, { "webhook-signature": signature });
      },
    ],
    [
      "a signature without its version",
      async () => {
        const request = await sent();
        const signature = signatureOf(request).replace("v1,", "");
        return withHeaders(request, { "webhook-signature": signature });
      },
    ],
    ["an empty body in its place", async () => ({ ...(await sent()), body: "" })],
  ])("refuses %s", async (_what, make) => {
    const request = await make();

    expect(() => verify(request)).toThrow(Error);
  });

  it("has no secret that is empty", async () => {
    const request = { ...(await sent()), secret: "" };

    expect(() => verify(request)).toThrow(Error);
  });
});

describe("an empty body", () => {
  it("is signed so that both recognise it", async () => {
    const request = await sent({ body: "" });
    const timestamp = Number(request.headers["webhook-timestamp"]);

    const made = [StandardWebhook, SvixWebhook].map((Verifier) =>
      new Verifier(SECRET).sign(ID, new Date(timestamp * 1_000), ""),
    );

    expect(made).toEqual([signatureOf(request), signatureOf(request)]);
  });
});
