import { afterEach, describe, expect, it } from "vitest";

import { MOST_NOTED } from "../../src/protocol/notes.ts";
import type { Note, NoteList, NotesCall } from "../../src/protocol/notes.ts";
import { removeNotes } from "../../src/task/notes-store.ts";
import { RowMeter } from "./row-meter.ts";
import { accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const meter = new RowMeter();

afterEach(() => meter.stop());

/** Asks the object itself. */
function ask(subject: Subject, asked: Record<string, unknown>) {
  return subject.stub.notes(JSON.stringify({ token: subject.token, ...asked }));
}

/** Rows written since the last question, by what wrote them; the log and the alarm aside. */
function noteRows(): Record<string, number> {
  const { rows } = meter.take();
  return Object.fromEntries(Object.entries(rows).filter(([name]) => /note|DROP/.test(name)));
}

describe("the rows written for notes", () => {
  async function metered(changes: Record<string, unknown> = {}): Promise<Subject> {
    const subject = await newSubject();
    await subject.execute(changes);
    await subject.inside((_instance, { storage }) => {
      meter.start(storage);
      meter.name(storage, "task");
    });
    return subject;
  }
  const write = (
    key: string,
    value: unknown,
  ): Omit<Extract<NotesCall, { call: "put" }>, "token"> => ({
    call: "put",
    key,
    value,
  });

  it("are one a note, and two more for the first; none for what is read or refused", async () => {
    const subject = await metered();
    const cost: Record<string, Record<string, number>> = {};
    const step = async (name: string, act: () => Promise<unknown>): Promise<void> => {
      await act();
      cost[name] = noteRows();
    };

    await step("first", () => ask(subject, write("a", 1)));
    await step("second", () => ask(subject, write("b", 1)));
    await step("again", () => ask(subject, write("a", { more: "x".repeat(1_000) })));
    await step("read", () => ask(subject, { call: "list" }));
    await step("too large", () => ask(subject, write("c", "x".repeat(70_000))));
    await step("stale", () => ask(subject, { ...write("c", 1), token: "stale" }));
    await step("removed", () => ask(subject, { call: "remove", key: "a" }));
    await step("removed again", () => ask(subject, { call: "remove", key: "a" }));

    expect(cost).toEqual({
      first: { "task: CREATE note": 2, "task: INSERT note": 1 },
      second: { "task: INSERT note": 1 },
      again: { "task: INSERT note": 1 },
      read: {},
      "too large": {},
      stale: {},
      removed: { "task: DELETE note": 1 },
      "removed again": {},
    });
  });

  it("are none for a task that notes nothing, from its start to its end", async () => {
    const subject = await metered();

    accepted(await ask(subject, { call: "list" }));
    accepted(await subject.notify("task_completed"));
    accepted(await subject.end("success"));
    await subject.pass(120_000);

    expect((await subject.view()).phase).toBe("ended");
    expect(noteRows()).toEqual({});
  });

  it("are none for what goes with the end, however many notes there were", async () => {
    const subject = await metered();
    for (let index = 0; index < MOST_NOTED.notes; index += 1) {
      accepted(await ask(subject, write(`k${index}`, index)));
    }
    const tooMany = await ask(subject, write("one-more", 1));
    const before = accepted(await ask(subject, { call: "list" }));
    meter.take();

    accepted(await subject.notify("task_completed"));
    accepted(await subject.end("success"));
    await subject.pass(120_000);

    expect(codeOf(tooMany)).toBe("notes_full");
    expect(JSON.parse(before).items).toHaveLength(200);
    expect((await subject.view()).phase).toBe("ended");
    expect(noteRows()).toEqual({});
    const after: NoteList = JSON.parse(accepted(await ask(subject, { call: "list", token: null })));
    expect(after.items).toEqual([]);
  });
});

describe("notes in the object", () => {
  it("survive an eviction, and can be dropped twice", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await ask(subject, { call: "put", key: "a", value: "é" }));
    await subject.evict();

    const note: Note = JSON.parse(accepted(await ask(subject, { call: "get", key: "a" })));
    await subject.inside((_instance, { storage }) => {
      removeNotes(storage.sql);
      removeNotes(storage.sql);
    });

    expect(note).toMatchObject({ value: "é", attempt: 1, agent_id: "ann" });
    expect(codeOf(await ask(subject, { call: "get", key: "a" }))).toBe("note_not_found");
  });

  it("go in the turn that records the cleanup: a crash leaves both or neither", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await ask(subject, { call: "put", key: "a", value: 1 }));
    accepted(await subject.notify("task_completed"));
    accepted(await subject.end("success"));
    const turns: string[] = [];
    const restore = await subject.inside((_instance, { storage }) => {
      const prototype = Reflect.getPrototypeOf(storage.sql) ?? {};
      const original = Reflect.get(prototype, "exec") as (...args: unknown[]) => unknown;
      Reflect.set(prototype, "exec", function exec(this: unknown, ...args: unknown[]) {
        const statement = String(args[0]);
        if (statement.startsWith("INSERT INTO record")) turns.push("commit");
        if (statement.startsWith("DROP")) {
          turns.push("drop");
          queueMicrotask(() => turns.push("next turn"));
        }
        return original.apply(this, args);
      });
      return () => Reflect.set(prototype, "exec", original);
    });

    await subject.pass(120_000);
    restore();

    expect(turns.slice(0, 3)).toEqual(["commit", "drop", "next turn"]);
  });

  it("are refused once the lease is over, though no alarm has come", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 60 });
    subject.now += 61_000;

    const late = await ask(subject, { call: "put", key: "a", value: 1 });

    expect(codeOf(late)).toBe("lease_lost");
  });
});
