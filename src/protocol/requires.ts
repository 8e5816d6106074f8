import * as z from "zod";

import { agentIdSchema, nameSchema } from "./primitives.ts";

const labelValueSchema = z.union([z.string().max(200), z.number()]);

/** Why a comparison has the wrong kind of value, or null. */
function conditionFault(op: string, value: unknown): string | null {
  if (op === "exists") return value === undefined ? null : "does not go with exists";
  if (value === undefined) return `is required by ${op}`;
  if (op === "in") return Array.isArray(value) ? null : "must be a list for in";
  return Array.isArray(value) ? "may be a list for in only" : null;
}

/** A condition on a label. With `weight` it is a wish that raises the score, not a condition. */
const labelConditionSchema = z
  .strictObject({
    op: z.enum(["eq", "ne", "gt", "gte", "lt", "lte", "in", "exists"]),
    value: z.union([labelValueSchema, z.array(labelValueSchema).min(1).max(50)]).optional(),
    weight: z
      .number()
      .min(-100)
      .max(100)
      .optional()
      .meta({ description: "Makes it a wish: what meeting it adds to an executor's score." }),
  })
  .superRefine(({ op, value }, context) => {
    const fault = conditionFault(op, value);
    if (fault !== null) context.addIssue({ code: "custom", path: ["value"], message: fault });
  })
  .meta({ id: "LabelCondition", title: "A condition on an executor's label, or a wish" });
export type LabelCondition = z.infer<typeof labelConditionSchema>;

export const requiresSchema = z
  .strictObject({
    capabilities: z.array(nameSchema).max(50).optional(),
    labels: z
      .record(z.string().min(1).max(100), z.union([labelValueSchema, labelConditionSchema]))
      .optional()
      .meta({ description: "A plain value must be equal; an object compares." }),
    agent_id: agentIdSchema.optional(),
  })
  .meta({ id: "Requires", title: "Which executors may take the task" });
export type Requires = z.infer<typeof requiresSchema>;
