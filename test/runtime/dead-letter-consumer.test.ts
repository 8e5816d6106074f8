import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { consumeDeadLetters } from "../../src/history/dead-letter-consumer.ts";
import { listDeadLetters } from "../../src/history/dead-letter-store.ts";
import { at, T0 } from "../task-news.ts";

const events: string[] = [];
const ports = {
  db: env.DB,
  now: () => T0,
  log: (_level: string, event: string) => void events.push(event),
};

async function consume(...bodies: unknown[]) {
  const messages = bodies.map((body, index) => ({
    id: `dead-${index}`,
    timestamp: new Date(T0),
    attempts: 1,
    body,
  }));
  const batch = createMessageBatch<unknown>("batuta-dead-letters", messages);
  await consumeDeadLetters(batch, ports);
  return getQueueResult(batch, createExecutionContext());
}

describe("the consumer of dead letters", () => {
  it("stores what was put aside and what the platform gave up on, and logs each", async () => {
    const result = await consume(
      { queue: "batuta-events", reason: "/form is wrong", body: '{"form":7}' },
      { webhook_id: `wh_${"a".repeat(22)}`, tenant: "acme", due: 5 },
      { form: "reference", tenant: "acme", task_id: "task-1", after: 3 },
      { tenant: "acme", pool: "default", task_id: "task-1" },
      { tenant: "acme", pool: "default", task_id: "task-1", agent_id: "ann" },
      "nonsense",
    );

    const listed = await listDeadLetters(env.DB, { isBootstrap: true }, { limit: 10 });
    const letters = listed.ok ? listed.value.items.toReversed() : [];
    expect(letters.map(({ id, queue, received_at }) => [id, queue, received_at])).toEqual([
      ["dead-0", "batuta-events", at(0)],
      ["dead-1", "retries", at(0)],
      ["dead-2", "events", at(0)],
      ["dead-3", "executions", at(0)],
      ["dead-4", "pushes", at(0)],
      ["dead-5", "unknown", at(0)],
    ]);
    expect(letters[0]).toMatchObject({ reason: "/form is wrong", body: '{"form":7}' });
    expect(letters[5]).toMatchObject({ reason: "retries are used up", body: '"nonsense"' });
    expect(result.ackAll).toBe(true);
    expect(events).toEqual(Array(6).fill("dead_letter_stored"));
  });

  it("keeps messages that D1 could not store", async () => {
    await env.DB.exec("DROP TABLE dead_letter");

    const result = await consume("lost?");

    expect(result).toMatchObject({ ackAll: false, retryBatch: { retry: true } });
    expect(events.at(-1)).toBe("dead_letters_not_stored");
  });
});
