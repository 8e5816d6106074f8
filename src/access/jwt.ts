import type { JWSHeaderParameters, JWTPayload } from "jose";
import { createRemoteJWKSet, customFetch } from "jose/jwks/remote";
import { jwtVerify, type JWTVerifyGetKey } from "jose/jwt/verify";
import * as z from "zod";

import { CircuitBreaker, type BreakerLimits } from "../lib/circuit-breaker.ts";
import type { Log } from "../lib/log.ts";
import { derivedId, sha256Hex, type Clock } from "../lib/ports.ts";
import { tenantIdSchema, type Principal } from "../protocol/access.ts";
import { scopeSchema } from "../protocol/enums.ts";
import { Recent } from "./recent.ts";

/** Whose tokens are taken. */
interface JwtIssuer {
  issuer: string;
  audience: string;
  /** Where the issuer publishes its keys (RFC 7517). */
  jwksUrl: string;
  /** The claim that names the tenant. */
  tenantClaim: string;
}

/** What recognising tokens of another issuer needs. */
export interface JwtParts extends JwtIssuer {
  now: Clock;
  log: Log;
  /** Gets the issuer's keys. A redirect is not followed: it is an answer, and the wrong one. */
  get: (url: string, init: RequestInit) => Promise<Response>;
}

/** Signatures with a pair of keys: what the issuer publishes must not be enough to sign with (RFC 8725 §3.1). */
const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");

/** How far the issuer's clock may be from ours. Seconds. */
const TOLERANCE_S = 30;

/** How long a verified token is believed without verifying it again, within its own time. */
const TRUSTED_MS = 60_000;

const MAX_REMEMBERED = 1_000;

/** One answer in time is enough; without any, requests are told at once for some seconds instead of waiting each. */
const JWKS_LIMITS: BreakerLimits = {
  failures: 1,
  slow_ms: 5_000,
  pause_ms: 5_000,
  longest_pause_ms: 30_000,
};

/** The keys are fetched again after ten minutes, and for a new key's sake after half a minute (jose's own defaults). */
const JWKS_TIMES = { timeoutDuration: 4_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 };

/** What jose calls the faults of a token, where it looks for the token's key; all else is of the issuer's address. */
const FAULTS_OF_TOKENS = new Set([
  "ERR_JWKS_NO_MATCHING_KEY",
  "ERR_JWKS_MULTIPLE_MATCHING_KEYS",
  "ERR_JOSE_NOT_SUPPORTED",
]);

const TOKEN_FORM = /^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Whether a text has the form of a signed JSON Web Token. */
export function isJwtForm(text: string): boolean {
  return TOKEN_FORM.test(text);
}

const claimsSchema = z.object({
  sub: z.string().regex(/^[\x21-\x7e]{1,500}$/),
  exp: z.number(),
  scope: z.string().max(2_000).optional(),
  scopes: z.array(z.string()).max(100).optional(),
});

/** Subjects that may stand in an id of ours as they are; any other one is there by its hash. */
const PLAIN_SUBJECT = /^(?!sha256:)[A-Za-z0-9_.:@-]{1,90}$/;

/** Under which id a subject acts: one that is a valid agent_id, because whoever submits a task is named by it. */
async function keyIdOf(sub: string): Promise<string> {
  return PLAIN_SUBJECT.test(sub) ? `jwt:${sub}` : `jwt:sha256:${await derivedId(sub)}`;
}

/** Who a verified token speaks for: null when it names no tenant, nobody, or none of our scopes. */
async function principalOf(payload: JWTPayload, tenantClaim: string): Promise<Principal | null> {
  const claims = claimsSchema.safeParse(payload);
  const tenant = tenantIdSchema.safeParse(payload[tenantClaim]);
  if (!claims.success || !tenant.success) return null;
  const { sub, scope = "", scopes: listed = [] } = claims.data;
  const asked = [...scope.split(" "), ...listed];
  const scopes = scopeSchema.options.filter((one) => asked.includes(one));
  if (scopes.length === 0) return null;
  return { key_id: await keyIdOf(sub), tenant: tenant.data, scopes, isBootstrap: false };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The keys of the issuer, behind a breaker: @throws an error with `retryable` and `retry_after` while there are none. */
function keysOf({ jwksUrl, get, now, log }: JwtParts): JWTVerifyGetKey {
  const published = createRemoteJWKSet(new URL(jwksUrl), { ...JWKS_TIMES, [customFetch]: get });
  const isOutage = (error: unknown): boolean => !FAULTS_OF_TOKENS.has(codeOf(error));
  const breaker = new CircuitBreaker(JWKS_LIMITS, now, isOutage);
  const isAtHand = ({ kid, alg }: JWSHeaderParameters): boolean =>
    published.fresh &&
    published.jwks()?.keys.some((key) => key.kid === kid && key.alg === alg) === true;
  return async (header, token) => {
    // What is at hand needs no issuer, whatever strangers' tokens have made of the breaker.
    if (header?.kid !== undefined && isAtHand(header)) return published(header, token);
    const found = await breaker.run(() => published(header, token));
    if (found.ok) return found.value;
    const { cause, retry_after_ms } = found.refusal;
    if (cause !== null) {
      const error = cause instanceof Error ? cause.message : "not an error";
      log("error", "jwks_unavailable", { error });
    }
    throw Object.assign(new Error("The keys of the token's issuer cannot be had", { cause }), {
      retryable: true,
      retry_after: Math.max(1, Math.ceil(retry_after_ms / 1_000)),
    });
  };
}

/**
 * Recognises tokens of one issuer (RFC 7519): who holds it, or null when it is forged, expired, meant for others, or
 * names no tenant, nobody or no scope.
 *
 * A verified token is remembered by its hash for a minute, so a busy caller costs one signature check in that time.
 *
 * @throws while the issuer's keys cannot be had an error that asks for patience: nobody is refused for that
 */
export function createJwtCheck(parts: JwtParts): {
  principalOf: (token: string) => Promise<Principal | null>;
  /** Who holds a token that was verified within the minute, by memory alone; null when nobody knows. */
  remembered: (token: string) => Promise<Principal | null>;
} {
  const { issuer, audience, tenantClaim, now, log } = parts;
  const keys = keysOf(parts);
  const verified = new Recent<{ principal: Principal; until: number }>({
    maxEntries: MAX_REMEMBERED,
    ttl_ms: TRUSTED_MS,
  });

  const verify = async (token: string) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(now()),
        requiredClaims: ["exp", "sub"],
      });
      return payload;
    } catch (error) {
      if (error instanceof Error && "retryable" in error) throw error;
      // What is wrong with it is for the operator to know, not for whoever sent it.
      log("info", "jwt_refused", { reason: codeOf(error) || "unreadable" });
      return null;
    }
  };

  return {
    async principalOf(token) {
      const hash = await sha256Hex(token);
      const known = verified.get(hash, now());
      if (known !== undefined) return now() < known.until ? known.principal : null;
      const payload = await verify(token);
      if (payload === null) return null;
      const principal = await principalOf(payload, tenantClaim);
      if (principal === null) log("info", "jwt_refused", { reason: "claims" });
      else {
        const until = ((payload.exp ?? 0) + TOLERANCE_S) * 1_000;
        verified.put(hash, { principal, until }, now());
      }
      return principal;
    },
    async remembered(token) {
      const known = verified.get(await sha256Hex(token), now());
      return known !== undefined && now() < known.until ? known.principal : null;
    },
  };
}
