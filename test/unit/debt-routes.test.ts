import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ok, refuse } from "../../src/lib/result.ts";
import type { CleanupDebtView } from "../../src/protocol/cleanup-debt.ts";
import { createFakeApp, send } from "./rest-fakes.ts";
import type { Given, Sent } from "./rest-fakes.ts";

const DEBT: CleanupDebtView = {
  debt_id: "debt_1_t",
  task_id: "t",
  kind: "slot",
  stage: "slot",
  what: "the slot of attempt 1",
  owner: "pool default",
  state: "open",
  created_at: "2026-11-22T10:00:00.000Z",
  expires_at: null,
  tries: 0,
  last_tried_at: null,
  last_detail: null,
  settled_at: null,
  settled_by: null,
};

async function answerOf(given: Given, path: string, sent: Sent = {}) {
  const response = await send(createFakeApp(given).app, path, sent);
  const body = z.record(z.string(), z.unknown()).parse(await response.json());
  return [response.status, body] as const;
}

describe("the routes of cleanup debt", () => {
  it("list by state, kind, owner and task, 50 a page when nothing is said", async () => {
    const asked: unknown[] = [];
    const list = async (by: { tenant: string }, query: unknown) => {
      asked.push([by.tenant, query]);
      return ok({ items: [DEBT], next_cursor: null });
    };
    const query = "state=open&kind=slot&owner=pool%20default&task_id=t&cursor=c&limit=7";

    const [status, body] = await answerOf({ debts: { list } }, `/v1/cleanup-debt?${query}`, {
      key: "observe",
    });
    await answerOf({ debts: { list } }, "/v1/cleanup-debt");

    expect([status, body]).toEqual([200, { items: [DEBT], next_cursor: null }]);
    expect(asked).toEqual([
      [
        "acme",
        {
          state: "open",
          kind: "slot",
          owner: "pool default",
          task_id: "t",
          cursor: "c",
          limit: 7,
        },
      ],
      ["acme", { limit: 50 }],
    ]);
  });

  it.each(["state=closed", "kind=mood", "owner=", "task_id=a%20b", "limit=0", "limit=201", "x=1"])(
    "refuse a list with %s",
    async (query) => {
      const [status, body] = await answerOf({}, `/v1/cleanup-debt?${query}`);

      const name = query.split("=")[0];
      expect([status, body["code"]]).toEqual([400, "validation_failed"]);
      expect(body["errors"]).toMatchObject([{ pointer: `/query/${name}` }]);
    },
  );

  it("settle with a note, or with nothing more to say", async () => {
    const said: unknown[] = [];
    const settle = async (_by: unknown, debt_id: string, settlement: unknown) => {
      said.push([debt_id, settlement]);
      return ok({ ...DEBT, state: "settled" as const });
    };
    const path = "/v1/cleanup-debt/debt_1_t/settle";

    const [status, body] = await answerOf({ debts: { settle } }, path, {
      key: "execute",
      body: { note: "done" },
    });
    await answerOf({ debts: { settle } }, path, { key: "orchestrate", body: {} });
    await answerOf({ debts: { settle } }, path, { method: "POST" });

    expect([status, body["state"]]).toEqual([200, "settled"]);
    expect(said).toEqual([
      ["debt_1_t", { schema_version: "2.0", note: "done" }],
      ["debt_1_t", { schema_version: "2.0" }],
      ["debt_1_t", { schema_version: "2.0" }],
    ]);
  });

  it.each([
    [{ note: "" }, "/note"],
    [{ note: 7 }, "/note"],
    [{ state: "settled" }, "/state"],
    [{ schema_version: "1.0" }, "/schema_version"],
  ])("refuse to settle with %j", async (body, pointer) => {
    const sent = { key: "orchestrate", body };
    const [status, problem] = await answerOf({}, "/v1/cleanup-debt/debt_1_t/settle", sent);

    expect(status).toBe(400);
    expect(problem["errors"]).toMatchObject([{ pointer }]);
  });

  it("tell a second settlement in which state the debt is", async () => {
    const settle = async () =>
      refuse({
        code: "debt_closed",
        detail: "The debt is expired already.",
        extra: { state: "expired", settled_at: null },
      } as const);

    const [status, body] = await answerOf(
      { debts: { settle } },
      "/v1/cleanup-debt/debt_1_t/settle",
      { body: {} },
    );

    expect([status, body]).toMatchObject([409, { code: "debt_closed", state: "expired" }]);
  });

  it.each<[string, string, Sent, number]>([
    ["lists are not for executors", "", { key: "execute" }, 403],
    ["observers settle nothing", "/debt_1_t/settle", { key: "observe", body: {} }, 403],
    ["nobody sees it without a key", "/debt_1_t", { key: null }, 401],
  ])("keep to the scopes: %s", async (_title, path, sent, expected) => {
    const [status] = await answerOf({}, `/v1/cleanup-debt${path}`, sent);

    expect(status).toBe(expected);
  });
});
