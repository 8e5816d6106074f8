import type { OperationClass } from "../protocol/limits.ts";
import type { Route } from "./route.ts";

/**
 * Which class of operations a route belongs to; null for one that needs no key, which is nobody's budget.
 *
 * What only administrators may do is `admin`; other reads are `status`; what only executors may do is `notify`; the
 * rest orders work, which is `execute`. A route that says something else of itself is believed.
 */
export function classOf(
  route: Pick<Route, "operation" | "scopes" | "method">,
): OperationClass | null {
  if (route.scopes === null) return null;
  if (route.operation !== undefined) return route.operation;
  if (route.scopes.every((scope) => scope === "admin")) return "admin";
  if (route.method === "GET") return "status";
  return route.scopes.every((scope) => scope === "execute") ? "notify" : "execute";
}
