import { describe, expect, it } from "vitest";

import { brokenLaws, LAWS, lossOf } from "../chaos/plans/laws.ts";
import { planOf } from "../chaos/plans/plan.ts";
import type { Receipt } from "../chaos/plans/receiver.ts";
import type { TenantSeen, Told } from "../chaos/plans/seen.ts";
import type { Aftermath } from "../chaos/plans/world.ts";

type Law = keyof typeof LAWS;

const SYSTEM = { kind: "system", id: "batuta" };
const WORKER = { kind: "executor", id: "worker-0" };

function event(seq: number, type: string, actor = SYSTEM, data: Record<string, unknown> = {}) {
  return { seq, type, at: "2026-11-26T10:00:00.000Z", actor, data };
}

function told(): Told {
  const view = {
    task_id: "north-1",
    seq: 5,
    status: "completed",
    phase: "ended",
    end_reason: "success",
  };
  const log = [
    event(1, "task_submitted"),
    event(2, "task_assigned", WORKER, { agent_id: "worker-0" }),
    event(3, "task_completed", WORKER),
    event(4, "verdict", WORKER),
    event(5, "agent_end_task"),
  ];
  return { view, log, listed: { ...view } };
}

function receipt(endpoint: string, seq: number, prev_seq: number | null, type: string): Receipt {
  const message_id = `msg-${endpoint}-${seq}`;
  const of = { endpoint, message_id, body: `body ${seq}`, isSigned: true, isEffective: true };
  return { ...of, type, task_id: "north-1", seq, prev_seq };
}

function tenant(): TenantSeen {
  const places = ["ordered", "batched"].flatMap((name) =>
    [3, 5].map((seq) => [`north/${name} north-1 ${seq}`, "delivered"] as const),
  );
  return {
    tenant: "north",
    accepted_task_ids: ["north-1"],
    tasks: [told()],
    listed_ids: ["north-1"],
    deliveries: new Map(places),
    slots_in_use: { "worker-0": 0 },
    foreign: ["task_not_found"],
  };
}

/** What a run leaves in which nothing was broken, and of it what a test breaks. */
function aftermath(spoil: (seen: Aftermath, own: TenantSeen, task: Told) => void): Aftermath {
  const own = tenant();
  const seen: Aftermath = {
    plan: planOf(1),
    tenants: [own],
    accepted: [{ tenant: "north", task_id: "north-1", type: "task_completed", seq: 3 }],
    receipts: ["north/ordered", "north/batched"].flatMap((name) => [
      receipt(name, 3, null, "task_completed"),
      receipt(name, 5, 3, "agent_end_task"),
    ]),
    receiverFaults: [],
    unexpected: [],
    recovery_ms: 1_000,
    output: "",
  };
  const [task = told()] = own.tasks;
  spoil(seen, own, task);
  return seen;
}

