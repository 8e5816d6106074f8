import * as z from "zod";

/* Spans of tasks by name: whoever sends something names the span that the receiver's own ones belong under. */

/** A span id of W3C Trace Context. */
export const spanIdSchema = z.string().regex(/^[0-9a-f]{16}$/);

/** The request by which something came in, as a span: our own id, the caller's, and when it came, epoch milliseconds. */
export const hopSchema = z.strictObject({
  span_id: spanIdSchema,
  parent_id: spanIdSchema.nullable(),
  received_at: z.int(),
});
export type Hop = z.infer<typeof hopSchema>;

/** The life of a task. Several tasks may share a trace, so every name holds the id of its task. */
export const taskSpan = (task_id: string): string => `task/${task_id}`;

/** One attempt of a task. */
export const attemptSpan = (task_id: string, attempt: number): string =>
  `task/${task_id}/attempt/${attempt}`;

/** One notification on its way to one endpoint. */
export const deliverySpan = (delivery_id: string): string => `delivery/${delivery_id}`;

/** One request of a delivery. One that carries several deliveries is named by the first. */
export const deliveryAttemptSpan = (delivery_id: string, attempt: number): string =>
  `delivery/${delivery_id}/attempt/${attempt}`;
