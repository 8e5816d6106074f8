import type { Route } from "./route.ts";

/** How an agent signs in place of sending a key (Standard Webhooks 1.0). */
export const SIGNATURE = {
  type: "apiKey",
  in: "header",
  name: "webhook-signature",
  description:
    "A Standard Webhooks signature (`v1,…`) over the body as it is sent, made with the agent's secret; goes with `webhook-id` and `webhook-timestamp`",
};

const OF_A_TOKEN = "A public read token (`pt_…`) of this very task";

/** Two places for one token, because a browser's EventSource sends no headers. */
export const PUBLIC_TOKEN = {
  public_token: { type: "http", scheme: "bearer", description: OF_A_TOKEN },
  public_token_in_query: {
    type: "apiKey",
    in: "query",
    name: "access_token",
    description: OF_A_TOKEN,
  },
};

/** Any one of the alternatives is enough; roles are named as OpenAPI 3.1 §4.8.30 allows. */
export function securityOf(
  route: Pick<Route, "scopes" | "isSignable" | "isPublicReadable">,
): Record<string, readonly string[]>[] {
  if (route.scopes === null) return [];
  const byKey = [...new Set([...route.scopes, "admin"])].map((scope) => ({ key: [scope] }));
  if (route.isSignable === true) return [...byKey, { signature: [] }];
  return route.isPublicReadable === true
    ? [...byKey, { public_token: [] }, { public_token_in_query: [] }]
    : byKey;
}
