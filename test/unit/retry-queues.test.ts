import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";

const root = path.join(import.meta.dirname, "../..");

/** What is looked at here of wrangler.toml. */
const queuesSchema = z.object({
  queues: z.object({
    producers: z.array(z.object({ binding: z.string(), queue: z.string() })),
    consumers: z.array(
      z.object({
        queue: z.string(),
        max_batch_size: z.int(),
        max_batch_timeout: z.int(),
        max_concurrency: z.int().nullish(),
      }),
    ),
  }),
});

function queuesOf(environment: "" | "production") {
  const config = path.join(root, "wrangler.toml");
  return queuesSchema.parse(unstable_readConfig({ config, env: environment })).queues;
}

/** By what waits: the queue, the binding that fills it, and what its consumer takes at a time. */
const QUEUES = [
  {
    queue: "batuta-retries-critical",
    binding: "RETRIES_CRITICAL",
    takes: { max_batch_size: 10, max_batch_timeout: 0, max_concurrency: null },
  },
  {
    queue: "batuta-retries",
    binding: "RETRIES",
    takes: { max_batch_size: 100, max_batch_timeout: 0, max_concurrency: null },
  },
  {
    queue: "batuta-retries-bulk",
    binding: "RETRIES_BULK",
    takes: { max_batch_size: 100, max_batch_timeout: 1, max_concurrency: 20 },
  },
];

describe.each(["", "production"] as const)("the queues of retries in environment '%s'", (name) => {
  it.each(QUEUES)(
    "$queue has batches and consumers of its own",
    ({ queue, binding, takes: { max_concurrency, ...takes } }) => {
      const { producers, consumers } = queuesOf(name);

      const consumer = consumers.find((each) => each.queue === queue);
      expect(producers.filter((each) => each.queue === queue)).toEqual([{ binding, queue }]);
      expect(consumer).toMatchObject(takes);
      expect(consumer?.max_concurrency ?? null).toBe(max_concurrency);
    },
  );

  it("are consumed like every other queue that is filled", () => {
    const { producers, consumers } = queuesOf(name);
    const source = readFileSync(path.join(root, "src/queues.ts"), "utf8");

    const filled = producers.map(({ queue }) => queue).toSorted();
    expect(consumers.map(({ queue }) => queue).toSorted()).toEqual(filled);
    expect(filled.filter((queue) => !source.includes(`"${queue}"`))).toEqual([]);
  });
});
