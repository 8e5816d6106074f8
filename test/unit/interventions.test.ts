import { describe, expect, it } from "vitest";

import { createInterventions } from "../../src/dispatch/interventions.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { EscalationsQuery } from "../../src/protocol/queries.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import type { Actor, Escalation } from "../../src/protocol/task-view.ts";

const ESCALATION: Escalation = {
  escalation_id: "esc_1_t",
  task_id: "t",
  kind: "question",
  state: "open",
  question: "Which one?",
  options: [],
  evidence: { level: "agent" },
  urgency: "medium",
  deadline: null,
  default_option: null,
  created_at: "2026-11-22T10:00:00.000Z",
  resolved_at: null,
  decision: null,
  answer: null,
  actor: null,
};
const NOT_THERE: Refusal = { code: "escalation_not_found", detail: "" };
const GONE: Refusal = { code: "task_gone", detail: "It was removed." };
const ANSWER = { schema_version: "2.0", decision: "resume" as const };

const keyed = (key_id: string, ...scopes: Principal["scopes"][number][]): Principal => ({
  key_id,
  tenant: "acme",
  scopes,
  isBootstrap: false,
});
const ORCHESTRATOR = keyed("boss", "orchestrate");
const ASKER = keyed("key-ann", "execute");
const OTHER = keyed("key-bob", "execute");
const WATCHING = keyed("key-bob", "execute", "observe");

/** An escalation that an agent asks, at a level; `where` it is found. */
function inbox(
  level: string,
  where: "object" | "history" | "nowhere" | "removed" = "object",
  asked_by = "ann",
) {
  const answered: Actor[] = [];
  const listed: (EscalationsQuery & { level?: "agent" })[] = [];
  const cases = createInterventions({
    task: () => ({
      command: async () => refuse(NOT_THERE),
      commands: async () => ok('[{"command_id":"cmd_1"}]'),
      escalation: async () =>
        where === "object"
          ? ok({ escalation: JSON.stringify(ESCALATION), level, asked_by })
          : refuse(NOT_THERE),
      resolve: async (_id, _answer, actor) => {
        if (where !== "object") return refuse({ code: "task_not_found", detail: "" });
        answered.push(actor);
        return ok(JSON.stringify(ESCALATION));
      },
      explain: async () => refuse(NOT_THERE),
      view: async () => refuse(NOT_THERE),
      rebuild: async () => refuse(NOT_THERE),
    }),
    readable: async (by) => (by.key_id === "stranger" ? refuse(NOT_THERE) : ok({})),
    pastView: async () => (where === "removed" ? refuse(GONE) : ok(null)),
    archive: {
      list: async (_tenant, query) => {
        listed.push(query);
        return ok({ items: [ESCALATION], next_cursor: null });
      },
      get: async () => (where === "history" ? ESCALATION : null),
    },
    keyOfAgent: async (_tenant, agent_id) => (agent_id === "shared" ? null : `key-${agent_id}`),
    placeInPool: async () => null,
  });
  return { cases, answered, listed };
}

describe("an escalation is answered", () => {
  it.each([
    ["an orchestrator", ORCHESTRATOR, "human", { kind: "orchestrator", id: "boss" }],
    ["an operator", keyed("root", "admin"), "human", { kind: "operator", id: "root" }],
    ["another agent", OTHER, "agent", { kind: "executor", id: "key-bob" }],
    ["another agent that observes", WATCHING, "agent", { kind: "executor", id: "key-bob" }],
    [
      "an orchestrator that executes too",
      keyed("both", "execute", "orchestrate"),
      "human",
      { kind: "orchestrator", id: "both" },
    ],
  ] as const)("by %s, who is on record", async (_title, by, level, actor) => {
    const { cases, answered } = inbox(level);

    const done = await cases.resolve(by, ESCALATION.escalation_id, ANSWER);

    expect(done.ok).toBe(true);
    expect(answered).toEqual([actor]);
  });

  it.each([
    ["an agent what is asked of people", OTHER, "human", "escalation_not_found"],
    ["an agent what is asked of the orchestrator", OTHER, "orchestrator", "escalation_not_found"],
    ["an agent that observes what is asked of people", WATCHING, "human", "escalation_not_found"],
    ["an agent its own question", ASKER, "agent", "forbidden"],
    ["an agent its own, observing", keyed("key-ann", "execute", "observe"), "agent", "forbidden"],
  ] as const)("never by %s", async (_title, by, level, code) => {
    const { cases, answered } = inbox(level);

    const done = await cases.resolve(by, ESCALATION.escalation_id, ANSWER);

    expect(done).toMatchObject({ ok: false, refusal: { code } });
    expect(answered).toEqual([]);
  });
});

