import { describe, expect, it } from "vitest";

import type { HistoryMessage } from "../../src/protocol/queue-messages.ts";
import { Archivist } from "../../src/task/archivist.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import { IN_PHASE, START, stateOf } from "../task-life.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Subject {
  now: number;
  asked: string[];
  /** When the tasks were created that it asked of. */
  lives: Set<string>;
  told: HistoryMessage[];
  recordedTo: () => Promise<number | null>;
  logged: string[];
  archivist: Archivist;
}

/** An archivist and the history that it speaks to, at a time that the test sets. */
function newSubject(forgottenMs: number | null = null): Subject {
  const subject: Subject = {
    now: START,
    asked: [],
    lives: new Set(),
    told: [],
    recordedTo: async () => Infinity,
    logged: [],
    archivist: new Archivist(
      {
        record: async (message) => {
          subject.told.push(message);
        },
        recordedTo: (_tenant, task_id, created_at) => {
          subject.asked.push(task_id);
          subject.lives.add(created_at);
          return subject.recordedTo();
        },
        retentionMs: 7 * DAY,
        forgottenMs,
        log: (_level, event) => void subject.logged.push(event),
      },
      () => subject.now,
    ),
  };
  return subject;
}

const running = (): TaskState => stateOf(IN_PHASE.executing());
const ended = (): TaskState => stateOf(IN_PHASE.ended());

describe("telling history", () => {
  it("sends the events whole, with the view", async () => {
    const { archivist, told } = newSubject();
    const life = IN_PHASE.executing();

    await archivist.tell(stateOf(life), life.log, 0);

    expect(told).toMatchObject([{ form: "whole", events: life.log.map(({ seq }) => ({ seq })) }]);
  });

  it("is spared when history has said that it has them", async () => {
    const { archivist, told } = newSubject();
    const life = IN_PHASE.executing();

    await archivist.ask(stateOf(life));
    await archivist.tell(stateOf(life), life.log, 0);

    expect(told).toEqual([]);
  });

  it("is not spared when history lacks them", async () => {
    const subject = newSubject();
    const life = IN_PHASE.executing();
    subject.recordedTo = async () => 0;

    await subject.archivist.ask(stateOf(life));
    await subject.archivist.tell(stateOf(life), life.log, 0);

    expect(subject.told).toHaveLength(1);
  });

  it("is not spared for what has happened since", async () => {
    const { archivist, told } = newSubject();
    const assigned = IN_PHASE.assigned();
    const life = IN_PHASE.executing();

    await archivist.ask(stateOf(assigned));
    await archivist.tell(stateOf(life), life.log.slice(assigned.log.length), assigned.log.length);

    expect(told).toHaveLength(1);
  });

  it("of everything sends a reference for a rebuild", async () => {
    const { archivist, told } = newSubject();

    await archivist.tellAll(running());

    expect(told).toEqual([
      { form: "reference", tenant: "acme", task_id: "task-1", after: 0, rebuild: true },
    ]);
  });
});

