import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { CommandRequest, CommandView } from "../protocol/agent.ts";
import type { BulkCommand, BulkCommandAnswer } from "../protocol/bulk-command.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Tasks that are commanded at one time. */
const TOGETHER = 25;

/** What a command to many tasks needs. */
export interface BulkCommandsParts {
  /** Tasks that fit and have not ended, newest first, as far as history knows. */
  find: (
    tenant: string,
    query: NonNullable<BulkCommand["filter"]> & { cursor?: string | undefined; limit: number },
  ) => Answer<{ items: { task_id: string }[]; next_cursor: string | null }>;
  command: (by: Principal, task_id: string, request: CommandRequest) => Answer<CommandView>;
}

/** Gives one command to all tasks that fit. Refused: forbidden, validation_failed (a made-up cursor), unavailable. */
export type CommandAll = (by: Principal, request: BulkCommand) => Answer<BulkCommandAnswer>;

type Outcome = Result<{ task_id: string; view: CommandView }, { task_id: string; code: string }>;

/**
 * The use case of a command to many tasks.
 *
 * Each task decides for itself, as if it had been commanded alone: one that refuses does not stop the others.
 */
export function createBulkCommands({ find, command }: BulkCommandsParts): CommandAll {
  const one = async (by: Principal, task_id: string, request: CommandRequest): Promise<Outcome> => {
    const done = await command(by, task_id, request);
    return done.ok
      ? ok({ task_id, view: done.value })
      : refuse({ task_id, code: done.refusal.code });
  };
  return async (by, { filter, all, dry_run, limit, cursor, ...request }) => {
    if (all === true && !by.scopes.includes("admin")) {
      const detail = "Only a key with scope admin may cancel every task; name a filter.";
      return refuse({ code: "forbidden", detail });
    }
    const page = await find(by.tenant, { ...filter, cursor, limit });
    if (!page.ok) return page;
    const task_ids = page.value.items.map(({ task_id }) => task_id);
    const { next_cursor } = page.value;
    const matched = task_ids.length;
    if (dry_run) return ok({ matched, task_ids, issued: [], refused: [], next_cursor });
    const outcomes: Outcome[] = [];
    for (let start = 0; start < matched; start += TOGETHER) {
      const group = task_ids.slice(start, start + TOGETHER);
      outcomes.push(...(await Promise.all(group.map((task_id) => one(by, task_id, request)))));
    }
    const issued = outcomes.flatMap((outcome) => {
      if (!outcome.ok) return [];
      const { task_id, view } = outcome.value;
      return [{ task_id, command_id: view.command_id, state: view.state }];
    });
    const refused = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.refusal]));
    return ok({ matched, issued, refused, next_cursor });
  };
}