describe("an escalation whose task has left its object", () => {
  it.each([
    ["history", "escalation_closed"],
    ["removed", "task_gone"],
    ["nowhere", "escalation_not_found"],
  ] as const)("takes no answer: where it is %s it is refused with %s", async (where, code) => {
    const { cases } = inbox("human", where);

    const done = await cases.resolve(ORCHESTRATOR, ESCALATION.escalation_id, ANSWER);

    expect(done).toMatchObject({ ok: false, refusal: { code } });
  });

  it("is gone with its task for those who may see it, and unknown to others", async () => {
    const { cases } = inbox("agent", "removed");
    const seenBy = (by: Principal) => cases.escalation(by, ESCALATION.escalation_id);

    expect(await seenBy(ORCHESTRATOR)).toEqual(refuse(GONE));
    expect(await seenBy(OTHER)).toMatchObject({ refusal: { code: "escalation_not_found" } });
  });
});

describe("an agent's answer", () => {
  it("never goes to an agent that is bound to no key: it may be its own", async () => {
    const { cases, answered } = inbox("agent", "object", "shared");

    const done = await cases.resolve(OTHER, ESCALATION.escalation_id, ANSWER);

    expect(done).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
    expect(answered).toEqual([]);
    expect((await cases.resolve(ORCHESTRATOR, ESCALATION.escalation_id, ANSWER)).ok).toBe(true);
  });

  it.each([
    { decision: "cancel" as const },
    { decision: "change" as const, patch: { contract: { budget: { max_cost_usd: 1_000 } } } },
  ])("never decides about the task: %o", async (answer) => {
    const { cases, answered } = inbox("agent");
    const resolution = { schema_version: "2.0", ...answer };

    for (const by of [OTHER, WATCHING]) {
      // oxlint-disable-next-line no-await-in-loop
      const done = await cases.resolve(by, ESCALATION.escalation_id, resolution);
      expect(done).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
    }
    expect(answered).toEqual([]);
  });
});

describe("an escalation is shown", () => {
  const SHOWN = [
    ["an orchestrator", ORCHESTRATOR, { level: "human" }],
    ["an observer, from history", keyed("eye", "observe"), { level: "human", where: "history" }],
    ["an agent that may answer", OTHER, { level: "agent" }],
    ["the agent that asks", ASKER, { level: "human" }],
    ["an agent that observes", WATCHING, { level: "human" }],
  ] as const;
  const HIDDEN = [
    ["another agent", OTHER, { level: "human" }],
    ["an agent, from history", OTHER, { level: "agent", where: "history" }],
    ["anybody when there is none", ORCHESTRATOR, { level: "human", where: "nowhere" }],
  ] as const;

  const shownTo = (by: Principal, at: { level: string; where?: "history" | "nowhere" }) =>
    inbox(at.level, at.where).cases.escalation(by, ESCALATION.escalation_id);

  it.each(SHOWN)("to %s", async (_title, by, at) => {
    expect(await shownTo(by, at)).toEqual({ ok: true, value: ESCALATION });
  });

  it.each(HIDDEN)("not to %s", async (_title, by, at) => {
    expect(await shownTo(by, at)).toMatchObject({ refusal: { code: "escalation_not_found" } });
  });

  it("in a list that holds for agents only what they may answer", async () => {
    const { cases, listed } = inbox("agent");

    await cases.escalations(ORCHESTRATOR, { state: "open", limit: 5 });
    await cases.escalations(OTHER, { state: "open", limit: 5 });

    expect(listed).toEqual([
      { state: "open", limit: 5 },
      { state: "open", limit: 5, level: "agent" },
    ]);
  });
});

describe("the commands of a task", () => {
  it("are listed for whoever may read it", async () => {
    const { cases } = inbox("agent");

    expect(await cases.commands(ORCHESTRATOR, "t")).toMatchObject({
      value: { items: [{ command_id: "cmd_1" }], next_cursor: null },
    });
    expect((await cases.commands(keyed("stranger", "execute"), "t")).ok).toBe(false);
  });
});
