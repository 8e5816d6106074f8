import { describe, expect, it } from "vitest";

import { RETENTION_MS } from "../../src/dispatch/batch/batch.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { planOf } from "../unit/batch-fixture.ts";
import { planned, requestOf } from "../unit/request-fixture.ts";
import { newBatch } from "./batch-world.ts";
import { accepted, codeOf } from "./task-world.ts";

const SEQUENCE = [[], [0], [1]];

describe("a batch's object", () => {
  it("creates every task, and gates those that may not start yet", async () => {
    const batch = await newBatch();

    const begun = accepted(await batch.begin(SEQUENCE));

    expect(begun.isNew).toBe(true);
    expect(batch.created).toEqual(["t0", "t1 gated", "t2 gated"]);
  });

  it("knows the same body again, and refuses another one", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE);

    const again = accepted(await batch.begin(SEQUENCE));
    const other = await batch.beginPlan({ ...planOf(SEQUENCE), body_hash: "other" });

    expect(again.isNew).toBe(false);
    expect(codeOf(other)).toBe("idempotency_conflict");
    expect(codeOf(await batch.stub.find("other"))).toBe("idempotency_conflict");
    expect(batch.created).toHaveLength(3);
  });

  it("lets the next one go when one has ended, once", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE);

    expect(await batch.stub.gate("t1")).toEqual({ is_open: false });
    await batch.end("t0", "failed");
    await batch.end("t0", "failed");

    expect(batch.poked).toEqual(["t1"]);
    expect(await batch.stub.gate("t1")).toEqual({ is_open: true });
    expect(await batch.stub.gate("t2")).toEqual({ is_open: false });
  });

  it("goes on after an eviction where it was", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE);
    await batch.end("t0");
    await batch.evict();
    await batch.end("t1");
    await batch.evict();

    expect(await batch.stub.gate("t2")).toEqual({ is_open: true });
    await batch.end("t2");
    expect(await batch.state()).toBe("completed");
  });

  it("creates the rest by itself when a part of the system was away, also after an eviction", async () => {
    const batch = await newBatch();
    batch.refuse = async (task_id) => {
      if (task_id === "t1") throw new Error("unreachable");
      return undefined;
    };

    expect((await batch.begin(SEQUENCE)).ok).toBe(true);
    expect(batch.logged).toEqual(["batch_tasks_not_created"]);
    await batch.evict();
    batch.refuse = () => undefined;
    await batch.ring();

    expect(new Set(batch.created)).toEqual(new Set(["t0", "t1 gated", "t2 gated"]));
    expect((await batch.record()).is_created).toBe(true);
  });

  it("takes a task that could not be created for an end, and goes on", async () => {
    const batch = await newBatch();
    batch.refuse = async (task_id) =>
      task_id === "t0" ? refuse({ code: "parent_refused", detail: "no parent" }) : undefined;

    await batch.begin(SEQUENCE);

    expect((await batch.record()).ends).toMatchObject([
      { task_id: "t0", status: null, problem: { code: "parent_refused" } },
    ]);
    expect(batch.poked).toEqual(["t1"]);
  });

  it("stops the rest when the first one fails, where it is told to", async () => {
    const batch = await newBatch();
    await batch.begin([[], [], []], { fail_fast: true, max_concurrent: 2 });

    await batch.end("t1", "failed");

    expect(batch.stopped).toEqual(["t0 cancelled", "t2 cancelled"]);
    expect(batch.poked).toEqual([]);
    expect(await batch.state()).toBe("running");
    await batch.end("t0", "cancelled");
    await batch.end("t2", "cancelled");
    expect(await batch.state()).toBe("failed");
  });

  it("stops what has not ended when its time is over", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE, { timeout: 60 });
    await batch.end("t0");

    await batch.ring();

    expect(batch.stopped).toEqual(["t1 timeout", "t2 timeout"]);
    expect(await batch.stub.gate("t2")).toMatchObject({ stop: { reason: "timeout" } });
    await batch.end("t1", "failed");
    await batch.end("t2", "failed");
    expect(await batch.state()).toBe("timed_out");
  });

  it("is cancelled once, and not at all when it has ended", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE);

    accepted(await batch.stub.cancel("enough"));
    accepted(await batch.stub.cancel("more than enough"));

    expect(batch.stopped).toEqual(["t0 cancelled", "t1 cancelled", "t2 cancelled"]);
    expect((await batch.record()).stop?.message).toBe("enough");
    for (const task_id of ["t0", "t1", "t2"]) await batch.end(task_id, "cancelled");
    expect(await batch.state()).toBe("cancelled");
    accepted(await batch.stub.cancel("too late"));
    expect(batch.stopped).toHaveLength(3);
  });

  it("tells again what it could not tell, also after an eviction", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE);
    batch.tell = () => Promise.reject(new Error("unreachable"));

    await batch.end("t0");
    batch.tell = () => undefined;
    await batch.ring();
    expect(batch.poked).toEqual(["t1"]);

    batch.tell = () => Promise.reject(new Error("unreachable"));
    accepted(await batch.stub.cancel("enough"));
    await batch.evict();
    batch.tell = () => undefined;
    await batch.ring();
    expect(batch.stopped).toEqual(["t1 cancelled", "t2 cancelled"]);
  });

  it("is forgotten a while after its end, with all its rows", async () => {
    const batch = await newBatch();
    await batch.begin([[]]);
    await batch.end("t0");
    const ended = batch.now;

    await batch.ring();
    if (batch.now < ended + RETENTION_MS) await batch.ring();

    expect(batch.now).toBe(ended + RETENTION_MS);
    expect(await batch.rows()).toBe(0);
    expect(codeOf(await batch.stub.read())).toBe("batch_not_found");
    expect(await batch.alarm()).toBeNull();
  });

  it("writes nothing for a batch that is not there", async () => {
    const batch = await newBatch();

    expect(codeOf(await batch.stub.read())).toBe("batch_not_found");
    expect(codeOf(await batch.stub.cancel("x"))).toBe("batch_not_found");
    expect(await batch.stub.gate("t0")).toEqual({ is_open: false });
    await batch.end("t0");

    expect(await batch.rows()).toBe(0);
  });

  it("holds one row for the plan, one for the progress and one for each end", async () => {
    const batch = await newBatch();
    await batch.begin(SEQUENCE);

    expect(await batch.rows()).toBe(2);
    await batch.end("t0");
    await batch.end("t1");
    expect(await batch.rows()).toBe(4);
  });

  it("keeps a plan that is larger than a row", async () => {
    const batch = await newBatch();
    const plan = planOf(Array.from({ length: 100 }, () => []));
    const items = plan.items.map((item) => ({
      ...item,
      task: { ...item.task, description: "ñ".repeat(9_999) },
    }));

    await batch.beginPlan({ ...plan, items });
    await batch.evict();

    expect((await batch.record()).plan.items[99]?.task.description).toBe("ñ".repeat(9_999));
    expect(await batch.rows()).toBe(3);
  });
});

