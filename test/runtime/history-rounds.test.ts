import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { HistoryPorts } from "../../src/history/history-consumer.ts";
import type { RawNews } from "../../src/history/news.ts";
import { eventsOf, T0, viewOf } from "../task-news.ts";
import { consume, homes, newsOf, reference } from "./news-batch.ts";

/** A clock that stands still but for what the databases take. */
function stoppedClock() {
  let at = T0;
  return { now: () => at, pass: (ms: number) => void (at += ms) };
}

/** The real database, which takes so long for what is written, by that clock, and then answers or fails. */
function slowDb(takes_ms: number, { pass }: ReturnType<typeof stoppedClock>, error?: Error) {
  let asked = 0;
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name) as unknown;
      return async (statements: D1PreparedStatement[]) => {
        asked += 1;
        const results = await target.batch(statements);
        pass(takes_ms);
        if (error !== undefined) throw error;
        return results;
      };
    },
  });
  return { db, asked: () => asked };
}

const read = async (_tenant: string, task_id: string): Promise<RawNews> => ({
  view: JSON.stringify(viewOf({ task_id, seq: 2 })),
  events: eventsOf(1, 2),
});

/** Three groups of one tenant, and one of another. */
async function threeGroups(tenant: string, slow: ReturnType<typeof slowDb>, now: () => number) {
  const references = Array.from({ length: 10 }, (_, index) =>
    reference(tenant, { task_id: `task-${index}` }),
  );
  return consume([newsOf(tenant, 1, 1), ...references, newsOf(`beside-${tenant}`, 1, 1)], {
    history: homes((of) => (of === tenant ? slow.db : env.DB)),
    read,
    now,
  });
}

describe("a round of writing news", () => {
  it("asks a database once that failed late, as one that gave up by itself", async () => {
    const clock = stoppedClock();
    const slow = slowDb(14_900, clock, new Error("D1_ERROR: the query took too long"));

    const { acked, retried } = await threeGroups("late-error", slow, clock.now);

    expect(slow.asked()).toBe(1);
    expect([acked, retried.length]).toEqual([["m11"], 11]);
  });

  it("asks a database once that answered late, and acknowledges what that took", async () => {
    const clock = stoppedClock();
    const slow = slowDb(5_100, clock);

    const { acked, retried } = await threeGroups("late-answer", slow, clock.now);

    expect(slow.asked()).toBe(1);
    expect([acked.toSorted(), retried.length]).toEqual([["m0", "m11"], 10]);
  });

  it("goes on asking one that answers, or fails, within a third of the patience", async () => {
    const clock = stoppedClock();
    const answers = slowDb(4_900, clock);
    const fails = slowDb(4_900, clock, new Error("D1_ERROR: constraint failed"));

    const answered = await threeGroups("in-time", answers, clock.now);
    const failed = await threeGroups("refused-in-time", fails, clock.now);

    expect([answers.asked(), fails.asked()]).toEqual([3, 3]);
    expect([answered.acked.length, failed.acked]).toEqual([12, ["m11"]]);
  });

  it("begins nothing after its time, so that what was written is acknowledged", async () => {
    const clock = stoppedClock();
    const slow = slowDb(4_900, clock);
    const suspects = Array.from({ length: 99 }, (_, index) =>
      newsOf("endless", 1, 1, `task-${index}`),
    );

    const { acked, retried } = await consume(
      [...suspects, newsOf("beside", 1, 1)],
      { history: homes((tenant) => (tenant === "endless" ? slow.db : env.DB)), now: clock.now },
      4,
    );

    // The last of them began 298.9 s after the begin.
    expect(slow.asked()).toBe(62);
    expect([acked.length, acked.includes("m99"), retried.length]).toEqual([63, true, 37]);
  });

  it("asks no more where tenants are after its time", async () => {
    const clock = stoppedClock();
    const asked: string[] = [];
    const history: HistoryPorts["history"] = {
      known: () => null,
      learn: async () => undefined,
      of: async (tenant) => {
        asked.push(tenant);
        clock.pass(10_000);
        return env.DB;
      },
    };
    const bodies = Array.from({ length: 40 }, (_, index) => newsOf(`unplaced-${index}`, 1, 1));

    const { acked, retried } = await consume(bodies, { history, now: clock.now });

    expect(asked).toHaveLength(30);
    expect([acked, retried.length]).toEqual([[], 40]);
  });
});
