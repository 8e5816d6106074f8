import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readTypeHistory } from "../../src/observe/type-history-store.ts";
import { endedView, failedView } from "../seeded-runs.ts";
import { at, viewOf } from "../task-news.ts";
import { seed } from "./tenant.ts";

const lasting = (duration_s: number) => ({ usage: { cost_usd: 0, tokens: 0, duration_s } });

describe("the history of a task type", () => {
  it("counts what ended uncancelled, by type, in the tenant and since the instant", async () => {
    await seed("acme", [
      endedView("a", { ...lasting(10), task_type: "research" }),
      endedView("b", { ...lasting(20), task_type: "research" }),
      failedView("c", "tool", { ...lasting(40), task_type: "research" }),
      endedView("d", { ...lasting(80), task_type: "research" }),
      endedView("cancelled", { task_type: "research", end_reason: "cancelled", ...lasting(999) }),
      endedView("old", { task_type: "research", created_at: at(-10), ...lasting(999) }),
      viewOf({ task_id: "open", task_type: "research", status: "running", phase: "executing" }),
      viewOf({ task_id: "waiting", task_type: "testing" }),
    ]);
    await seed("other", [endedView("foreign", { task_type: "research", ...lasting(999) })]);

    const history = await readTypeHistory(env.DB, "acme", at(0));

    expect([...history]).toEqual([
      ["research", { runs: 4, success_rate: 0.75, p50_s: 20, p95_s: 80 }],
    ]);
  });

  it("is empty for a tenant without history", async () => {
    expect((await readTypeHistory(env.DB, "nobody", at(0))).size).toBe(0);
  });
});
