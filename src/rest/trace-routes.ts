import * as z from "zod";

import { taskIdSchema } from "../protocol/primitives.ts";
import { traceSchema } from "../protocol/trace.ts";
import { json, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

/** Where the time of a task went. */
export const traceRoutes: readonly Route[] = [
  route({
    id: "get_task_trace",
    method: "GET",
    path: "/v1/tasks/:task_id/trace",
    tag: "Tasks",
    summary: "What a task spent its time on, as a tree of spans",
    description:
      "Derived from the task's log, its end phases and its deliveries. Span ids never change; the one of an attempt goes out with its assignment (`traceparent`), the one of a delivery's request with that request, so that spans of receivers hang in the right place. Of a batch of notifications the request is named by the first. With the scope execute alone there are no deliveries.",
    scopes: ["orchestrate", "execute", "observe"],
    params: z.strictObject({ task_id: taskIdSchema }),
    answers: { 200: json(traceSchema, "The spans; `missing` says what could not be read") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ traces }, { principal, params }) {
      const found = await traces.trace(principal, params.task_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
];
