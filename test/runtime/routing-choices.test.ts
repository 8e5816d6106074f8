import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { forgetModel, forgetOutage } from "../../src/executor/router/forget-store.ts";
import type { ModelOutcome } from "../../src/executor/router/router-port.ts";
import { readDecision, readModelStats } from "../../src/executor/router/routing-reads-store.ts";
import {
  changeBreaker,
  readLearned,
  removeOldDecisions,
  writeDecision,
} from "../../src/executor/router/routing-store.ts";
import { randomId } from "../../src/lib/ports.ts";
import { routerDoorOf } from "../../src/services-routing.ts";
import { modelOf, questionOf } from "../router-question.ts";
import { decided, MODELS, outcomeOf } from "./decided.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";

const GAMMA = 0.99;
const AT = "2026-11-22T10:00:00.000Z";

const tenantOf = () => `routing-${randomId()}`;

const learnedOf = async (tenant: string, band: "low" | "medium" | "high" = "medium") =>
  (
    await readLearned(
      env.DB,
      { tenant, decision_id: "none", task_type: "research", band },
      Date.parse(AT),
    )
  ).known;

const statsOf = async (tenant: string) =>
  (await readModelStats(env.DB, tenant, { query: {}, gamma: GAMMA })).items;

describe("a choice in D1", () => {
  it("is made once: the same id has the same answer, whatever was learned since", async () => {
    const tenant = tenantOf();
    const door = routerDoorOf(env);
    const question = questionOf({ models: MODELS });
    const first = await door.choose(tenant, question);
    await door.learn(tenant, outcomeOf("dec-1", { reward: 0 }));

    const again = await door.choose(tenant, question);
    const next = await door.choose(tenant, { ...question, decision_id: "dec-2" });

    expect(again).toEqual(first);
    expect(first).toMatchObject({ ok: true, value: { model_id: "ant" } });
    expect(next).toMatchObject({ ok: true, value: { model_id: "bee" } });
  });

  it("costs one read and one written decision with its two indexes", async () => {
    const recording = recordingDb(env.DB);
    const door = routerDoorOf({ ...env, DB: recording.db });

    await door.choose(tenantOf(), questionOf({ models: MODELS }));

    expect(recording.trips()).toBe(2);
  });

  it("without a model left is kept, too", async () => {
    const tenant = tenantOf();
    await decided(tenant, "d-0", { needs: ["vision"] });

    expect((await readDecision(env.DB, tenant, "d-0"))?.view).toMatchObject({ model_id: null });
  });

  it("is forgotten with the history, and what it taught stays", async () => {
    const tenant = tenantOf();
    await decided(tenant, "d-0");
    await routerDoorOf(env).learn(tenant, outcomeOf("d-0"));
    const row = {
      tenant,
      decision_id: "old",
      task_id: "t",
      task_type: "research",
      band: "low",
      model_id: "ant",
      created_at: "2020-01-01T00:00:00.000Z",
      record: "{}",
      is_probe: false,
    } as const;
    await writeDecision(env.DB, row);

    expect(await removeOldDecisions(env.DB, "2020-01-02T00:00:00.000Z")).toBe(1);

    expect(await readDecision(env.DB, tenant, "d-0")).not.toBeNull();
    expect((await learnedOf(tenant)).cells).toHaveLength(1);
  });
});

