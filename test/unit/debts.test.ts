import { describe, expect, it } from "vitest";

import { createDebts } from "../../src/dispatch/debts.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { CleanupDebtView } from "../../src/protocol/cleanup-debt.ts";

const AT = "2026-11-22T10:00:00.000Z";
const NOTE = { schema_version: "2.0", note: "by hand" };

function debtOf(changes: Partial<CleanupDebtView> = {}): CleanupDebtView {
  return {
    debt_id: "debt_1_t",
    task_id: "t",
    kind: "action",
    stage: "cleanup_actions",
    what: "drop the table",
    owner: "agent ann",
    state: "open",
    created_at: AT,
    expires_at: null,
    tries: 0,
    last_tried_at: null,
    last_detail: null,
    settled_at: null,
    settled_by: null,
    ...changes,
  };
}

const keyed = (key_id: string, ...scopes: Principal["scopes"][number][]): Principal => ({
  key_id,
  tenant: "acme",
  scopes,
  isBootstrap: false,
});
const BOSS = keyed("boss", "orchestrate");
const ROOT = keyed("root", "admin");
const ANN = keyed("key-ann", "execute");
/** Its agent worked on the task, and owes nothing. */
const BOB = keyed("key-bob", "execute");
const STRANGER = keyed("key-eve", "execute");
const WATCHER = keyed("key-eve", "execute", "observe");
const SLOT = { kind: "slot", owner: "pool default" } as const;

/** One debt; `faster` closes it between the look at it and the settlement. */
function world(changes: Partial<CleanupDebtView> = {}, faster?: CleanupDebtView["state"]) {
  let debt = debtOf(changes);
  const lines: unknown[] = [];
  const cases = createDebts({
    now: () => Date.parse(AT),
    log: (level, event, fields) => void lines.push([level, event, fields]),
    list: async (tenant) => ok({ items: tenant === "acme" ? [debt] : [], next_cursor: null }),
    get: async (tenant, debt_id) => (tenant === "acme" && debt_id === debt.debt_id ? debt : null),
    settle: async (_debt, { at, by, note }) => {
      if (faster !== undefined) debt = { ...debt, state: faster };
      if (debt.state !== "open") return null;
      debt = { ...debt, state: "settled", settled_at: at, settled_by: by, last_detail: note };
      return debt;
    },
    readable: async ({ key_id }) =>
      key_id === BOB.key_id ? ok(null) : refuse({ code: "task_not_found", detail: "" }),
    keyOfAgent: async (_tenant, agent_id) => (agent_id === "shared" ? null : `key-${agent_id}`),
  });
  return { cases, lines, state: () => debt.state };
}

describe("a cleanup debt is seen", () => {
  it.each([
    ["an orchestrator", BOSS, {}],
    ["an operator", ROOT, SLOT],
    ["an observer", WATCHER, SLOT],
    ["the executor that owes it", ANN, {}],
    ["an executor that had the task", BOB, SLOT],
  ])("by %s", async (_title, by, changes) => {
    expect(await world(changes).cases.get(by, "debt_1_t")).toMatchObject({ ok: true });
  });

  it.each([
    ["another executor", STRANGER, {}],
    ["another executor, of what a pool owes", STRANGER, SLOT],
    ["anyone, where the agent is bound to no key", STRANGER, { owner: "agent shared" }],
    ["another tenant", { ...BOSS, tenant: "other" }, {}],
  ])("never by %s", async (_title, by, changes) => {
    const { cases, state } = world(changes);
    const refused = { ok: false, refusal: { code: "debt_not_found" } };

    expect(await cases.get(by, "debt_1_t")).toMatchObject(refused);
    expect(await cases.settle(by, "debt_1_t", NOTE)).toMatchObject(refused);
    expect(state()).toBe("open");
  });
});

describe("a cleanup debt is settled", () => {
  it.each([
    ["an orchestrator", BOSS, {}, { kind: "orchestrator", id: "boss" }],
    ["an orchestrator for a pool", BOSS, SLOT, { kind: "orchestrator", id: "boss" }],
    ["an operator", ROOT, SLOT, { kind: "operator", id: "root" }],
    ["the executor that owes it", ANN, {}, { kind: "executor", id: "key-ann" }],
  ])("by %s, who is on record and in the log", async (_title, by, changes, actor) => {
    const { cases, lines } = world(changes);

    const settled = await cases.settle(by, "debt_1_t", NOTE);

    expect(settled).toMatchObject({
      ok: true,
      value: { state: "settled", settled_at: AT, settled_by: actor, last_detail: "by hand" },
    });
    expect(lines).toEqual([
      [
        "info",
        "cleanup_debt_settled",
        expect.objectContaining({ debt_id: "debt_1_t", by: `${actor.kind} ${actor.id}` }),
      ],
    ]);
  });

  it.each([
    ["an executor for another one", BOB, {}, "agent_not_yours"],
    ["an executor for an agent without a key", BOB, { owner: "agent shared" }, "agent_not_yours"],
    ["an executor for a pool", BOB, SLOT, "forbidden"],
    ["an executor that observes", WATCHER, SLOT, "forbidden"],
    ["an executor whose name is in the text only", BOB, { owner: "batuta agent bob" }, "forbidden"],
  ])("never by %s", async (_title, by, changes, code) => {
    const { cases, lines, state } = world(changes);

    const refused = await cases.settle(by, "debt_1_t", NOTE);

    expect(refused).toMatchObject({ ok: false, refusal: { code } });
    expect([lines, state()]).toEqual([[], "open"]);
  });

  it.each(["settled", "expired"] as const)("once: not when it is %s", async (state) => {
    const { cases, lines } = world({ state });

    const refused = await cases.settle(BOSS, "debt_1_t", NOTE);

    expect(refused).toMatchObject({
      ok: false,
      refusal: { code: "debt_closed", extra: { state } },
    });
    expect(lines).toEqual([]);
  });

  it("once, also when the sweeper is faster by a moment", async () => {
    const { cases, lines } = world({}, "settled");

    const refused = await cases.settle(BOSS, "debt_1_t", NOTE);

    expect(refused).toMatchObject({
      refusal: { code: "debt_closed", extra: { state: "settled" } },
    });
    expect(lines).toEqual([]);
  });
});