describe("the question whether history is complete", () => {
  it("is planned for when the task has been quiet for a minute, and not asked before", async () => {
    const { archivist, asked } = newSubject();

    archivist.plan(running());
    await archivist.check(running());

    expect(archivist.due).toBe(running().updated_at + MINUTE);
    expect(asked).toEqual([]);
  });

  it("is asked once of a quiet task when the answer is yes, and again when something has happened", async () => {
    const subject = newSubject();
    const { archivist } = subject;
    const before = stateOf(IN_PHASE.assigned());
    archivist.plan(before);
    subject.now = START + 10 * MINUTE;

    await archivist.check(before);
    await archivist.check(before);

    expect(subject.asked).toEqual(["task-1"]);
    expect(archivist.due).toBeNull();
    archivist.plan(running());
    expect(archivist.due).toBe(running().updated_at + MINUTE);
  });

  it("tells of a quiet task what follows the last event that history has, at pauses that grow with the silence", async () => {
    const subject = newSubject();
    subject.recordedTo = async () => 1;
    const quietSince = running().updated_at;
    for (const due of [quietSince + MINUTE, quietSince + 2 * MINUTE, quietSince + 4 * MINUTE]) {
      subject.now = due;
      await subject.archivist.check(running());
    }

    const missing = { form: "reference", tenant: "acme", task_id: "task-1", after: 1 };
    expect(subject.told).toEqual([missing, missing, missing]);
    expect(subject.archivist.due).toBe(quietSince + 8 * MINUTE);
  });

  it("is planned for a minute after the end, and not asked before", async () => {
    const { archivist, asked } = newSubject();

    archivist.plan(ended());
    await archivist.check(ended());

    expect(archivist.due).toBe(START + MINUTE);
    expect(asked).toEqual([]);
  });

  it("is asked once when the answer is yes, and then when the retention is over", async () => {
    const subject = newSubject();
    subject.now = START + MINUTE;

    await subject.archivist.check(ended());
    await subject.archivist.check(ended());

    expect(subject.asked).toEqual(["task-1"]);
    expect([...subject.lives]).toEqual([new Date(START).toISOString()]);
    expect(subject.archivist.due).toBe(START + 7 * DAY);
    expect(subject.told).toEqual([]);
  });

  it("tells all of it where history has nothing, and is asked again later", async () => {
    const subject = newSubject();
    subject.recordedTo = async () => 0;
    subject.now = START + MINUTE;

    await subject.archivist.check(ended());

    expect(subject.told).toEqual([
      { form: "reference", tenant: "acme", task_id: "task-1", after: 0 },
    ]);
    expect(subject.archivist.due).toBe(START + 2 * MINUTE);
  });

  it.each([
    ["lacks some after an hour", 60, 1],
    ["has another task of the id", 1, null],
  ])("has all of it written anew when history %s", async (_what, minutes, to) => {
    const tell = async (state: TaskState, quietSince: number) => {
      const subject = newSubject();
      subject.recordedTo = async () => to;
      subject.now = quietSince + minutes * MINUTE;
      await subject.archivist.check(state);
      return subject.told;
    };

    const anew = { form: "reference", after: 0, rebuild: true };
    expect(await tell(running(), running().updated_at)).toMatchObject([anew]);
    expect(await tell(ended(), START)).toMatchObject([anew]);
  });

  it("is not asked any sooner when it fails, and history is told nothing then", async () => {
    const subject = newSubject();
    subject.recordedTo = () => Promise.reject(new Error("D1 is away"));
    subject.now = START + MINUTE;

    await subject.archivist.check(ended());

    expect(subject.archivist.due).toBe(START + 2 * MINUTE);
    expect(subject.told).toEqual([]);
  });
});

describe("the end of the retention", () => {
  it("lets the object be emptied when history says again that it has all", async () => {
    const subject = newSubject();
    subject.now = START + 7 * DAY;

    expect(await subject.archivist.check(ended())).toBe(true);
    expect(subject.asked).toEqual(["task-1"]);
  });

  it("is not there a moment before", async () => {
    const subject = newSubject();
    subject.now = START + 7 * DAY - 1;

    expect(await subject.archivist.check(ended())).toBe(false);
    expect(subject.archivist.due).toBe(START + 7 * DAY);
  });

  it("lets nothing be emptied that history has not got: it is told again, and asked later", async () => {
    const subject = newSubject();
    subject.now = START + 7 * DAY;
    subject.recordedTo = async () => 0;

    expect(await subject.archivist.check(ended())).toBe(false);
    expect(subject.told).toMatchObject([{ form: "reference", rebuild: true }]);
    expect(subject.archivist.due).toBeGreaterThan(subject.now);
  });

  it("lets the object be emptied that history may have forgotten, and tells nothing of it anew", async () => {
    const subject = newSubject(30 * DAY);
    subject.recordedTo = async () => 0;
    const life = IN_PHASE.ended();
    subject.now = START + 30 * DAY;

    expect(await subject.archivist.check(ended())).toBe(true);
    await subject.archivist.tell(stateOf(life), life.log, 0);

    expect(subject.told).toEqual([]);
    expect(subject.logged).toEqual(["task_outlived_history"]);
  });

  it.each([
    ["a moment before it may have forgotten it", 30 * DAY, 30 * DAY - 1, 0],
    ["where it never forgets", null, 3_650 * DAY, 0],
    ["where it has another task of the id", 30 * DAY, 30 * DAY, null],
    ["where it has some of it", 30 * DAY, 30 * DAY, 1],
  ])("has history told anew %s", async (_when, forgottenMs, ended_ms, to) => {
    const subject = newSubject(forgottenMs);
    subject.recordedTo = async () => to;
    subject.now = START + ended_ms;

    expect(await subject.archivist.check(ended())).toBe(false);
    expect(subject.told).toMatchObject([{ form: "reference", rebuild: true }]);
  });

  it("has an alarm of its own, by which it is known", () => {
    const { archivist } = newSubject();

    expect(archivist.isLastAlarm(ended(), START + 7 * DAY)).toBe(true);
    // Of another configuration, and of a question that was repeated.
    expect(archivist.isLastAlarm(ended(), START + 30 * DAY)).toBe(true);
    expect(archivist.isLastAlarm(ended(), START + 7 * DAY + 60 * MINUTE)).toBe(true);
    expect(archivist.isLastAlarm(ended(), START + MINUTE)).toBe(false);
    expect(archivist.isLastAlarm(ended(), undefined)).toBe(false);
    expect(archivist.isLastAlarm(running(), START + 7 * DAY)).toBe(false);
  });
});
