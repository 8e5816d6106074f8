import type { MiddlewareHandler } from "hono";

import type { RestPorts } from "../ports.ts";
import type { RestEnv } from "../route.ts";
import { keepAliveOf } from "./afterwards.ts";

/** What a request is counted as that no route has answered, so that made-up paths make no series. */
const UNMATCHED = "unmatched";

/** Methods that requests are counted by (RFC 9110 §9.3, RFC 5789); made-up ones are `other`. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Counts every request by the pattern of its route, its method and the class of its status, and how long its answer
 * took: for the tenant of its key, or for the installation where it was not recognised.
 */
export function meterRequests({
  now,
  meter,
}: Pick<RestPorts, "now" | "meter">): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    const startedAt = now();

    await next();

    const { method } = context.req;
    const work = meter.count({
      tenant: context.get("principal")?.tenant ?? "",
      route: context.get("route") ?? UNMATCHED,
      method: METHODS.has(method) ? method : "other",
      status: context.res.status,
      duration_ms: now() - startedAt,
    });
    if (work !== null) keepAliveOf(context)(work);
  };
}
