import { describe, expect, it } from "vitest";

import type { Judgement } from "../../src/executor/router/ledger.ts";
import { createVerdicts, VERDICT_WITHIN_MS } from "../../src/executor/router/verdicts.ts";
import { instant } from "../../src/lib/ports.ts";
import { ok } from "../../src/lib/result.ts";
import type { ModelDecisionView } from "../../src/protocol/model-decision.ts";

const BY = { tenant: "acme", key_id: "k", scopes: ["orchestrate" as const], isBootstrap: false };

const VIEW: ModelDecisionView = {
  decision_id: "dec-1",
  task_id: "task-1",
  task_type: "research",
  band: "low",
  model_id: "ant",
  reasons: ["because"],
  created_at: instant(0),
  reward: 0.9,
  reward_source: "quality",
  settled_at: instant(5),
  verdict: null,
};

/** The use cases over one decision. */
function verdictsOver(view: Partial<ModelDecisionView> | null, { rank = 0, now = 10 } = {}) {
  const judged: Judgement[] = [];
  const desk = createVerdicts({
    now: () => now,
    log: () => {},
    list: async () => ok({ items: [], next_cursor: null }),
    get: async () => (view === null ? null : { view: { ...VIEW, ...view }, record: "{}", rank }),
    stats: async () => ok({ items: [], is_complete: true }),
    judge: async (judgement) => void judged.push(judgement),
  });
  return { desk, judged };
}

const accept = { schema_version: "2.0", accepted: true, by: "orchestrator" } as const;

describe("a verdict on the choice of a model", () => {
  it.each([
    [{ ...accept }, 1, true],
    [{ ...accept, accepted: false }, 0, false],
    [{ ...accept, score: 0.6 }, 0.6, true],
  ])("%o is a reward of %d", async (verdict, reward, is_success) => {
    const { desk, judged } = verdictsOver({});

    expect(await desk.judge(BY, "dec-1", verdict)).toMatchObject({ ok: true });
    expect(judged).toMatchObject([{ tenant: "acme", source: "orchestrator", reward, is_success }]);
  });

  it("that says the same again writes nothing, however late it comes", async () => {
    const verdict = { accepted: true, score: 1, by: "orchestrator", comment: null } as const;
    const { desk, judged } = verdictsOver({ verdict }, { rank: 2, now: 2 * VERDICT_WITHIN_MS });

    expect(await desk.judge(BY, "dec-1", accept)).toMatchObject({ ok: true });
    expect(judged).toEqual([]);
  });

  it.each([
    ["model_decision_not_found", null, {}],
    ["verdict_refused", { model_id: null }, {}],
    ["verdict_refused", {}, { now: VERDICT_WITHIN_MS + 1 }],
    ["verdict_refused", {}, { rank: 3 }],
  ])("is refused with %s: %o %o", async (code, view, given) => {
    const { desk, judged } = verdictsOver(view, given);

    expect(await desk.judge(BY, "dec-1", accept)).toMatchObject({ ok: false, refusal: { code } });
    expect(judged).toEqual([]);
  });

  it("of a human takes the place of another human's, to the last millisecond of seven days", async () => {
    const { desk, judged } = verdictsOver({}, { rank: 3, now: VERDICT_WITHIN_MS });

    await desk.judge(BY, "dec-1", { ...accept, by: "human" });

    expect(judged).toHaveLength(1);
  });

  it("can be looked for: a record that other rules made is shown, and said not to be made again", async () => {
    const { desk } = verdictsOver({});

    expect(await desk.get(BY, "dec-1")).toMatchObject({ value: { replayed: false, record: {} } });
    expect(await verdictsOver(null).desk.get(BY, "x")).toMatchObject({
      refusal: { code: "model_decision_not_found" },
    });
  });
});
