import { describe, expect, it } from "vitest";

import { historyMessageSchema } from "../../src/protocol/queue-messages.ts";
import {
  announcementOf,
  historyMessageOf,
  leaseOf,
  newsOf,
  pooledAttempt,
  poolErrand,
} from "../../src/task/outbox.ts";
import {
  IN_PHASE,
  START,
  assign,
  completed,
  decline,
  end,
  later,
  live,
  notificationOf,
  notify,
  order,
  resolve,
  stateOf,
  step,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const errandOf = (before: Life, command: Parameters<typeof step>[1]) =>
  poolErrand(before.state, stateOf(step(before, command).life));

describe("the pool is told", () => {
  it("of a new task, a declined one and an answered one that each wants an executor", () => {
    expect(poolErrand(null, stateOf(IN_PHASE.queued()))).toEqual({ kind: "announce" });
    expect(errandOf(IN_PHASE.assigned(), decline())).toEqual({ kind: "announce" });
    expect(errandOf(IN_PHASE.awaiting_input(), resolve("resume"))).toEqual({ kind: "announce" });
    expect(errandOf(IN_PHASE.queued(), order("set_priority"))).toEqual({ kind: "announce" });
  });

  it("of a slot that is free, and of a task that waits for something else", () => {
    expect(errandOf(IN_PHASE.queued(), order("escalate"))).toMatchObject({
      kind: "release",
      attempt: 1,
      outcome: null,
    });
    expect(errandOf(IN_PHASE.executing(), order("escalate"))).toMatchObject({
      kind: "release",
      attempt: 1,
      outcome: { kind: "other", has_started: true },
    });
  });

  it("of nothing else: an assignment it knows, an end is the cleanup's business", () => {
    expect(errandOf(IN_PHASE.queued(), assign())).toBeNull();
    expect(errandOf(IN_PHASE.queued(), order("cancel"))).toBeNull();
    expect(errandOf(IN_PHASE.executing(), end("success"))).toBeNull();
    expect(errandOf(IN_PHASE.queued(), order("acknowledge"))).toBeNull();
    expect(poolErrand(null, stateOf(IN_PHASE.awaiting_approval()))).toBeNull();
  });

  it("of the attempt to come while nobody holds the task", () => {
    expect(pooledAttempt(stateOf(IN_PHASE.queued()))).toBe(1);
    expect(pooledAttempt(stateOf(IN_PHASE.executing()))).toBe(1);
    expect(pooledAttempt(stateOf(IN_PHASE.retry_wait()))).toBe(2);
  });

  it("how long a slot may be needed at most, and since when the task waits", () => {
    const state = stateOf(live(IN_PHASE.queued({ timeout: 100 }), order("grant_resources")));

    expect(announcementOf(state)).toMatchObject({
      attempt: 1,
      ready_at: START,
      slot_seconds: 100 + 60 + 60 + 360,
      retry_delay: 30,
    });
  });
});

describe("the pool is told since when a task waits", () => {
  it("which no decline changes, and when it was given back the last time", () => {
    const twice = live(
      later(live(later(IN_PHASE.assigned(), 10), decline(), assign(2, "bob")), 5),
      decline("token-2"),
    );

    expect(announcementOf(stateOf(IN_PHASE.queued()))).not.toHaveProperty("free_again_at");
    expect(announcementOf(stateOf(twice))).toMatchObject({
      declined_by: ["ann", "bob"],
      ready_at: START,
      free_again_at: START + 15_000,
    });
  });

  it("anew when an escalation has been answered", () => {
    const asked = live(later(IN_PHASE.queued(), 10), order("escalate"));

    const { ready_at } = announcementOf(stateOf(live(later(asked, 60), resolve("resume"))));

    expect(ready_at).toBe(START + 70_000);
  });
});

describe("history is told", () => {
  it("whole news while they fit into a message", () => {
    const life = IN_PHASE.awaiting_input();

    const message = historyMessageOf(stateOf(life), life.log, 0);

    expect(historyMessageSchema.parse(message)).toEqual(message);
    expect(message).toMatchObject({ form: "whole", escalation: expect.any(String) });
  });

  it("of an escalation that was closed before the next one was opened, once", () => {
    const first = IN_PHASE.awaiting_input();
    const second = live(
      first,
      resolve("resume", { answer: "left" }),
      assign(2),
      notify(notificationOf("task_started"), "token-2"),
      notify(notificationOf("task_escalated"), "token-2"),
    );
    const since = (life: typeof second, seq: number) =>
      historyMessageOf(
        stateOf(life),
        life.log.filter((event) => event.seq > seq),
        seq,
      );

    const message = historyMessageSchema.parse(since(second, stateOf(first).seq));
    const next = since(second, stateOf(second).seq - 1);

    const earlier = message.form === "whole" ? (message.earlier ?? []) : [];
    expect(earlier.map((text) => JSON.parse(text))).toMatchObject([
      { escalation_id: "esc_1_task-1", state: "resolved", answer: "left" },
    ]);
    expect(next).not.toHaveProperty("earlier");
  });

  it("where to read what does not fit", () => {
    const life = live(IN_PHASE.executing(), completed({ result: { text: "é".repeat(60_000) } }));

    expect(historyMessageOf(stateOf(life), life.log, 3)).toEqual({
      form: "reference",
      tenant: "acme",
      task_id: "task-1",
      after: 3,
    });
  });
});

describe("endpoints are told", () => {
  it("what they filter by, and the events without the token", () => {
    const life = IN_PHASE.executing({ tags: ["a"], priority: "high" });

    const news = newsOf(stateOf(life), life.log);

    expect(news.task).toMatchObject({
      task_id: "task-1",
      priority: "high",
      agent_id: "ann",
      tags: ["a"],
      callback_url: null,
    });
    expect(JSON.stringify(news)).not.toContain("token-1");
  });

  it("who held the task last when nobody does now", () => {
    expect(newsOf(stateOf(IN_PHASE.retry_wait()), []).task.agent_id).toBe("ann");
    expect(newsOf(stateOf(IN_PHASE.queued()), []).task.agent_id).toBeNull();
  });
});

describe("a lease", () => {
  it("is that of the holder, and there is none without one", () => {
    expect(leaseOf(stateOf(IN_PHASE.assigned()))).toEqual({
      token: "token-1",
      attempt: 1,
      expires_at: new Date(START + 60_000).toISOString(),
    });
    expect(() => leaseOf(stateOf(IN_PHASE.queued()))).toThrow("nobody holds");
  });
});
