import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { PoolObject } from "../../src/dispatch/pool/pool-object.ts";
import { ok } from "../../src/lib/result.ts";
import type { CleanupDebtView } from "../../src/protocol/cleanup-debt.ts";
import type { Report, TaskView } from "../../src/protocol/task-view.ts";
import { sweepDebts } from "../../src/services-debts.ts";
import { sweepAll } from "../../src/services-sweep.ts";
import { TaskObject } from "../../src/task/task-object.ts";
import { at } from "../task-news.ts";
import { eventually } from "./batuta.ts";
import { executor, owe, readDebt } from "./debtor.ts";
import type { Debts } from "./debtor.ts";
import { newTenant } from "./tenant.ts";

const dueAt = (tenant: string, debt_id: string) =>
  env.DB.prepare("SELECT due_at FROM cleanup_debt WHERE tenant = ? AND debt_id = ?")
    .bind(tenant, debt_id)
    .first<string>("due_at");

/** Lets so much time pass for a debt as it has to wait. */
async function makeDue(tenant: string): Promise<void> {
  await env.DB.prepare("UPDATE cleanup_debt SET due_at = ? WHERE tenant = ? AND state = 'open'")
    .bind(at(0), tenant)
    .run();
}

describe("cleanup debt", () => {
  afterEach(() => vi.restoreAllMocks());

  it("is repaired in the background: tried again after growing pauses until it is settled", async () => {
    const own = await newTenant("mended");
    await owe(own, "mended", "later", [{}]);
    const answers = ["open", "open", "settled"];
    const repair = vi.spyOn(TaskObject.prototype, "repair").mockImplementation(async (debt_id) => {
      // Debts of the tests before are due as well.
      const state = debt_id === "debt_1_later" ? answers.shift() : "open";
      return ok(JSON.stringify({ state, detail: `it is ${state}` }));
    });
    const waits: number[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      await sweepDebts(env);
      const { last_tried_at } = await readDebt(own, "debt_1_later");
      const due = Date.parse((await dueAt("mended", "debt_1_later")) ?? "");
      waits.push((due - Date.parse(last_tried_at ?? "")) / 60_000);
      // It is not due yet, so that a sweep leaves it alone.
      await sweepDebts(env);
      await makeDue("mended");
    }
    const open = await readDebt(own, "debt_1_later");

    await sweepDebts(env);
    await makeDue("mended");
    await sweepDebts(env);

    expect(waits).toEqual([1, 2]);
    expect(open).toMatchObject({ state: "open", tries: 2, last_detail: "it is open" });
    expect(await readDebt(own, "debt_1_later")).toMatchObject({
      state: "settled",
      tries: 3,
      last_detail: "it is settled",
      settled_by: { kind: "system", id: "batuta" },
    });
    expect(repair.mock.calls.filter(([debt_id]) => debt_id === "debt_1_later")).toHaveLength(3);
  });

  it("of a task whose cleanup fails is repaired later: the task has ended, partly, and its slot comes back", async () => {
    const own = await newTenant("broken");
    const tidy = await executor(own, "tidy");
    await own("POST", "/v1/tasks", {
      task_id: "mess",
      task_type: "research",
      description: "a task that leaves a mess",
      requires: { capabilities: ["tidy"] },
      execution_options: { end_phase_limits: { cleanup: 1 } },
    });
    const claimed = await tidy<{ tasks: { lease: { token: string } }[] }>(
      "POST",
      "/v1/agents/tidy/claim",
      { wait_seconds: 5 },
    );
    const release = vi.spyOn(PoolObject.prototype, "release");
    release.mockRejectedValue(new Error("the pool is broken"));
    const slotsInUse = async () =>
      (await own<{ slots_in_use: number }>("GET", "/v1/agents/tidy")).body.slots_in_use;
    const end = {
      task_id: "mess",
      agent_id: "tidy",
      reason: "failure",
      timestamp: new Date().toISOString(),
      error_information: { error_code: "broken", error_message: "it broke" },
      cleanup_actions: ["drop the table"],
    };
    const lease = { "lease-token": claimed.body.tasks[0]?.lease.token ?? "" };
    await tidy("POST", "/v1/tasks/mess/end", end, lease);

    const listed = await eventually(
      () => own<Debts>("GET", "/v1/cleanup-debt?task_id=mess"),
      ({ body }) => body.items.length > 0,
    );
    const report = (await own<Report>("GET", "/v1/tasks/mess/report")).body;
    await sweepDebts(env);
    const inVain = await own<Debts>("GET", "/v1/cleanup-debt?task_id=mess");
    const before = await slotsInUse();
    release.mockRestore();
    await makeDue("broken");
    await sweepDebts(env);
    const repaired = await own<Debts>("GET", "/v1/cleanup-debt?task_id=mess");
    const action = repaired.body.items.find(({ kind }) => kind === "action");
    const settled = await tidy<CleanupDebtView>(
      "POST",
      `/v1/cleanup-debt/${action?.debt_id}/settle`,
      {},
    );

    expect((await own<TaskView>("GET", "/v1/tasks/mess")).body).toMatchObject({
      status: "failed",
      phase: "ended",
    });
    expect(report.finalization.outcome).toBe("partial");
    const byKind = ({ body }: { body: Debts }) =>
      new Map(body.items.map((debt) => [debt.kind, debt]));
    for (const debt of report.cleanup_debt) {
      const { kind = "stage" } = debt;
      expect(byKind(listed).get(kind)).toMatchObject({ ...debt, state: "open", tries: 0 });
    }
    expect([...byKind(inVain).values()].map(({ state, tries }) => [state, tries])).toEqual([
      ["open", 1],
      ["open", 1],
    ]);
    expect(byKind(repaired).get("slot")).toMatchObject({
      owner: "pool default",
      state: "settled",
      tries: 2,
    });
    expect([before, await slotsInUse()]).toEqual([1, 0]);
    expect(action).toMatchObject({ owner: "agent tidy", state: "open", tries: 2 });
    expect([settled.status, settled.body.state]).toEqual([200, "settled"]);
  });

  it("expires by the cron's sweep when its time is over or its task is gone, and is settled no more", async () => {
    const own = await newTenant("lost");
    await owe(own, "lost", "late", [{ expires_at: at(60) }]);
    await owe(own, "lost", "gone", [{}]);
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);

    await sweepAll(env);

    const found = await Promise.all(["late", "gone"].map((id) => readDebt(own, `debt_1_${id}`)));
    const settled = await own("POST", "/v1/cleanup-debt/debt_1_late/settle", {});
    expect(found).toMatchObject([{ state: "expired" }, { state: "expired", tries: 1 }]);
    expect([settled.status, settled.body]).toMatchObject([
      409,
      { code: "debt_closed", state: "expired" },
    ]);
    const lines = warn.mock.calls
      .map(([line]): Record<string, unknown> => JSON.parse(String(line)))
      .filter(({ tenant }) => tenant === "lost");
    expect(lines.map(({ event, owner }) => [event, owner])).toEqual([
      ["cleanup_debt_expired", "pool default"],
      ["cleanup_debt_expired", "pool default"],
    ]);
  });

  it("is repaired also when another sweep fails", async () => {
    const own = await newTenant("beside");
    await owe(own, "beside", "gone", [{}]);
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const DB = new Proxy(env.DB, {
      get(target, name) {
        if (name === "prepare") {
          return (sql: string) => {
            if (sql.includes("sweep_cursor")) throw new Error("D1_ERROR: no such table");
            return target.prepare(sql);
          };
        }
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });

    await expect(sweepAll({ ...env, DB })).rejects.toThrow("no such table");

    expect(await readDebt(own, "debt_1_gone")).toMatchObject({ state: "expired" });
  });
});
