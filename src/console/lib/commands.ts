/** What an operator may order, in the order of the buttons. */
export const COMMANDS = [
  "request_update",
  "pause",
  "resume",
  "retry",
  "set_priority",
  "grant_resources",
  "escalate",
  "cancel",
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** Phases in which an executor holds the task and can be told something. */
const HELD = ["assigned", "executing"];

/** Phases in which it waits for a decision. */
const ASKING = ["awaiting_input", "awaiting_approval"];

/**
 * The commands that a task can take where it is (POST /v1/tasks/{id}/commands). The server judges again: a task moves
 * on while somebody thinks.
 */
export function commandsFor(task: { phase: string; end_reason: string | null }): CommandName[] {
  const { phase, end_reason } = task;
  if (end_reason !== null || phase === "finalizing" || phase === "ended") return [];
  const isHeld = HELD.includes(phase);
  const isAsking = ASKING.includes(phase);
  const fits: Record<CommandName, boolean> = {
    request_update: isHeld,
    pause: isHeld,
    resume: isHeld || isAsking,
    retry: phase === "retry_wait" || phase === "awaiting_input",
    set_priority: true,
    grant_resources: true,
    escalate: !isAsking,
    cancel: true,
  };
  return COMMANDS.filter((command) => fits[command]);
}

/** What a form of a command holds, all as text. */
export interface CommandDraft {
  reason: string;
  priority: string;
  patch: string;
  cost_usd: string;
  tokens: string;
  duration_s: string;
}

/** Amounts that were written down; a text that is no number goes as it is, for the server to say so. */
function grantOf(draft: CommandDraft): Record<string, unknown> {
  const names = ["cost_usd", "tokens", "duration_s"] as const;
  return Object.fromEntries(
    names
      .filter((name) => draft[name].trim() !== "")
      .map((name) => [name, Number.isNaN(Number(draft[name])) ? draft[name] : Number(draft[name])]),
  );
}

/** The body of a command; null where the patch is no JSON object. */
export function commandBody(
  command: CommandName,
  draft: CommandDraft,
): Record<string, unknown> | null {
  const body = { command, ...(draft.reason.trim() !== "" && { reason: draft.reason.trim() }) };
  if (command === "set_priority") return { ...body, priority: draft.priority };
  if (command === "grant_resources") return { ...body, grant: grantOf(draft) };
  if (command !== "retry" || draft.patch.trim() === "") return body;
  try {
    const patch: unknown = JSON.parse(draft.patch);
    const isObject = typeof patch === "object" && patch !== null && !Array.isArray(patch);
    return isObject ? { ...body, patch } : null;
  } catch {
    return null;
  }
}
