import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import type { NoteList } from "../../src/protocol/notes.ts";
import { hasNotes } from "../../src/task/notes-store.ts";
import { Executor, call, submit } from "./batuta.ts";
import type { Answered } from "./batuta.ts";

/* Executors that note something on their tasks, over REST. */

/** What a task has noted that has noted nothing. */
export const NOTHING = { items: [], bytes_used: 0, bytes_limit: 262_144 };

/** A name that no other executor has. */
export const newName = (): string => `noter-${crypto.randomUUID().slice(0, 8)}`;

/** The object of a task. */
export const stubOf = (task_id: string) => env.TASK.getByName(`default/${task_id}`);

/** Whether the task's object still has a table for notes. */
export function isNoted(task_id: string): Promise<boolean> {
  return runInDurableObject(stubOf(task_id), (_task, { storage }) => hasNotes(storage.sql));
}

/** An executor that has started a task which only it can take. */
export async function working(): Promise<Executor> {
  const executor = await new Executor(newName()).register();
  await submit({ requires: { capabilities: [executor.agent_id] } });
  await executor.claim();
  await executor.start();
  return executor;
}

type Headers = Record<string, string>;

/** Notes something. */
export function put(
  { task_id, lease }: { task_id: string; lease: Headers },
  key: string,
  value: unknown,
): Promise<Answered<Record<string, unknown>>> {
  return call("PUT", `/v1/tasks/${task_id}/notes/${key}`, { value }, lease);
}

/** All that is noted. */
export async function list(task_id: string, headers: Headers = {}): Promise<NoteList> {
  const { body } = await call<NoteList>("GET", `/v1/tasks/${task_id}/notes`, undefined, headers);
  return body;
}

/** A key of its own, as a header. */
export async function keyWith(scope: string): Promise<Headers> {
  const { body } = await call<{ key: string }>("POST", "/v1/keys", {
    name: scope,
    scopes: [scope],
  });
  return { authorization: `Bearer ${body.key}` };
}

/** Status and code of a refusal. */
export const problemOf = ({ status, body }: Answered<Record<string, unknown>>) => [
  status,
  body["code"],
];
