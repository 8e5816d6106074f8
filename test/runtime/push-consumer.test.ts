import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { consumePushes } from "../../src/dispatch/push/push-consumer.ts";
import type { PushPorts } from "../../src/dispatch/push/push.ts";
import { ok } from "../../src/lib/result.ts";

const message = (task_id: string) => ({
  tenant: "acme",
  pool: "default",
  task_id,
  agent_id: "ann",
});

/** Consumes one batch with pushes that this function stands for. */
async function consume(bodies: unknown[], take: PushPorts["take"]) {
  const letters: string[][] = [];
  const messages = bodies.map((body, index) => ({
    id: `m${index}`,
    timestamp: new Date(),
    attempts: 1,
    body,
  }));
  const batch = createMessageBatch<unknown>("batuta-pushes", messages);
  const none = () => Promise.reject(new Error("must not be asked"));
  await consumePushes(batch, {
    ports: {
      now: () => 0,
      log: () => {},
      pool: () => {
        throw new Error("must not be asked");
      },
      known: async (_tenant, agent_id) => ({
        agent_id,
        registration: {
          schema_version: "2.0",
          capabilities: [],
          task_types: [],
          labels: {},
          slots: 1,
          pools: ["default"],
          weight: 1,
          url: "https://ann.example",
        },
        secret: "",
        key_id: null,
        is_draining: false,
        updated_at: "",
      }),
      take,
      decline: none,
      post: none,
      tellWithheld: none,
    },
    deadLetter: async (...letter) => {
      letters.push(letter);
    },
  });
  return { letters, result: await getQueueResult(batch, createExecutionContext()) };
}

describe("the consumer of pushes", () => {
  it("acks what is done, and has come again what broke", async () => {
    const { result } = await consume([message("t1"), message("t2")], async ({ task_id }) => {
      if (task_id === "t2") throw new Error("no object");
      return ok(null);
    });

    expect(result.explicitAcks).toEqual(["m0"]);
    expect(result.retryMessages).toMatchObject([{ msgId: "m1" }]);
  });

  it("puts aside what is no push", async () => {
    const { letters, result } = await consume([{ task_id: "t1" }], async () => ok(null));

    expect(result.explicitAcks).toEqual(["m0"]);
    expect(letters).toEqual([
      ["batuta-pushes", expect.stringContaining("agent_id"), '{"task_id":"t1"}'],
    ]);
  });

  it("has no more than six pushes under way", async () => {
    let [underWay, most] = [0, 0];
    const bodies = Array.from({ length: 20 }, (_, index) => message(`t${index}`));

    await consume(bodies, async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await scheduler.wait(1);
      underWay -= 1;
      return ok(null);
    });

    expect(most).toBe(6);
  });
});
