import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import {
  appendCommit,
  readEvents,
  readHeld,
  readTask,
  removeHeld,
  writeHeld,
  writeMemo,
} from "../../src/task/task-store.ts";
import { IN_PHASE, beat, live, notificationOf, stateOf } from "../task-life.ts";

/** Runs in the storage of a task's object that nobody else uses. */
function inStorage<Value>(act: (sql: SqlStorage) => Value): Promise<Value> {
  const stub = env.TASK.getByName(`${crypto.randomUUID()}/task-1`);
  return runInDurableObject(stub, (_instance, { storage }) =>
    storage.transactionSync(() => act(storage.sql)),
  );
}

const executing = live(IN_PHASE.executing(), beat({ checkpoint: { page: 3 } }));

/** The log of an executing task in three commits: submission, assignment, start. */
function store(sql: SqlStorage): void {
  const { origin, task, memo } = stateOf(executing);
  const { log } = executing;
  appendCommit(sql, log.slice(0, 2), { flushed: 0, request: { origin, task } });
  appendCommit(sql, log.slice(2, 4), { flushed: 2, request: null });
  appendCommit(sql, log.slice(4), { flushed: 4, request: null });
  if (memo !== null) writeMemo(sql, memo);
}

describe("the store of a task", () => {
  it("gives back the state that was stored, and the cursor of the last commit", async () => {
    const read = await inStorage((sql) => {
      store(sql);
      return readTask(sql);
    });

    expect(read).toEqual({ state: stateOf(executing), flushed: 4 });
  });

  it("knows no task and no event before the submission, and writes nothing to find out", async () => {
    const [task, events, tables] = await inStorage((sql) => [
      readTask(sql),
      readEvents(sql, 0, 10),
      sql.exec("SELECT name FROM sqlite_master WHERE name = 'record'").toArray(),
    ]);

    expect([task, events, tables]).toEqual([null, [], []]);
  });

  it.each([
    [0, 10, [1, 2, 3, 4, 5]],
    [1, 10, [2, 3, 4, 5]],
    [2, 10, [3, 4, 5]],
    [3, 1, [4]],
    [4, 10, [5]],
    [5, 10, []],
    [99, 10, []],
    [0, 1, [1, 2]],
  ])("reads the events after %d, about %d of them, whole commits", async (after, limit, seqs) => {
    const read = await inStorage((sql) => {
      store(sql);
      return readEvents(sql, after, limit).map(({ seq }) => seq);
    });

    expect(read).toEqual(seqs);
  });

  it("keeps held notifications by their sequence, apart from the log", async () => {
    const held = (sequence: number) => ({
      sequence,
      attempt: 1,
      held_at: 5,
      notification: notificationOf("task_progress", {}, { sequence }),
    });

    const [all, first, rest, log] = await inStorage((sql) => {
      store(sql);
      for (const sequence of [7, 3, 12]) writeHeld(sql, held(sequence));
      const sequences = (limit: number) => readHeld(sql, limit).map(({ sequence }) => sequence);
      const before = [sequences(10), sequences(1)];
      removeHeld(sql, 3);
      return [...before, sequences(10), readEvents(sql, 0, 10).map(({ seq }) => seq)];
    });

    expect([all, first, rest]).toEqual([[3, 7, 12], [3], [7, 12]]);
    expect(log).toEqual([1, 2, 3, 4, 5]);
  });
});
