import * as z from "zod";

import { auditEntrySchema, auditQuerySchema } from "../protocol/audit.ts";
import { pageOf } from "../protocol/queries.ts";
import { NDJSON, ndjsonStream, wantsNdjson } from "./ndjson.ts";
import { json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";
import { outflowOf } from "./withheld.ts";

/** The shape of a page of the audit. */
export const auditPageSchema = pageOf(auditEntrySchema, "AuditPage");

/** Has the whole list sent in place of a page. */
export const exportHeaders = z.strictObject({
  Accept: z
    .string()
    .optional()
    .meta({ description: "`application/x-ndjson` for all of it, one entry a line." }),
});

/** The answer that is a page, or all of the list as NDJSON. */
export const auditAnswers = {
  200: { ...json(auditPageSchema, "A page of entries, or all of them"), streamType: NDJSON },
};

/** Who did what to which object of the tenant. */
export const auditRoutes: readonly Route[] = [
  route({
    id: "list_audit",
    method: "GET",
    path: "/v1/audit",
    tag: "Operations",
    summary: "Who did what to which object",
    description:
      "Newest first, in pages. With `Accept: application/x-ndjson` all that fits, oldest first, one entry a line, whatever `cursor` and `limit` say. Entries are added and never changed or removed. It has what was done by request: to keys, executors, webhooks, escalations, cleanup debt, batches and requests, commands to tasks, repairs, and attempts at what only administrators may do. What the life of a task is made of (its submission, claims, notifications and end) is in the task's own log with actor and seq: `/v1/tasks/{task_id}/events`. An entry that the database could not take at once follows as soon as it can, under the instant at which it came about.",
    scopes: ["observe"],
    query: auditQuerySchema,
    headers: exportHeaders,
    answers: auditAnswers,
    refusals: ["forbidden", "unavailable"],
    async handle(ports, { principal, query, headers, requestId }) {
      const { trail } = ports;
      if (wantsNdjson(headers.Accept)) {
        const all = await trail.all(principal, query);
        const operation = "list_audit";
        const outflow = outflowOf(ports, { kind: "export", operation, requestId, by: principal });
        return replyWith(all, (pages) => ({
          status: 200,
          stream: ndjsonStream(pages, auditEntrySchema, outflow),
        }));
      }
      const page = await trail.list(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
];
