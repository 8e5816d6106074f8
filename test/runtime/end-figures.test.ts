import { describe, expect, it } from "vitest";

import type { Metrics } from "../../src/protocol/observation.ts";
import { Executor, call, ended, eventually, submit } from "./batuta.ts";

describe("the counters of /v1/metrics", () => {
  it("change with each end", async () => {
    const executor = await new Executor("counted").register();
    const figures = async () =>
      (await call<Metrics>("GET", "/v1/metrics?by=agent&agent_id=counted")).body.groups[0] ?? null;
    const before = await figures();
    const endAs = async (reason: "success" | "failure") => {
      const { task_id } = await submit({
        requires: { capabilities: ["counted"] },
        execution_options: { retry_policy: { max_retries: 0 } },
      });
      await executor.claim();
      await executor.start();
      if (reason === "success") {
        await executor.complete();
        await executor.end();
      } else await executor.fail();
      return task_id;
    };

    await ended(await endAs("success"));
    const once = await eventually(figures, (group) => group?.runs === 1);
    await endAs("failure");
    const twice = await eventually(figures, (group) => group?.runs === 2);

    expect(before).toBeNull();
    expect(once).toMatchObject({ succeeded: 1, success_rate: 1, tokens: 10, cost_usd: 0.01 });
    expect(twice).toMatchObject({
      succeeded: 1,
      success_rate: 0.5,
      failure_causes: [{ cause: "tool", count: 1 }],
    });
  }, 30_000);
});
