import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { isNewsQueue, newsQueueOf, newsQueues } from "../../src/services-queues.ts";
import { call, eventually } from "./batuta.ts";

// Before anything is built of the bindings, as a deployment would.
Object.assign(env, { EVENTS_1: env.TEST_EVENTS });

describe("two queues of news", () => {
  it("share the tasks, one for all news of each, and history gets everything from both", async () => {
    const sent = new Map<string, Set<number>>();
    for (const [index, queue] of newsQueues(env).entries()) {
      const send = queue.send.bind(queue);
      vi.spyOn(queue, "send").mockImplementation((message, options) => {
        const { task_id } = message as { task_id: string };
        sent.set(task_id, (sent.get(task_id) ?? new Set()).add(index));
        return send(message, options);
      });
    }
    const names = Array.from({ length: 20 }, (_, index) => `shared-${index}`);

    for (const task_id of names) {
      await call("POST", "/v1/tasks", {
        task_id,
        task_type: "research",
        description: "a task that a test submits",
        requires: { capabilities: ["nobody-has-this"] },
      });
    }
    await Promise.all(
      names.map((task_id) => call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel" })),
    );

    await eventually(
      () =>
        env.DB.prepare(
          "SELECT count(*) AS n FROM task WHERE task_id LIKE 'shared-%' AND phase = 'ended'",
        ).first("n"),
      (rows) => rows === names.length,
    );
    expect([...sent.values()].every((queues) => queues.size === 1)).toBe(true);
    const used = [...sent.values()].flatMap((queues) => [...queues]);
    expect(new Set(used)).toEqual(new Set([0, 1]));
  });

  it("are EVENTS alone where nothing else is bound", () => {
    const { EVENTS_1: _second, ...alone }: Env & { EVENTS_1?: Queue } = env;

    expect(newsQueues(alone)).toEqual([env.EVENTS]);
    expect(newsQueueOf(alone, { tenant: "acme", task_id: "t" })).toBe(env.EVENTS);
  });

  it.each([
    ["batuta-events", true],
    ["batuta-events-1", true],
    ["batuta-events-0", false],
    ["batuta-executions", false],
  ])("are known by their names: %s", (name, isOne) => {
    expect(isNewsQueue(name)).toBe(isOne);
  });
});
