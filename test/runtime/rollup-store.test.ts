import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { writeHistory } from "../../src/history/history-store.ts";
import type { TaskNews } from "../../src/history/news.ts";
import { project } from "../../src/history/projection.ts";
import { removeTasks } from "../../src/history/removed-store.ts";
import { outcomeOfView } from "../../src/history/removed.ts";
import { foldRollup } from "../../src/history/rollup-store.ts";
import { readRollupTotals } from "../../src/observe/rollup/rollup-store.ts";
import { LAST, LIVES, newsOfLife } from "../rollup-news.ts";
import { at, T0, viewOf } from "../task-news.ts";

let tenants = 0;
const newTenant = () => `rolled-${(tenants += 1)}`;

const DAY = T0 / 1_000;
const HOUR_LATER = { from: 60, to: 3_600, before: DAY + 3_600 };

const write = (...news: TaskNews[]) => writeHistory(env.DB, project(news));

/** The rows of a tenant, without what is 0. */
async function rowsOf(tenant: string) {
  const { results } = await env.DB.prepare("SELECT * FROM task_rollup WHERE tenant = ?")
    .bind(tenant)
    .all();
  return results.map((row) =>
    Object.fromEntries(
      Object.entries(row).filter(([name, value]) => name !== "tenant" && value !== 0),
    ),
  );
}

const lifeOf = (tenant: string, task_id: string, to = LAST, isRebuild = false) => {
  const life = LIVES.find((one) => one.task_id === task_id);
  if (life === undefined) throw new Error(`no life ${task_id}`);
  return newsOfLife(tenant, life, { from: 1, to, isRebuild });
};

/** What the three lives come to. */
const FIGURES = [
  { step: 60, bucket: DAY, task_type: "data_analysis", created: 2, escalations: 3 },
  { step: 60, bucket: DAY, task_type: "research", created: 1 },
  {
    step: 60,
    bucket: DAY + 120,
    task_type: "data_analysis",
    agent_id: "exec-1",
    completed: 1,
    duration_ms: 130_000,
    duration_6: 1,
    cost_nano_usd: 100_000_000,
    tokens: 100,
    quality_sum: 900_000,
    quality_count: 1,
    task_progress: 7,
    agent_end_task: 1,
  },
  {
    step: 60,
    bucket: DAY + 120,
    task_type: "testing",
    agent_id: "exec-2",
    failed: 1,
    duration_ms: 130_000,
    duration_6: 1,
    cost_nano_usd: 200,
    tokens: 7,
    retries: 2,
    task_progress: 7,
    agent_end_task: 1,
  },
].map((row) => ({ agent_id: "", ...row }));

async function live(tenant: string): Promise<void> {
  await write(...LIVES.map((life) => newsOfLife(tenant, life, { from: 1, to: LAST })));
}

describe("the roll-up of tasks", () => {
  it("has exact figures by minute, type and executor after a scripted run", async () => {
    const tenant = newTenant();

    await live(tenant);

    expect(await rowsOf(tenant)).toEqual(FIGURES);
  });

  it("is the same whatever the order, the batches and the repetitions of the news, rebuilds among them", async () => {
    const moves = LIVES.flatMap((life) =>
      Array.from({ length: LAST }, (_, index) => ({
        life,
        from: index + 1,
        to: index + 1,
        isRebuild: false,
      })),
    );
    const extra = fc.record({
      life: fc.constantFrom(...LIVES),
      from: fc.integer({ min: 1, max: LAST }),
      to: fc.integer({ min: 1, max: LAST }),
      isRebuild: fc.boolean(),
    });

    await fc.assert(
      fc.asyncProperty(
        fc
          .array(extra, { maxLength: 12 })
          .chain((more) =>
            fc.tuple(
              fc.shuffledSubarray(
                [
                  ...moves,
                  ...more.map((move) => ({ ...move, from: Math.min(move.from, move.to) })),
                ],
                { minLength: moves.length + more.length },
              ),
              fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 39, maxLength: 39 }),
            ),
          ),
        async ([order, sizes]) => {
          const tenant = newTenant();
          const queue = order.map(({ life, ...range }) => newsOfLife(tenant, life, range));
          const batches = sizes.map((size) => queue.splice(0, size));
          for (const batch of batches) await write(...batch);

          expect(await rowsOf(tenant)).toEqual(FIGURES);

          for (const batch of batches.toReversed()) await write(...batch);
          expect(await rowsOf(tenant)).toEqual(FIGURES);
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);

  it("counts what history has never heard of when it is rebuilt, and what it has lost of a task not again", async () => {
    const tenant = newTenant();
    await write(lifeOf(tenant, "success", LAST, true));
    await env.DB.prepare("UPDATE task SET phase = 'executing' WHERE tenant = ?").bind(tenant).run();

    await write(lifeOf(tenant, "success", LAST, true));

    const rows = await rowsOf(tenant);
    expect(rows.map(({ created, completed }) => [created, completed])).toEqual([
      [1, undefined],
      [undefined, 1],
    ]);
  });

  it("counts nothing of a task that was removed, and keeps what was counted of it", async () => {
    const tenant = newTenant();
    await live(tenant);
    const removal = {
      task_id: "success",
      created_at: at(0),
      seq: LAST,
      ended_at: at(130),
      removed_at: at(200),
      outcome: outcomeOfView(viewOf()),
      place: null,
      escalation_ids: ["esc_1_success", "esc_2_success"],
      debt_ids: [],
    };
    await removeTasks(env.DB, tenant, [removal]);

    await write(lifeOf(tenant, "success"), lifeOf(tenant, "success", 5));

    expect(await rowsOf(tenant)).toEqual(FIGURES);
  });

  it("counts what one message claims beyond all measure, and what follows it", async () => {
    const tenant = newTenant();
    const vast = (task_id: string) =>
      newsOfLife(
        tenant,
        {
          task_id,
          task_type: "general",
          asks: [],
          end: {
            status: "completed",
            agent_id: "exec-1",
            usage: { cost_usd: 1e15, tokens: Number.MAX_SAFE_INTEGER, duration_s: 0 },
          },
        },
        { from: 1, to: LAST },
      );
    for (let count = 0; count < 3; count += 1) {
      await write(...Array.from({ length: 600 }, (_, index) => vast(`vast-${count}-${index}`)));
    }

    await foldRollup(env.DB, tenant, HOUR_LATER);

    const [total] = await readRollupTotals(env.DB, tenant);
    expect(total?.amounts).toMatchObject({ created: 1_800, completed: 1_800 });
    expect(total?.amounts.tokens).toBeGreaterThan(9e18);
  });

  it("costs a row for each minute, type and executor, however many tasks were counted in it", async () => {
    const tenant = newTenant();
    const many = (task_id: string, to: number) =>
      newsOfLife(
        tenant,
        { task_id, task_type: "testing", asks: [], end: { status: "completed", agent_id: "one" } },
        { from: 1, to },
      );
    const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);

    const created = await write(...names.map((name) => many(name, 1)));
    const ended = await write(...names.map((name) => many(name, LAST)));

    // 3 for each new task, and 1 for each that is completed (history-store.test.ts).
    expect([created - 50 * 3, ended - 50]).toEqual([1, 1]);
  });
});
