import * as z from "zod";

import { MOST_COMMANDS } from "../../protocol/agent.ts";
import { executorCommandSchema, endReasonSchema, prioritySchema } from "../../protocol/enums.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import type { CommandRecord } from "./records.ts";
import type { Holder, LoggedEvent, TaskState } from "./state.ts";
import { addUse } from "./state.ts";
import { isOpenCancel } from "./verdict.ts";

/** As the log has it, whatever bounds the contract had when it was given. */
const grantSchema = z.object({
  cost_usd: z.number().exactOptional(),
  tokens: z.number().exactOptional(),
  duration_s: z.number().exactOptional(),
});
const usedSchema = z.object({ cost_usd: z.number(), tokens: z.number() });

const issuedSchema = z.object({
  command_id: z.string(),
  command: executorCommandSchema,
  reason: z.string().nullable(),
  action: z.union([z.string(), jsonObjectSchema]).exactOptional(),
  state: z.enum(["requested", "confirmed"]),
  priority: prioritySchema.optional(),
  grant: grantSchema.optional(),
  rule: z.string().exactOptional(),
  used_before: usedSchema.exactOptional(),
  end_reason: endReasonSchema.optional(),
});

const acknowledgedSchema = z.object({
  command_id: z.string(),
  command: executorCommandSchema,
  state: z.enum(["acknowledged", "confirmed", "rejected", "unresponsive"]),
  spent_since: usedSchema.extend({ duration_s: z.number() }).exactOptional(),
});

/** Without the oldest where there are too many; a cancellation stays until something has come of it. */
function remembered(commands: CommandRecord[]): CommandRecord[] {
  if (commands.length <= MOST_COMMANDS) return commands;
  const oldest = commands.findIndex((command) => !isOpenCancel(command));
  return commands.toSpliced(Math.max(oldest, 0), 1);
}

/** The wait for progress begins anew: while it rested nobody expected any. */
function resumed(holder: Holder | null, at: number): Holder | null {
  return holder === null || holder.paused_at === null
    ? holder
    : { ...holder, paused_at: null, progressed_at: at };
}

/** An executor rests from its acknowledgement of a pause, unless it was told meanwhile to go on. */
function paused(state: TaskState, command_id: string, at: number): Holder | null {
  const index = state.commands.findIndex((command) => command.command_id === command_id);
  const isOutdated = state.commands.slice(index).some(({ command }) => command === "resume");
  return state.holder === null || isOutdated ? state.holder : { ...state.holder, paused_at: at };
}

/** A command was issued: it is remembered, and what the system itself can do of it is done. */
export function applyCommand(state: TaskState, event: LoggedEvent): TaskState {
  const { priority, grant, end_reason, ...issued } = issuedSchema.parse(event.data);
  const record: CommandRecord = {
    ...issued,
    requested_at: event.at,
    actor: event.actor,
    ...(priority !== undefined && { priority }),
    ...(grant !== undefined && { grant }),
    ...(end_reason !== undefined && { end_reason }),
  };
  return {
    ...state,
    commands: remembered([...state.commands, record]),
    holder: record.command === "resume" ? resumed(state.holder, event.at) : state.holder,
    priority: priority ?? state.priority,
    granted: {
      cost_usd: addUse(state.granted.cost_usd, grant?.cost_usd ?? 0),
      tokens: addUse(state.granted.tokens, grant?.tokens ?? 0),
      duration_s: state.granted.duration_s + (grant?.duration_s ?? 0),
    },
  };
}

/** A command came further. */
export function applyCommandState(state: TaskState, event: LoggedEvent): TaskState {
  const { command_id, command: name, ...news } = acknowledgedSchema.parse(event.data);
  const isPause = name === "pause" && news.state === "confirmed";
  return {
    ...state,
    holder: isPause ? paused(state, command_id, event.at) : state.holder,
    commands: state.commands.map((command) =>
      command.command_id === command_id ? { ...command, ...news } : command,
    ),
  };
}
