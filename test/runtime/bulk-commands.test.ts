import { describe, expect, it } from "vitest";

import type { BulkCommandAnswer } from "../../src/protocol/bulk-command.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { endedView } from "../seeded-runs.ts";
import { eventually } from "./batuta.ts";
import { newTenant, seed } from "./tenant.ts";

type Call = Awaited<ReturnType<typeof newTenant>>;

/** Submits tasks that nobody takes, and waits until history knows them. */
async function submitted(own: Call, tasks: Record<string, object>): Promise<void> {
  for (const [task_id, more] of Object.entries(tasks)) {
    await own("POST", "/v1/tasks", {
      task_id,
      task_type: "research",
      description: "one of many tasks",
      requires: { capabilities: ["nobody-has-this"] },
      ...more,
    });
  }
  await eventually(
    () => own<{ items: TaskView[] }>("GET", "/v1/tasks"),
    ({ body }) => Object.keys(tasks).every((id) => body.items.some((one) => one.task_id === id)),
  );
}

const phaseOf = async (own: Call, id: string) =>
  (await own<TaskView>("GET", `/v1/tasks/${id}`)).body.phase;

describe("a command to many tasks over REST", () => {
  it("cancels those that fit, page by page, and touches no other", async () => {
    const own = await newTenant("bulk");
    await submitted(own, {
      a: { tags: ["red"] },
      b: { tags: ["red"] },
      c: { tags: ["red"] },
      other: { tags: ["blue"] },
    });
    await seed("bulk", [endedView("over", { tags: ["red"] })]);
    const command = { filter: { tag: "red" }, command: "cancel", reason: "wrong tenant", limit: 2 };
    const send = (more: object) =>
      own<BulkCommandAnswer>("POST", "/v1/commands", { ...command, ...more });

    const dry = await send({ dry_run: true, limit: 500 });
    const before = await phaseOf(own, "a");
    const first = await send({});
    const second = await send({ cursor: first.body.next_cursor });

    expect([dry.status, dry.body.matched, dry.body.task_ids]).toEqual([202, 3, ["c", "b", "a"]]);
    expect(before).toBe("queued");
    expect(first.body.issued.map(({ task_id }) => task_id)).toEqual(["c", "b"]);
    expect(second.body).toMatchObject({ matched: 1, next_cursor: null, refused: [] });
    for (const id of ["a", "b", "c"]) {
      expect((await own<TaskView>("GET", `/v1/tasks/${id}`)).body.end_reason).toBe("cancelled");
    }
    expect(await phaseOf(own, "other")).toBe("queued");
  });

  it("sets priorities by pool, and says of each task that refuses why", async () => {
    const own = await newTenant("bulk-pool");
    await submitted(own, { a: { pool: "night" }, b: {} });
    // History still has one as waiting that no object knows.
    await seed("bulk-pool", [endedView("ghost", { phase: "queued", pool: "night" })]);

    const { body } = await own<BulkCommandAnswer>("POST", "/v1/commands", {
      filter: { pool: "night" },
      command: "set_priority",
      priority: "critical",
    });

    expect(body.matched).toBe(2);
    expect(body.issued.map(({ task_id }) => task_id)).toEqual(["a"]);
    expect(body.refused).toEqual([{ task_id: "ghost", code: "task_not_found" }]);
    const priorityOf = async (id: string) =>
      (await own<TaskView>("GET", `/v1/tasks/${id}`)).body.priority;
    expect([await priorityOf("a"), await priorityOf("b")]).toEqual(["critical", "normal"]);
  });

  it("keeps to each condition of the filter", async () => {
    const own = await newTenant("bulk-filter");
    const created_at = "2026-11-22T10:00:00.000Z";
    const active = { phase: "executing", status: "running", created_at } as const;
    await seed("bulk-filter", [
      endedView("a", { ...active, batch_id: "b1" }),
      endedView("b", { ...active, parent_task_id: "p1" }),
      endedView("c", { ...active, created_at: "2026-11-22T12:00:00.000Z" }),
      endedView("d", { ...active, agent_id: "exec-9", priority: "low" }),
    ]);
    const matching = async (filter: object) =>
      (
        await own<BulkCommandAnswer>("POST", "/v1/commands", {
          filter,
          command: "request_update",
          dry_run: true,
        })
      ).body.task_ids;

    expect(await matching({ batch_id: "b1" })).toEqual(["a"]);
    expect(await matching({ parent_task_id: "p1" })).toEqual(["b"]);
    expect(await matching({ created_after: "2026-11-22T11:00:00Z" })).toEqual(["c"]);
    expect(await matching({ created_before: "2026-11-22T11:00:00Z" })).toEqual(["d", "b", "a"]);
    expect(await matching({ agent_id: "exec-9", priority: "low", status: "running" })).toEqual([
      "d",
    ]);
    expect(await matching({ status: "completed" })).toEqual([]);
  });

  it("refuses an empty filter, and cancels everything when an admin says so", async () => {
    const own = await newTenant("bulk-all");
    await submitted(own, { a: {}, b: {} });

    const empty = await own("POST", "/v1/commands", { filter: {}, command: "cancel" });
    const all = await own<BulkCommandAnswer>("POST", "/v1/commands", {
      all: true,
      command: "cancel",
    });

    expect([empty.status, empty.body["code"]]).toEqual([400, "validation_failed"]);
    expect(empty.body["errors"]).toMatchObject([{ pointer: "/filter" }]);
    expect(all.body.issued).toHaveLength(2);
  });
});
