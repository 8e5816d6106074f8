import { describe, expect, it } from "vitest";

import type { CleanupDebtView } from "../../src/protocol/cleanup-debt.ts";
import type { StateView } from "../../src/protocol/state-view.ts";
import { at } from "../task-news.ts";
import type { Answered } from "./batuta.ts";
import { executor, owe, readDebt, SLOT } from "./debtor.ts";
import type { Debts } from "./debtor.ts";
import { newTenant } from "./tenant.ts";

describe("cleanup debt", () => {
  it("is seen with its owner and expiry, counted in the state, and settled once by whoever took care", async () => {
    const own = await newTenant("debtor");
    await owe(own, "debtor", "messy", [{}, { kind: "action", owner: "agent ann" }]);

    const before = (await own<StateView>("GET", "/v1/state")).body.cleanup_debt;
    const page = await own<Debts>("GET", "/v1/cleanup-debt?state=open&kind=slot");
    const settled = await own<CleanupDebtView>("POST", "/v1/cleanup-debt/debt_1_messy/settle", {
      note: "Freed by hand.",
    });
    const again = await own("POST", "/v1/cleanup-debt/debt_1_messy/settle", {});
    const after = (await own<StateView>("GET", "/v1/state")).body.cleanup_debt;

    expect(page.body).toEqual({
      items: [
        {
          debt_id: "debt_1_messy",
          task_id: "messy",
          ...SLOT,
          state: "open",
          created_at: at(9),
          tries: 0,
          last_tried_at: null,
          last_detail: null,
          settled_at: null,
          settled_by: null,
        },
      ],
      next_cursor: null,
    });
    expect([settled.status, settled.body]).toMatchObject([
      200,
      {
        state: "settled",
        last_detail: "Freed by hand.",
        settled_by: { kind: "operator", id: expect.any(String) },
      },
    ]);
    expect([again.status, again.body]).toMatchObject([
      409,
      { code: "debt_closed", state: "settled", settled_at: settled.body.settled_at },
    ]);
    expect([before, after]).toEqual([
      { open: 2, is_complete: true, oldest_created_at: at(9) },
      { open: 1, is_complete: true, oldest_created_at: at(9) },
    ]);
  });

  it("is not there for another tenant, nor is one that nobody owes", async () => {
    const own = await newTenant("debtor-2");
    const foreign = await newTenant("stranger");
    await owe(own, "debtor-2", "mine", [{}]);

    const answers = await Promise.all([
      foreign("GET", "/v1/cleanup-debt/debt_1_mine"),
      foreign("POST", "/v1/cleanup-debt/debt_1_mine/settle", {}),
      own("GET", "/v1/cleanup-debt/debt_9_mine"),
      own("POST", "/v1/cleanup-debt/made~up/settle", {}),
    ]);

    for (const { status, body } of answers) {
      expect([status, body["code"]]).toEqual([404, "debt_not_found"]);
    }
    expect((await foreign<Debts>("GET", "/v1/cleanup-debt")).body.items).toEqual([]);
    expect(await readDebt(own, "debt_1_mine")).toMatchObject({ state: "open" });
  });

  it("of an executor is settled with the key that this executor is bound to, and no other executor's", async () => {
    const own = await newTenant("guild");
    const [ann, bob, eve] = [
      await executor(own, "ann"),
      await executor(own, "bob"),
      await executor(own, "eve"),
    ];
    // The task was once in the hands of bob.
    await own("POST", "/v1/tasks", {
      task_id: "job",
      task_type: "research",
      description: "a task of the guild",
      requires: { capabilities: ["bob"] },
    });
    await bob("POST", "/v1/agents/bob/claim", { wait_seconds: 5 });
    const action = { kind: "action", stage: "cleanup_actions", owner: "agent ann" };
    await owe(own, "guild", "job", [action, {}]);
    const [path, slot] = ["/v1/cleanup-debt/debt_1_job", "/v1/cleanup-debt/debt_2_job"];
    const codeOf = async (answer: Promise<Answered<Record<string, unknown>>>) => {
      const { status, body } = await answer;
      return [status, body["code"]];
    };

    const seen = await Promise.all([ann, bob, eve].map((key) => key("GET", path)));
    const refused = [
      await codeOf(ann("POST", `${slot}/settle`, {})),
      await codeOf(bob("POST", `${slot}/settle`, {})),
      await codeOf(bob("POST", `${path}/settle`, {})),
      await codeOf(eve("POST", `${path}/settle`, {})),
    ];
    const settled = await ann("POST", `${path}/settle`, { note: "dropped" });

    expect(seen.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(refused).toEqual([
      [404, "debt_not_found"],
      [403, "forbidden"],
      [403, "agent_not_yours"],
      [404, "debt_not_found"],
    ]);
    expect([settled.status, settled.body]).toMatchObject([
      200,
      { state: "settled", settled_by: { kind: "executor" }, last_detail: "dropped" },
    ]);
  });
});
