import { z } from "zod";

import { grantSchema } from "../../protocol/agent.ts";
import { commandNameSchema, prioritySchema } from "../../protocol/enums.ts";
import type { CommandRecord, LoggedEvent, TaskState } from "./state.ts";
import { isOpenCancel } from "./verdict.ts";

const issuedSchema = z.object({
  command_id: z.string(),
  command: commandNameSchema,
  reason: z.string().nullable(),
  state: z.enum(["requested", "confirmed"]),
  priority: prioritySchema.optional(),
  grant: grantSchema.optional(),
});

const acknowledgedSchema = z.object({
  command_id: z.string(),
  state: z.enum(["acknowledged", "confirmed", "rejected", "unresponsive"]),
});

/** How many commands of one task are remembered. */
const REMEMBERED_COMMANDS = 200;

/** Without the oldest where there are too many; a cancellation stays until something has come of it. */
function remembered(commands: CommandRecord[]): CommandRecord[] {
  if (commands.length <= REMEMBERED_COMMANDS) return commands;
  const oldest = commands.findIndex((command) => !isOpenCancel(command));
  return commands.toSpliced(Math.max(oldest, 0), 1);
}

/** A command was issued: it is remembered, and what the system itself can do of it is done. */
export function applyCommand(state: TaskState, event: LoggedEvent): TaskState {
  const { priority, grant, ...issued } = issuedSchema.parse(event.data);
  const record: CommandRecord = {
    ...issued,
    requested_at: event.at,
    ...(priority !== undefined && { priority }),
    ...(grant !== undefined && { grant }),
  };
  return {
    ...state,
    commands: remembered([...state.commands, record]),
    priority: priority ?? state.priority,
    granted: {
      cost_usd: state.granted.cost_usd + (grant?.cost_usd ?? 0),
      tokens: state.granted.tokens + (grant?.tokens ?? 0),
      duration_s: state.granted.duration_s + (grant?.duration_s ?? 0),
    },
  };
}

/** A command came further. */
export function applyCommandState(state: TaskState, event: LoggedEvent): TaskState {
  const news = acknowledgedSchema.parse(event.data);
  return {
    ...state,
    commands: state.commands.map((command) =>
      command.command_id === news.command_id ? { ...command, state: news.state } : command,
    ),
  };
}
