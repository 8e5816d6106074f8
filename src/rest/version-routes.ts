import { ok } from "../lib/result.ts";
import { UPGRADER } from "../protocol/upgrader.ts";
import { versionsSchema } from "../protocol/versions.ts";
import { json, route } from "./route.ts";
import type { Route } from "./route.ts";

/** What is said of versions: which are read, which forms have a successor, and what is refused. */
export const versionRoutes: readonly Route[] = [
  route({
    id: "list_versions",
    method: "GET",
    path: "/v1/versions",
    tag: "Documentation",
    summary: "The versions of the contract, and the forms that are deprecated",
    description:
      "A request that used a deprecated form or version is answered with `Deprecation` (RFC 9745), `Sunset` (RFC 8594) where a date is set, and a `Link` to here.",
    scopes: null,
    answers: { 200: json(versionsSchema, "The registry") },
    async handle() {
      // Changes with a deployment only, as the schemas do.
      const headers = { "Cache-Control": "public, max-age=300" };
      return ok({ status: 200, body: UPGRADER.view, headers });
    },
  }),
];
