import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ok } from "../../src/lib/result.ts";
import type { ModelDecisionView } from "../../src/protocol/model-decision.ts";
import { createFakeApp, send } from "./rest-fakes.ts";
import type { Given, Sent } from "./rest-fakes.ts";

const DECISION: ModelDecisionView = {
  decision_id: "dec-1",
  task_id: "t1",
  task_type: "research",
  band: "low",
  model_id: "ant",
  reasons: ["because"],
  created_at: "2026-11-22T10:00:00.000Z",
  reward: null,
  reward_source: null,
  settled_at: null,
  verdict: null,
};

async function answerOf(given: Given, path: string, sent: Sent = {}) {
  const response = await send(createFakeApp(given).app, path, sent);
  return [response.status, z.record(z.string(), z.unknown()).parse(await response.json())] as const;
}

describe("the routes of model decisions", () => {
  it("list those of one task, which has to be said", async () => {
    const asked: unknown[] = [];
    const list = async (by: { tenant: string }, query: unknown) => {
      asked.push([by.tenant, query]);
      return ok({ items: [DECISION], next_cursor: null });
    };

    const [status, body] = await answerOf(
      { modelDecisions: { list } },
      "/v1/model-decisions?task_id=t1&limit=7",
      { key: "observe" },
    );
    const [refused] = await answerOf({ modelDecisions: { list } }, "/v1/model-decisions");

    expect([status, body]).toEqual([200, { items: [DECISION], next_cursor: null }]);
    expect(asked).toEqual([["acme", { task_id: "t1", limit: 7 }]]);
    expect(refused).toBe(400);
  });

  it("show one with its record, and whether it was made again", async () => {
    const get = async () => ok({ ...DECISION, record: { any: 1 }, replayed: true });

    const [status, body] = await answerOf({ modelDecisions: { get } }, "/v1/model-decisions/dec-1");

    expect([status, body["replayed"], body["record"]]).toEqual([200, true, { any: 1 }]);
  });

  it("take an orchestrator's verdict unless it says otherwise, and refuse a score beyond 1", async () => {
    const judged: unknown[] = [];
    const judge = async (_by: unknown, decision_id: string, verdict: unknown) => {
      judged.push([decision_id, verdict]);
      return ok(DECISION);
    };
    const say = (body: object, key = "orchestrate") =>
      answerOf({ modelDecisions: { judge } }, "/v1/model-decisions/dec-1/verdict", {
        method: "POST",
        body,
        key,
      });

    const [accepted] = await say({ accepted: true });
    const [tooGood, problem] = await say({ accepted: true, score: 1.5 });
    const [withoutScope] = await say({ accepted: true }, "observe");

    expect([accepted, tooGood, withoutScope]).toEqual([200, 400, 403]);
    expect(problem).toMatchObject({ errors: [{ pointer: "/score" }] });
    expect(judged).toMatchObject([["dec-1", { accepted: true, by: "orchestrator" }]]);
  });

  it("ask for the figures of a task type and a model", async () => {
    const asked: unknown[] = [];
    const stats = async (_by: unknown, query: unknown) => {
      asked.push(query);
      return ok({ items: [], is_complete: true });
    };

    const path = "/v1/model-stats?task_type=research&model_id=org/ant";
    const [status] = await answerOf({ modelDecisions: { stats } }, path);

    expect([status, asked]).toEqual([200, [{ task_type: "research", model_id: "org/ant" }]]);
  });
});