/** A law, how it is broken, and what breaks it. */
const BROKEN: readonly [Law, string, Parameters<typeof aftermath>[0]][] = [
  [
    "every accepted thing is in the log, once",
    "what was accepted is not there",
    ({ accepted }) => {
      accepted.push({ tenant: "north", task_id: "north-1", type: "task_progress", seq: 9 });
    },
  ],
  [
    "every accepted thing is in the log, once",
    "two got the same answer",
    ({ accepted }) => accepted.push(...accepted),
  ],
  [
    "every accepted task is there, and history knows no other",
    "a task is in no list",
    (_seen, own) => own.listed_ids.pop(),
  ],
  [
    "every task comes to one controlled end",
    "a task has not ended",
    (_seen, _own, { view }) => Object.assign(view, { phase: "executing" }),
  ],
  [
    "every log is without gaps, with one holder at a time and one verdict",
    "an event is missing",
    (_seen, _own, { log }) => log.splice(0, 1),
  ],
  [
    "every log is without gaps, with one holder at a time and one verdict",
    "a task is assigned while somebody holds it",
    (_seen, _own, { log }) => Object.assign(log[0] ?? {}, log[1], { seq: 1 }),
  ],
  [
    "every log is without gaps, with one holder at a time and one verdict",
    "somebody else writes to it",
    (_seen, _own, { log }) => {
      Object.assign(log[2] ?? {}, { actor: { kind: "executor", id: "worker-1" } });
    },
  ],
  [
    "every log is without gaps, with one holder at a time and one verdict",
    "there are two verdicts",
    (_seen, _own, { log }) => Object.assign(log[0] ?? {}, { type: "verdict" }),
  ],
  [
    "every notification is delivered to every endpoint",
    "one never came",
    ({ receipts }) => receipts.pop(),
  ],
  [
    "every notification is delivered to every endpoint",
    "one is still to come",
    (_seen, own) => own.deliveries.set("north/ordered north-1 5", "retrying"),
  ],
  [
    "every endpoint gets each task's notifications in order",
    "the later one came first",
    ({ receipts }) => receipts.reverse(),
  ],
  [
    "every endpoint gets each task's notifications in order",
    "one names another before it",
    ({ receipts }) => Object.assign(receipts[1] ?? {}, { prev_seq: 2 }),
  ],
  [
    "one id means the same bytes, and one notification has one id",
    "it was repeated with other bytes",
    ({ receipts }) => {
      receipts.push({ ...receipt("north/ordered", 5, 3, "agent_end_task"), body: "other" });
    },
  ],
  [
    "one id means the same bytes, and one notification has one id",
    "it was repeated under another id",
    ({ receipts }) => {
      receipts.push({ ...receipt("north/ordered", 5, 3, "agent_end_task"), message_id: "other" });
    },
  ],
  [
    "every request is signed",
    "one is not",
    ({ receipts }) => Object.assign(receipts[0] ?? {}, { isSigned: false }),
  ],
  [
    "every notification takes effect once at an idempotent receiver",
    "one never does",
    ({ receipts }) => Object.assign(receipts[0] ?? {}, { isEffective: false }),
  ],
  [
    "every slot is free again",
    "one is not",
    (_seen, own) => Object.assign(own.slots_in_use, { "worker-0": 1 }),
  ],
  [
    "history says what the tasks themselves say",
    "it is behind",
    (_seen, _own, { listed }) => Object.assign(listed ?? {}, { seq: 4 }),
  ],
  [
    "nothing of one tenant is shown to another",
    "it was shown a task",
    (_seen, own) => own.foreign.push("saw south-1"),
  ],
  [
    "nothing of one tenant is shown to another",
    "its endpoint was told",
    ({ receipts }) => Object.assign(receipts[0] ?? {}, { task_id: "south-1" }),
  ],
  [
    "nobody who keeps to the protocol is refused for breaking it",
    "somebody is",
    ({ unexpected }) => unexpected.push("/v1/notifications validation_failed"),
  ],
  [
    "all is well again in time",
    "it never is",
    (seen) => Object.assign(seen, { recovery_ms: null }),
  ],
];

describe("the laws of chaos", () => {
  it("are kept by a run in which nothing was broken", () => {
    const seen = aftermath(() => {});

    expect(brokenLaws(seen)).toEqual([]);
    expect(lossOf(seen)).toBe(0);
  });

  it.each(BROKEN)("notice when it is not so that %s: %s", (law, _how, spoil) => {
    expect(LAWS[law](aftermath(spoil))).not.toEqual([]);
  });

  it("are each broken here in some way", () => {
    expect(new Set(BROKEN.map(([law]) => law))).toEqual(new Set(Object.keys(LAWS)));
  });

  it("count as lost what was accepted and is not there", () => {
    const loss = (spoil: Parameters<typeof aftermath>[0]) => lossOf(aftermath(spoil));

    expect(loss(({ receipts }) => receipts.pop())).toBe(1);
    expect(loss((_seen, own) => own.accepted_task_ids.push("north-2"))).toBe(1);
    expect(loss((_seen, _own, { log }) => log.splice(2, 1))).toBeGreaterThan(0);
  });
});