describe("the breaker of a model in D1", () => {
  const FAULT = { source: "fault", reward: null, is_success: false } as const;
  const fault = (id: string) => outcomeOf(id, { ...FAULT, provider: "failed" });

  it("opens after three faults, and closes when the model answers again", async () => {
    const tenant = tenantOf();
    const door = routerDoorOf(env);
    for (const id of ["a", "b", "c"]) {
      // oxlint-disable-next-line no-await-in-loop
      await decided(tenant, id);
      // oxlint-disable-next-line no-await-in-loop
      await door.learn(tenant, fault(id));
    }
    const stateAt = async (now: number) =>
      (
        await readLearned(
          env.DB,
          { tenant, decision_id: "none", task_type: "research", band: "medium" },
          now,
        )
      ).known.breakers;

    const open = await door.choose(tenant, questionOf({ decision_id: "d", models: MODELS }));
    expect(open).toMatchObject({ ok: true, value: { model_id: "bee" } });
    expect(await stateAt(Date.now() + 31_000)).toEqual([{ model_id: "ant", state: "probe" }]);

    // Time passes: the pause is over.
    await changeBreaker(env.DB, { tenant, model_id: "ant" }, (before) =>
      before === null ? null : { ...before, probe_at: 0, version: before.version + 1 },
    );
    const both = await Promise.all(
      ["e", "f"].map((id) => door.choose(tenant, questionOf({ decision_id: id, models: MODELS }))),
    );
    const chosen = both.map((one) => (one.ok ? one.value.model_id : null));
    expect(new Set(chosen)).toEqual(new Set(["ant", "bee"]));

    const probe = chosen[0] === "ant" ? "e" : "f";
    await door.learn(tenant, outcomeOf(probe));
    expect(await stateAt(Date.now())).toEqual([]);
  });

  it("says nothing of faults that the provider did not have, and closes when it has answered", async () => {
    const tenant = tenantOf();
    const door = routerDoorOf(env);
    const learnOf = async (id: string, outcome: Partial<ModelOutcome>) => {
      await decided(tenant, id);
      await door.learn(tenant, outcomeOf(id, outcome));
    };
    await learnOf("a", { ...FAULT, cost_usd: 0, tokens: 0 });
    expect(await statsOf(tenant)).toEqual([]);

    await learnOf("b", { ...FAULT, cost_usd: 0.5, tokens: 7 });
    await learnOf("c", { ...FAULT, provider: "failed" });
    await learnOf("d", { ...FAULT, provider: "failed" });
    await learnOf("e", { ...FAULT, provider: "answered" });
    await learnOf("f", { ...FAULT, provider: "failed" });

    expect((await learnedOf(tenant)).breakers).toEqual([]);
    expect(await statsOf(tenant)).toMatchObject([
      {
        model_id: "ant",
        runs: 3,
        faults: 3,
        latency: null,
        cost_usd: expect.closeTo(0.54, 9),
        tokens: 407,
      },
    ]);
  });

  it("counts a fault once, however often it is told", async () => {
    const tenant = tenantOf();
    await decided(tenant, "a");
    for (let turn = 0; turn < 4; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await routerDoorOf(env).learn(tenant, fault("a"));
    }

    expect((await learnedOf(tenant)).breakers).toEqual([]);
    expect(await statsOf(tenant)).toMatchObject([{ runs: 1, faults: 1, judged: 0, latency: null }]);
  });
});

describe("what was learned of a model that is another one", () => {
  it("is forgotten, and the time that the others forget by goes on", async () => {
    const tenant = tenantOf();
    const door = routerDoorOf(env);
    for (const [id, excluded] of [
      ["a", "bee"],
      ["b", "bee"],
      ["c", "ant"],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await decided(tenant, id, { excluded: [excluded] });
      // oxlint-disable-next-line no-await-in-loop
      await door.learn(tenant, outcomeOf(id));
    }

    await forgetModel(env.DB, { tenant, model_id: "ant" });
    await forgetOutage(env.DB, { tenant, model_id: "bee" });
    await decided(tenant, "d", { excluded: ["bee"] });
    await door.learn(tenant, outcomeOf("d", { reward: 0.5 }));

    expect((await learnedOf(tenant)).cells).toMatchObject([
      { model_id: "ant", weight: 1, total: 0.5, updates: 3, seen: 4 },
      { model_id: "bee", weight: 1, total: 1, updates: 1, seen: 3 },
    ]);
    expect(await statsOf(tenant)).toMatchObject([
      { model_id: "ant", runs: 1 },
      { model_id: "bee", runs: 1 },
    ]);
  });
});

describe("every statement of the router", () => {
  it("finds its rows by a key or an index", async () => {
    const recording = recordingDb(env.DB);
    const tenant = tenantOf();
    const door = routerDoorOf({ ...env, DB: recording.db });
    await door.choose(tenant, questionOf({ models: [modelOf("ant")] }));
    await door.learn(tenant, outcomeOf("dec-1"));
    await door.learn(tenant, outcomeOf("dec-1", { source: "fault", reward: null }));
    await readModelStats(recording.db, tenant, { query: { model_id: "ant" }, gamma: GAMMA });
    await forgetModel(recording.db, { tenant, model_id: "ant" });
    await forgetOutage(recording.db, { tenant, model_id: "ant" });
    await removeOldDecisions(recording.db, AT.replace("2026", "1999"));

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.length).toBeGreaterThan(10);
    expect(plans.flatMap(fullScans)).toEqual([]);
    const scans = plans.flat().filter((line) => /^SCAN (routing|model_stat|d\b|g\b)/.test(line));
    expect(scans).toEqual([]);
  });
});
