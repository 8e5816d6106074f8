import { describe, expect, it } from "vitest";

import type { ModelBreaker } from "../../src/executor/router/breaker.ts";
import type { DecisionRow } from "../../src/executor/router/ledger.ts";
import { createRouter, type RouterParts } from "../../src/executor/router/router.ts";
import { nothingKnown } from "../../src/executor/router/rules/question.ts";
import { modelOf, questionOf } from "../router-question.ts";

const DOWN = () => Promise.reject(new Error("D1 is down"));
const question = questionOf({ models: [modelOf("ant"), modelOf("bee")] });

/** A router over a store that has nothing, with a note of what is logged and written. */
function routerWith(parts: Partial<RouterParts> = {}) {
  const logged: string[] = [];
  const written: DecisionRow[] = [];
  const door = createRouter({
    now: () => 0,
    log: (_level, event) => void logged.push(event),
    read: async () => ({ known: nothingKnown(true), record: null }),
    write: async (row) => {
      written.push(row);
      return row.record;
    },
    changeBreaker: async () => true,
    uncounted: async () => null,
    writeOutcome: async () => {},
    ...parts,
  });
  return { door, logged, written };
}

const PROBE_OF_ANT = {
  known: { ...nothingKnown(true), breakers: [{ model_id: "ant", state: "probe" as const }] },
  record: null,
};

describe("the router's door", () => {
  it("stores a choice under its id, with what lists need", async () => {
    const { door, written } = routerWith();

    const choice = await door.choose("acme", question);

    expect(choice).toMatchObject({ ok: true, value: { decision_id: "dec-1", model_id: "ant" } });
    expect(written).toMatchObject([
      { tenant: "acme", decision_id: "dec-1", task_id: "task-1", band: "medium", model_id: "ant" },
    ]);
  });

  it("chooses by priors alone while D1 is down, and says so in the record and the log", async () => {
    const { door, logged } = routerWith({ read: DOWN, write: DOWN });

    const choice = await door.choose("acme", question);

    expect(choice).toMatchObject({
      ok: true,
      value: {
        model_id: "ant",
        record: { inputs: { known: { is_complete: false } } },
        reasons: expect.arrayContaining([expect.stringContaining("could not be read")]),
      },
    });
    expect(logged).toEqual(["routing_by_priors_alone", "routing_decision_not_stored"]);
  });

  it("gives the choice of whoever was first, where two make it at the same time", async () => {
    const first = routerWith();
    await first.door.choose("acme", questionOf({ models: [modelOf("cicada")] }));
    const { door } = routerWith({ write: async () => first.written[0]?.record ?? "" });

    expect(await door.choose("acme", question)).toMatchObject({ value: { model_id: "cicada" } });
  });

  it("refuses with the reasons where no model is left", async () => {
    const choice = await routerWith().door.choose("acme", { ...question, needs: ["vision"] });

    expect(choice).toMatchObject({
      ok: false,
      refusal: {
        decision_id: "dec-1",
        removed: [
          { model_id: "ant", reason: "lacks vision" },
          { model_id: "bee", reason: "lacks vision" },
          { model_id: "builtin", reason: "research without a model needs documents" },
        ],
      },
    });
  });

  it("probes a model for whoever is first, and leaves it alone for the others and when nobody can tell", async () => {
    const ask = (changeBreaker: RouterParts["changeBreaker"]) =>
      routerWith({ read: async () => PROBE_OF_ANT, changeBreaker }).door.choose("acme", question);

    expect(await ask(async () => true)).toMatchObject({ value: { model_id: "ant" } });
    expect(await ask(async () => false)).toMatchObject({ value: { model_id: "bee" } });
    expect(await ask(DOWN)).toMatchObject({ value: { model_id: "bee" } });
  });

  it("counts a fault for the breaker of the model where the provider failed, and never for the executor's own skills", async () => {
    const fault = {
      decision_id: "dec-1",
      reward: null,
      source: "fault",
      is_success: false,
      quality: null,
      latency_s: 1,
      cost_usd: 0,
      tokens: 0,
    } as const;
    const changed: (ModelBreaker | null)[] = [];
    const withModel = (model_id: string) =>
      routerWith({
        uncounted: async () => ({ model_id, is_probe: false }),
        changeBreaker: async (_of, rule) => {
          changed.push(rule(null));
          return true;
        },
      });

    await withModel("ant").door.learn("acme", { ...fault, provider: "failed" });
    await withModel("ant").door.learn("acme", { ...fault, provider: "answered" });
    await withModel("ant").door.learn("acme", fault);
    await withModel("builtin").door.learn("acme", { ...fault, provider: "failed" });

    expect(changed).toMatchObject([{ failures: 1, pause_ms: null }]);
  });

  it("fails no task for an outcome that can't be written, and says so in the log", async () => {
    const { door, logged } = routerWith({ writeOutcome: DOWN });

    await door.learn("acme", {
      decision_id: "dec-1",
      reward: 1,
      source: "quality",
      is_success: true,
      quality: 1,
      latency_s: 1,
      cost_usd: 0,
      tokens: 0,
    });

    expect(logged).toEqual(["routing_outcome_lost"]);
  });
});
