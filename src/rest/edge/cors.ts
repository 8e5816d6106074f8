import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";

import { VERSION_HEADER } from "../../protocol/versions.ts";
import type { RestContext, RestEnv, Route } from "../route.ts";

/** What scripts may send on any route, besides the headers that routes declare. */
const SENT = [
  "Authorization",
  VERSION_HEADER,
  "Content-Encoding",
  "Content-Type",
  "Last-Event-ID",
  "X-Request-Id",
  "traceparent",
];

/** What scripts may read, besides what they always may. */
const READ = [
  VERSION_HEADER,
  "Deprecation",
  "Idempotency-Replayed",
  "Link",
  "Location",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Sunset",
  "WWW-Authenticate",
  "X-Request-Id",
  "traceparent",
];

/** How long a browser may remember the answer to a preflight: the most that Chromium honours is two hours. Seconds. */
const REMEMBERED_S = 7_200;

/** Whether a browser asks first: it sends no key with that, whatever it will send afterwards. */
export function isPreflight({ req }: RestContext): boolean {
  return req.method === "OPTIONS" && req.header("Access-Control-Request-Method") !== undefined;
}

/**
 * Cross-origin requests, in two parts: `share` marks answers, `preflight` answers a browser that asks first.
 *
 * Only the listed origins are told that they may read, each by its own name and never `*`, and never with credentials:
 * there are no cookies here. With an empty list no answer has a header of CORS.
 */
export function sharing(
  origins: readonly string[],
  routes: readonly Pick<Route, "headers" | "method">[],
): { share: MiddlewareHandler<RestEnv>; preflight: MiddlewareHandler<RestEnv> } {
  const declared = routes.flatMap(({ headers }) => Object.keys(headers?.shape ?? {}));
  const answer: MiddlewareHandler<RestEnv> = cors({
    origin: [...origins],
    allowMethods: [...new Set(["HEAD", ...routes.map(({ method }) => method)])],
    allowHeaders: [...new Set([...SENT, ...declared])],
    exposeHeaders: READ,
    maxAge: REMEMBERED_S,
  });
  const isListed = ({ req }: RestContext): boolean => origins.includes(req.header("Origin") ?? "");
  return {
    share: async (context, next) => {
      // Hono's part takes every OPTIONS for a preflight; ours come later, behind the limit.
      if (origins.length === 0 || context.req.method === "OPTIONS") return next();
      if (isListed(context)) return answer(context, next);
      await next();
      // A cache must not give this answer to a listed origin.
      context.header("Vary", "Origin", { append: true });
    },
    preflight: (context, next) =>
      isPreflight(context) && isListed(context) ? answer(context, next) : next(),
  };
}
