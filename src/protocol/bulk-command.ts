import * as z from "zod";

import { commandRequestSchema, commandViewSchema } from "./agent.ts";
import { prioritySchema, taskPhaseSchema, taskStatusSchema, taskTypeSchema } from "./enums.ts";
import { commandNameSchema, priorityInputSchema } from "./enums.ts";
import { agentIdSchema, instantSchema, nameSchema, taskIdSchema } from "./primitives.ts";
import { schemaVersionSchema } from "./primitives.ts";
import { cursorSchema } from "./queries.ts";

const taskFilterSchema = z
  .strictObject({
    status: taskStatusSchema.optional(),
    phase: taskPhaseSchema.optional(),
    task_type: taskTypeSchema.optional(),
    priority: priorityInputSchema.optional(),
    tag: z.string().min(1).max(100).optional(),
    agent_id: agentIdSchema.optional(),
    batch_id: taskIdSchema.optional(),
    parent_task_id: taskIdSchema.optional(),
    pool: nameSchema.optional(),
    created_after: instantSchema.optional(),
    created_before: instantSchema.optional(),
  })
  .meta({ id: "TaskFilter", title: "Which tasks are meant: all that meet every condition" });

const isEmpty = (filter: object | undefined): boolean =>
  filter === undefined || Object.keys(filter).length === 0;

const NAMES = Object.keys(taskFilterSchema.shape).join(", ");

/** One command for all tasks that fit and have not ended. */
export const bulkCommandSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    filter: taskFilterSchema.optional(),
    all: z
      .literal(true)
      .optional()
      .meta({ description: "In place of a filter: every task. For cancel, with scope admin." }),
    command: commandNameSchema,
    reason: commandRequestSchema.shape.reason,
    priority: z.enum([...prioritySchema.options, "urgent"]).optional(),
    grant: commandRequestSchema.shape.grant,
    dry_run: z.boolean().default(false).meta({ description: "Tells which tasks; does nothing." }),
    limit: z
      .int()
      .min(1)
      .max(500)
      .default(100)
      .meta({ description: "Tasks of one call; `next_cursor` leads to the others." }),
    cursor: cursorSchema.optional(),
  })
  .superRefine(({ filter, all, command, reason, priority, grant }, context) => {
    const add = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (all === undefined && isEmpty(filter)) {
      add("filter", `must name at least one of ${NAMES}`);
    }
    if (all === true && !isEmpty(filter)) add("all", "goes in place of a filter");
    if (all === true && command !== "cancel") add("all", "goes with the command cancel only");
    // What holds for one command holds for many.
    const single = commandRequestSchema.safeParse({ command, reason, priority, grant });
    for (const { path, message } of single.error?.issues ?? []) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  })
  .meta({ id: "BulkCommand", title: "A command to many tasks" });
export type BulkCommand = z.infer<typeof bulkCommandSchema>;

export const bulkCommandAnswerSchema = z
  .strictObject({
    matched: z.int().meta({ description: "Tasks on this page; none of the others was touched." }),
    task_ids: z.array(taskIdSchema).optional().meta({ description: "With dry_run: which ones." }),
    issued: z.array(
      z.strictObject({
        task_id: taskIdSchema,
        command_id: z.string(),
        state: commandViewSchema.shape.state,
      }),
    ),
    refused: z.array(z.strictObject({ task_id: taskIdSchema, code: z.string() })),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "BulkCommandAnswer", title: "What became of a command to many tasks" });
export type BulkCommandAnswer = z.infer<typeof bulkCommandAnswerSchema>;
