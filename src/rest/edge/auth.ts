import type { MiddlewareHandler } from "hono";

import type { Principal } from "../../protocol/access.ts";
import type { Scope } from "../../protocol/enums.ts";
import type { KeyPort } from "../key-port.ts";
import type { RestContext, RestEnv } from "../route.ts";
import { keepAliveOf } from "./afterwards.ts";
import { answerRefusal } from "./problems.ts";

/** Who asks on a route that needs no key. */
export const NOBODY: Principal = { key_id: "", tenant: "", scopes: [], isBootstrap: false };

/** Keys are short; a JSON Web Token with many claims is not. */
const BEARER = /^Bearer +([\x21-\x7e]{1,4096}) *$/i;
/** What a 401 asks for (RFC 6750 §3). */
export const CHALLENGE = 'Bearer realm="batuta"';

/** The key in an Authorization header; undefined when it has none of the right form. */
export function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : BEARER.exec(header)?.[1];
}

/**
 * Sends a recognised request on, and has the use of its key noted where that is due: after the answer, so that it
 * costs no request anything.
 */
export async function letPass(
  context: RestContext,
  next: () => Promise<void>,
  { principal, keys }: { principal: Principal; keys: Pick<KeyPort, "noteUse"> },
): Promise<void> {
  context.set("principal", principal);
  const noting = keys.noteUse(principal);
  if (noting !== null) keepAliveOf(context)(noting);
  return next();
}

/** Lets a request pass whose bearer key is known; answers 401 with a challenge (RFC 6750 §3) otherwise. */
export function authenticate(
  keys: Pick<KeyPort, "principalOf" | "noteUse">,
): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    const header = context.req.header("Authorization");
    const key = bearerOf(header);
    const principal = key === undefined ? null : await keys.principalOf(key);
    if (principal !== null) return letPass(context, next, { principal, keys });
    const detail =
      header === undefined
        ? "send your key as `Authorization: Bearer <key>`"
        : key === undefined
          ? "the Authorization header is not of the form `Bearer <key>`"
          : "the key is unknown, expired or revoked";
    return answerUnauthenticated(context, detail, header !== undefined);
  };
}

/** Answers 401 with a challenge; it says so when something was sent and is not good. */
export function answerUnauthenticated(
  context: RestContext,
  detail: string,
  wasSent: boolean,
): Response {
  const challenge = wasSent ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE;
  return answerRefusal(
    context,
    { code: "unauthenticated", detail },
    { "WWW-Authenticate": challenge },
  );
}

/** Whether a key may use a route: any one of the route's scopes is enough, and `admin` always is. */
export function mayUse(principal: Principal, scopes: readonly Scope[]): boolean {
  return principal.scopes.some((scope) => scope === "admin" || scopes.includes(scope));
}

/** Lets a principal pass that may use the route; answers 403 naming the scopes that would do. */
export function authorize(scopes: readonly Scope[]): MiddlewareHandler<RestEnv> {
  const wanted = [...new Set<Scope>([...scopes, "admin"])];
  const challenge = `${CHALLENGE}, error="insufficient_scope", scope="${wanted.join(" ")}"`;
  return async (context, next) => {
    const principal = context.get("principal");
    if (mayUse(principal, scopes)) return next();
    return answerRefusal(
      context,
      {
        code: "forbidden",
        detail: `needs a key with the scope ${wanted.join(" or ")}; this one has ${principal.scopes.join(", ") || "none"}`,
      },
      { "WWW-Authenticate": challenge },
    );
  };
}
