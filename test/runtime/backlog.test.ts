import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readBacklog } from "../../src/observe/backlog-store.ts";
import { at } from "../task-news.ts";

/** Puts pending tasks into the index, all created at one instant. */
async function insert(tenant: string, of: { phase: string; count: number; created_at: string }) {
  if (of.count === 0) return;
  await env.DB.prepare(
    `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?4)
     INSERT INTO task (tenant, task_id, created_at, seq, status, phase, task_type, priority, tags, events_to, view, events)
     SELECT ?1, ?2 || n, ?3, 1, 'pending', ?2, 'general', 'normal', '[]', 1, '{}', '[]' FROM number`,
  )
    .bind(tenant, of.phase, of.created_at, of.count)
    .run();
}

describe("tasks that wait for an executor", () => {
  it.each([
    { others: 0, queued: 0, waiting: 0, isComplete: true },
    { others: 1_000, queued: 1_000, waiting: 1_000, isComplete: true },
    { others: 1_500, queued: 1_001, waiting: 1_000, isComplete: false },
    { others: 9_999, queued: 1, waiting: 1, isComplete: true },
    { others: 9_999, queued: 2, waiting: 1, isComplete: false },
  ])(
    "are $waiting of $queued behind $others older ones that wait for something else, and whether that is all is said",
    async ({ others, queued, waiting, isComplete }) => {
      const tenant = `backlog-${others}-${queued}`;
      await insert(tenant, { phase: "waiting_dependencies", count: others, created_at: at(0) });
      await insert(tenant, { phase: "queued", count: queued, created_at: at(1) });
      await insert(`${tenant}-not`, { phase: "queued", count: 1, created_at: at(0) });

      expect(await readBacklog(env.DB, tenant)).toEqual({
        waiting,
        oldest_created_at: waiting === 0 ? null : at(1),
        isComplete,
      });
    },
  );
});
