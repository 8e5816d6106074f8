import * as z from "zod";

import { auditEntrySchema } from "../protocol/audit.ts";
import { pageQuerySchema } from "../protocol/queries.ts";
import { auditAnswers, auditPageSchema, exportHeaders } from "./audit-routes.ts";
import { ndjsonStream, wantsNdjson } from "./ndjson.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";
import { outflowOf } from "./withheld.ts";

/** Who did what to an endpoint and to the callback secret. Entries are added and never changed. */
export const webhookAuditRoutes: readonly Route[] = [
  route({
    id: "list_webhook_audit",
    method: "GET",
    path: "/v1/webhooks/:webhook_id/audit",
    tag: "Webhooks",
    summary: "Who did what to an endpoint",
    description:
      "Newest first, in pages; also of a deleted endpoint. With `Accept: application/x-ndjson` all of it, oldest first, one entry a line, whatever `cursor` and `limit` say.",
    scopes: ["orchestrate", "observe"],
    params: z.strictObject({ webhook_id: pathIdSchema }),
    query: pageQuerySchema,
    headers: exportHeaders,
    answers: auditAnswers,
    refusals: ["webhook_not_found"],
    async handle(ports, { principal, params, query, headers, requestId }) {
      const { audit } = ports;
      const { tenant } = principal;
      if (wantsNdjson(headers.Accept)) {
        const all = await audit.all(tenant, params.webhook_id);
        const operation = "list_webhook_audit";
        const outflow = outflowOf(ports, { kind: "export", operation, requestId, by: principal });
        return replyWith(all, (pages) => ({
          status: 200,
          stream: ndjsonStream(pages, auditEntrySchema, outflow),
        }));
      }
      const page = await audit.list(tenant, params.webhook_id, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "list_callback_secret_audit",
    method: "GET",
    path: "/v1/callback-secret/audit",
    tag: "Webhooks",
    summary: "Who rotated the callback secret",
    scopes: ["admin"],
    query: pageQuerySchema,
    answers: { 200: json(auditPageSchema, "A page of entries, newest first") },
    async handle({ audit }, { principal, query }) {
      const page = await audit.ofCallbackSecret(principal.tenant, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
];
