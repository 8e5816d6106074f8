import type { LoggedEvent } from "../../../src/task/machine/state.ts";
import type { MemoryObject } from "../memory-object.ts";

/* What a task's object holds, read without the code under test. */

function bodies(object: MemoryObject, which: string): string[] {
  const hasTable = "SELECT 1 FROM sqlite_master WHERE name = 'record'";
  if (object.sql.exec(hasTable).toArray().length === 0) return [];
  const query = `SELECT body FROM record WHERE ${which} ORDER BY id`;
  return object.sql
    .exec<{ body: string }>(query)
    .toArray()
    .map(({ body }) => body);
}

/** The whole log. */
export function storedLog(object: MemoryObject): LoggedEvent[] {
  return bodies(object, "id > 0").flatMap((body) => {
    const commit: { events: LoggedEvent[] } = JSON.parse(body);
    return commit.events;
  });
}

/** Whether there is such an event. */
export function isLogged(object: MemoryObject, type: LoggedEvent["type"]): boolean {
  return bodies(object, `id > 0 AND body LIKE '%"type":"${type}"%'`).length > 0;
}

/** Whether the executor has had its last word. */
export function hasLastWord(object: MemoryObject): boolean {
  return bodies(object, `id = 0 AND body LIKE '%"end":{%'`).length > 0;
}

/** An end stage, by the name under which its progress is remembered, and by what it checks. */
export interface StageName {
  name: string;
  check: string;
}

/** Whether it is recorded as done: in the progress of the phase that is going on, or in the record of one that is over. */
export function isDone(object: MemoryObject, { name, check }: StageName): boolean {
  const inProgress = `${JSON.stringify(name)}:{"outcome":"done"`;
  const inRecord = `{"name":${JSON.stringify(check)},"passed":true`;
  return (
    bodies(object, "id < 0").some((body) => body.includes(inProgress)) ||
    bodies(object, "id > 0").some((body) => body.includes(inRecord))
  );
}