describe("a request's object while an executor plans", () => {
  async function planning(expand: Awaited<ReturnType<typeof newBatch>>["expand"]) {
    const batch = await newBatch();
    batch.expand = expand;
    const { items, ...plan } = planOf([[]]);
    const [planner = null] = items.map((item) => ({ ...item, task_id: "planner" }));
    const request = { request: requestOf(), plan: null, planner, rejection: null };
    await batch.beginPlan({ ...plan, items: [], request });
    return batch;
  }

  const { plan } = planned(requestOf());
  const expansion = () => ok({ plan, items: planOf([[], [0]]).items });

  it("creates the task that plans, then those of the plan", async () => {
    const batch = await planning(expansion);

    expect(batch.created).toEqual(["planner"]);
    await batch.end("planner", "completed", { steps: [] });

    expect(batch.created).toEqual(["planner", "t0", "t1 gated"]);
    expect((await batch.record()).plan.request?.plan?.strategy).toBe("direct");
    await batch.end("t0");
    await batch.end("t1");
    expect(await batch.state()).toBe("completed");
  });

  it("expands the plan later when a part of the system was away, also after an eviction", async () => {
    const batch = await planning(() => {
      throw new Error("unreachable");
    });

    await batch.end("planner");
    expect(batch.logged).toEqual(["plan_not_expanded"]);
    batch.expand = expansion;
    await batch.evict();
    await batch.ring();

    expect(batch.created).toEqual(["planner", "t0", "t1 gated"]);
  });

  it.each([
    { name: "the plan is none", status: "completed", detail: "no steps" },
    { name: "the task failed", status: "failed", detail: "gave no plan: It ended with failure" },
  ])("has failed, with the reason, when $name", async ({ status, detail }) => {
    const batch = await planning(() => refuse({ code: "plan_rejected", detail: "no steps" }));

    await batch.end("planner", status);

    const record = await batch.record();
    expect(record.plan.request?.rejection).toMatchObject({ code: "plan_rejected" });
    expect(record.plan.request?.rejection?.detail).toContain(detail);
    expect(await batch.state()).toBe("failed");
    expect(batch.created).toEqual(["planner"]);
  });

  it("creates nothing of a plan that came after the cancellation", async () => {
    const batch = await planning(expansion);

    accepted(await batch.stub.cancel("enough"));
    expect(batch.stopped).toEqual(["planner cancelled"]);
    await batch.end("planner", "completed");

    expect(batch.created).toEqual(["planner"]);
    expect(await batch.state()).toBe("cancelled");
  });
});
