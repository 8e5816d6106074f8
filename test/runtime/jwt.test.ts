import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type JWTPayload,
} from "jose";
import { beforeAll, describe, expect, it } from "vitest";

import { createJwtCheck } from "../../src/access/jwt.ts";
import { JWT_VARIABLES } from "../sealer.ts";
import { T0 } from "../task-news.ts";
import { call } from "./batuta.ts";

/* Tokens of an identity provider: made with jose, verified by the Worker against keys that it fetches. */

const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: jwksUrl } = JWT_VARIABLES;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let own: Pair;
let other: Pair;
let jwks = "";

beforeAll(async () => {
  own = await generateKeyPair("ES256", { extractable: true });
  other = await generateKeyPair("ES256", { extractable: true });
  const key = { ...(await exportJWK(own.publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  jwks = JSON.stringify({ keys: [key] });
  const reply = { status: 200, body: jwks, headers: { "content-type": "application/json" } };
  await fetch("https://receiver.test/script/jwks", {
    method: "PUT",
    body: JSON.stringify([reply]),
  });
});

const CLAIMS = { batuta_tenant: "idp", scope: "openid observe orchestrate" };

interface Making {
  claims?: JWTPayload;
  sub?: string | null;
  iss?: string;
  aud?: string;
  kid?: string;
  key?: Pair["privateKey"];
  /** Unix seconds. */
  exp?: number;
}

async function tokenOf(making: Making = {}): Promise<string> {
  const { claims = CLAIMS, sub = "auth0|joe", iss = issuer, aud = audience, kid = "k1" } = making;
  const jwt = new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer(iss)
    .setAudience(aud)
    .setExpirationTime(making.exp ?? Math.floor(Date.now() / 1_000) + 600);
  if (sub !== null) jwt.setSubject(sub);
  return jwt.sign(making.key ?? own.privateKey);
}

const ask = (token: string, path = "/v1/tasks") =>
  call("GET", path, undefined, { authorization: `Bearer ${token}` });

describe("a JSON Web Token", () => {
  it("stands in for a key in its tenant and with its scopes", async () => {
    const token = await tokenOf();

    const [read, admin] = [await ask(token), await ask(token, "/v1/keys")];
    const submitted = await call(
      "POST",
      "/v1/tasks",
      { task_type: "research", description: "a task by a token" },
      { authorization: `Bearer ${token}` },
    );
    const public_token = await call(
      "POST",
      `/v1/tasks/${String(submitted.body["task_id"])}/tokens`,
      {},
      { authorization: `Bearer ${token}` },
    );

    expect([read.status, admin.status, submitted.status]).toEqual([200, 403, 202]);
    expect((await ask(token, `/v1/tasks/${String(submitted.body["task_id"])}`)).status).toBe(200);
    expect((await call("GET", `/v1/tasks/${String(submitted.body["task_id"])}`)).status).toBe(404);
    expect(public_token).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  it("is refused alike when it is forged, expired, another's, or says too little", async () => {
    const secret = new TextEncoder().encode(await exportSPKI(own.publicKey));
    const times = { iat: 1, exp: 9_999_999_999, iss: issuer, aud: audience, sub: "joe" };
    const confused = new SignJWT({ ...CLAIMS, ...times }).setProtectedHeader({
      alg: "HS256",
      kid: "k1",
    });
    const [head, , mark] = (await tokenOf()).split(".");
    const body = btoa(JSON.stringify({ ...CLAIMS, ...times, scope: "admin" })).replaceAll("=", "");

    const tokens = [
      await tokenOf({ key: other.privateKey }),
      await tokenOf({ iss: "https://evil.example" }),
      await tokenOf({ aud: "another" }),
      await tokenOf({ exp: Math.floor(Date.now() / 1_000) - 60 }),
      await tokenOf({ kid: "unknown" }),
      await tokenOf({ claims: { scope: "observe" } }),
      await tokenOf({ claims: { batuta_tenant: "a/b", scope: "observe" } }),
      await tokenOf({ claims: { batuta_tenant: "idp" } }),
      await tokenOf({ claims: { batuta_tenant: "idp", scope: "openid root" } }),
      await tokenOf({ sub: null }),
      await tokenOf({ sub: "a b" }),
      await confused.sign(secret),
      new UnsecuredJWT({ ...CLAIMS, ...times }).encode(),
      `${new UnsecuredJWT({ ...CLAIMS, ...times }).encode()}AAAA`,
      `${head}.${body}.${mark}`,
      "eyJhbGciOiJub25lIn0.e30.x",
    ];
    const answers = await Promise.all(tokens.map((token) => ask(token)));

    expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 401));
    expect(new Set(answers.map(({ body: problem }) => problem["detail"])).size).toBe(1);
  });
});

describe("the check of JSON Web Tokens", () => {
  function newCheck(answer: () => Promise<Response>) {
    const clock = { now: T0 };
    const fetched: RequestInit[] = [];
    const lines: string[] = [];
    const { principalOf: check } = createJwtCheck({
      issuer,
      audience,
      jwksUrl,
      tenantClaim: "batuta_tenant",
      now: () => clock.now,
      log: (_level, event, fields) => lines.push(`${event} ${JSON.stringify(fields)}`),
      get: (_url, init) => {
        fetched.push(init);
        return answer();
      },
    });
    return { check, clock, fetched, lines };
  }
  const inAMinute = () => Math.floor(T0 / 1_000) + 60;

  it("fetches keys once, follows no redirect, and believes a token within its time", async () => {
    const { check, clock, fetched } = newCheck(async () => new Response(jwks));
    const token = await tokenOf({ exp: inAMinute(), sub: "joe@idp" });
    const known: (string | undefined)[] = [];
    for (const now of [T0, T0 + 1_000, T0 + 89_000, T0 + 90_000]) {
      clock.now = now;
      known.push((await check(token))?.key_id);
    }

    const joe = "jwt:joe@idp";
    expect(known).toEqual([joe, joe, joe, undefined]);
    expect(fetched).toHaveLength(1);
    expect(fetched[0]).toMatchObject({ redirect: "manual" });
  });

  it.each([
    ["is down", async () => Promise.reject(new Error("no route"))],
    ["answers with an error", async () => new Response("", { status: 500 })],
    [
      "sends elsewhere",
      async () => new Response(null, { status: 302, headers: { location: "/" } }),
    ],
    ["answers nonsense", async () => new Response("{}")],
  ])("asks for patience while the issuer %s, and spares it", async (_what, answer) => {
    const { check, fetched, lines } = newCheck(answer);
    const token = await tokenOf({ exp: inAMinute() });

    await expect(check(token)).rejects.toMatchObject({ retryable: true, retry_after: 5 });
    await expect(check(token)).rejects.toMatchObject({ retryable: true });

    expect(fetched).toHaveLength(1);
    expect(lines.join()).toContain("jwks_unavailable");
    expect(lines.join()).not.toContain(token.slice(0, 20));
  });

  it("names its subject by an id that may stand for an agent, and never two by one", async () => {
    const { check } = newCheck(async () => new Response(jwks));
    const idOf = async (sub: string) =>
      (await check(await tokenOf({ exp: inAMinute(), sub })))?.key_id ?? "";

    const odd = await idOf("auth0|joe");

    expect(odd).toMatch(/^jwt:sha256:[A-Za-z0-9]{22}$/);
    expect(await idOf(odd.replace("jwt:", ""))).not.toBe(odd);
    expect(await idOf("joe")).toBe("jwt:joe");
  });

  it("takes scopes as a list too, and says to the operator alone why one was refused", async () => {
    const { check, lines } = newCheck(async () => new Response(jwks));
    const listed = { batuta_tenant: "idp", scopes: ["execute", "root"] };

    const found = await check(await tokenOf({ exp: inAMinute(), claims: listed }));
    const refused = await check(await tokenOf({ exp: inAMinute(), aud: "another" }));

    expect(found).toMatchObject({ tenant: "idp", scopes: ["execute"], isBootstrap: false });
    expect(refused).toBeNull();
    expect(lines).toEqual(['jwt_refused {"reason":"ERR_JWT_CLAIM_VALIDATION_FAILED"}']);
  });
});
