import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { eventually } from "./batuta.ts";

interface QueueFace {
  queue(
    name: string,
    messages: { id: string; timestamp: Date; attempts: number; body: unknown }[],
  ): Promise<{ outcome: string; explicitAcks: string[] }>;
}

const face = exports.default as unknown as QueueFace;

function message(body: unknown) {
  return { id: "m1", timestamp: new Date(0), attempts: 1, body };
}

describe("the queues", () => {
  it.each(["batuta-executions", "batuta-events", "batuta-retries"])(
    "put a message of %s that does not parse where an operator finds it",
    async (queue) => {
      const outcome = await face.queue(queue, [message({ nonsense: queue })]);

      expect(outcome.explicitAcks).toEqual(["m1"]);
      await eventually(
        async () =>
          (await env.DB.prepare("SELECT body FROM dead_letter WHERE queue = ?").bind(queue).all())
            .results,
        (rows) => rows.length === 1,
      );
    },
  );

  it("skip an execution that no pool has reserved", async () => {
    const body = { tenant: "default", pool: "default", task_id: "never-submitted" };

    const outcome = await face.queue("batuta-executions", [message(body)]);

    expect(outcome.explicitAcks).toEqual(["m1"]);
  });

  it("refuse a queue that nobody consumes", async () => {
    const outcome = await face.queue("somebody-elses", [message({})]);

    expect(outcome).toMatchObject({ outcome: "exception", explicitAcks: [] });
  });
});
