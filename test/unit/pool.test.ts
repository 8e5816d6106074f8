import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import { mayTake, pick } from "../../src/dispatch/choice/fit.ts";
import { CLOSED } from "../../src/dispatch/choice/push-breaker.ts";
import { UNKNOWN } from "../../src/dispatch/choice/reputation.ts";
import {
  announced,
  freeSlots,
  inOrder,
  isReleased,
  newLife,
  ONLINE_MS,
  poolOf,
  presenceOf,
  presenceState,
  RESERVATION_GRACE_MS,
  reservationOf,
} from "../../src/dispatch/pool/pool.ts";
import type {
  AgentLife,
  Entry,
  Member,
  PoolAgent,
  PoolItem,
} from "../../src/dispatch/pool/pool.ts";
import {
  agentOf,
  entryOf as entry,
  itemOf as item,
  memberOf as member,
  NOW,
} from "./pool-fixture.ts";

const agent = (agent_id: string, more: Partial<PoolAgent> = {}) =>
  agentOf(agent_id, {
    capabilities: ["human", "dutch"],
    task_types: ["general", "research"],
    labels: { region: "eu", cores: 8 },
    slots: 2,
    ...more,
  });

const view = (...members: Member[]) => ({ members, now: NOW });

describe("order", () => {
  it("is by priority, then by readiness, then by task_id", () => {
    const items = [
      item("e", { priority: "low", ready_at: 1 }),
      item("d", { ready_at: 6 }),
      item("c", { ready_at: 5 }),
      item("b", { ready_at: 5 }),
      item("a", { priority: "critical", ready_at: 9 }),
      item("f", { priority: "high", ready_at: 9 }),
    ];

    expect(
      items
        .toSorted(inOrder)
        .map(({ task_id }) => task_id)
        .join(""),
    ).toBe("afbcde");
  });

  it("is total: no two tasks are equal, and turning them round turns the answer round", () => {
    const items = fc.record({
      task_id: fc.constantFrom("a", "b"),
      priority: fc.constantFrom("low" as const, "normal" as const, "critical" as const),
      ready_at: fc.integer({ min: 0, max: 3 }),
    });

    fc.assert(
      fc.property(items, items, (one, other) => {
        const forth = inOrder(item("", one), item("", other));
        const back = inOrder(item("", other), item("", one));
        expect(Math.sign(forth) + Math.sign(back)).toBe(0);
        expect(forth === 0).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});

describe("ageing", () => {
  const RANKS = ["critical", "high", "normal", "low"] as const;
  const any = fc.record({
    priority: fc.constantFrom(...RANKS),
    ready_at: fc.integer({ min: NOW, max: NOW + 3_600_000 }),
  });
  const rankOf = ({ priority }: { priority: (typeof RANKS)[number] }) => RANKS.indexOf(priority);

  it("keeps the higher priority first among tasks that were ready within five minutes", () => {
    fc.assert(
      fc.property(any, any, (one, other) => {
        fc.pre(rankOf(one) < rankOf(other));
        fc.pre(one.ready_at - other.ready_at <= 300_000);
        expect(inOrder(item("b", one), item("a", other))).toBeLessThan(0);
      }),
    );
  });

  it("lets no task be overtaken by one that came more than 15 minutes later, whatever their priority", () => {
    fc.assert(
      fc.property(any, any, (early, late) => {
        fc.pre(late.ready_at - early.ready_at > 900_000);
        expect(inOrder(item("b", early), item("a", late))).toBeLessThan(0);
      }),
    );
  });

  it("runs a low task under a load of high ones that never ends, after ten minutes", () => {
    const low = item("low", { priority: "low", ready_at: NOW });
    const high = Array.from({ length: 3_600 }, (_, second) =>
      item(`high-${second}`, { priority: "high", ready_at: NOW + second * 1_000 }),
    );

    const place = [...high, low].sort(inOrder).indexOf(low);

    expect(place).toBe(601);
  });
});

describe("presence", () => {
  const silent = (ms: number) => member(agent("ann"), { last_seen_at: NOW - ms });

  it.each([
    [0, "online"],
    [ONLINE_MS, "online"],
    [ONLINE_MS + 1, "stale"],
    [300_000, "stale"],
    [300_001, "offline"],
  ])("after %d ms of silence is %s", (ms, state) => {
    expect(presenceState(silent(ms), NOW)).toBe(state);
  });

  it("is online while the executor waits or works, however long ago it called", () => {
    expect(presenceState({ ...silent(900_000), isWaiting: true }, NOW)).toBe("online");
    expect(presenceState({ ...silent(900_000), slots_in_use: 1 }, NOW)).toBe("online");
    expect(presenceState(member(BUILTIN_AGENT, { last_seen_at: null }), NOW)).toBe("online");
    expect(presenceState(member(agent("ann"), { last_seen_at: null }), NOW)).toBe("offline");
  });

  it("is online for who tasks are pushed to, unless its breaker says otherwise", () => {
    const breaker = { ...CLOSED, open_until: NOW + 1 };
    const pushed = (life: Partial<AgentLife>) =>
      member(agent("ann", { isPush: true }), {
        last_seen_at: NOW - 900_000,
        life: { ...newLife(0, NOW), ...life },
      });

    expect(presenceState(pushed({}), NOW)).toBe("online");
    expect(presenceState(pushed({ breaker }), NOW)).toBe("offline");
    expect(presenceState(pushed({ breaker }), NOW + 1)).toBe("stale");
  });

  it("is of the breaker also when who tasks are pushed to called lately or works", () => {
    const life = { ...newLife(0, NOW), breaker: { ...CLOSED, open_until: NOW + 1 } };
    const pushed = member(agent("ann", { isPush: true }), { life, slots_in_use: 1 });

    expect(presenceState(pushed, NOW)).toBe("offline");
    expect(presenceState(pushed, NOW + 1)).toBe("stale");
    expect(presenceState({ ...pushed, isWaiting: true }, NOW)).toBe("online");
  });

  it("tells the figures without the registration", () => {
    expect(
      presenceOf(member(agent("ann"), { slots_in_use: 1, assigned: 3, released: 2 }), NOW),
    ).toEqual({
      agent_id: "ann",
      state: "online",
      last_seen_at: NOW,
      slots_in_use: 1,
      assigned: 3,
      released: 2,
      reputation: UNKNOWN,
    });
  });

  it("counts no free slot below zero", () => {
    expect([freeSlots(agent("ann"), 1), freeSlots(agent("ann"), 5)]).toEqual([1, 0]);
  });
});

describe("declining", () => {
  const declined = item("t", { declined_by: ["ann"], ready_at: NOW - 30_000 });
  const ann = agent("ann");

  it("bars the decliner while another one that fits is there, online or stale", () => {
    const stale = member(agent("bob"), { last_seen_at: NOW - 100_000 });

    expect(mayTake(ann, declined, view(member(ann), stale))).toBe(false);
    expect(mayTake(agent("bob"), declined, view(member(ann), stale))).toBe(true);
  });

  it("lets the decliner have again what the built-in executor does only in part", () => {
    const debugs = agent("ann", { task_types: ["code_debugging"] });
    const all = view(member(debugs), member(BUILTIN_AGENT));
    const debugging = { ...declined, task_type: "code_debugging" as const };

    expect(mayTake(debugs, debugging, all)).toBe(true);
    expect(mayTake(ann, declined, all)).toBe(false);
  });

  it("lets the decliner have it again when all others are gone, unfit or declined too", () => {
    const gone = member(agent("bob"), { last_seen_at: NOW - 400_000 });
    const unfit = member(agent("cas", { task_types: ["testing"] }));
    const both = item("t", { ...declined, declined_by: ["ann", "dan"] });

    expect(mayTake(ann, both, view(member(ann), gone, unfit, member(agent("dan"))))).toBe(true);
  });

  it("waits for the task's retry_delay", () => {
    const later = { ...declined, ready_at: NOW - 29_999 };

    expect(mayTake(ann, later, view(member(ann)))).toBe(false);
    expect(mayTake(agent("bob"), later, view(member(ann)))).toBe(true);
  });
});

describe("picking", () => {
  const ready = ["a", "b", "c"].map((task_id) =>
    entry(item(task_id, { task_type: task_id === "a" ? "testing" : "general" })),
  );

  it("takes what fits, in order, up to the count", () => {
    const one = pick(agent("ann"), ready, 1, view());
    const all = pick(agent("ann"), ready, 5, view());

    expect(one.map((found) => found.item.task_id)).toEqual(["b"]);
    expect(all.map((found) => found.item.task_id)).toEqual(["b", "c"]);
  });

  it("takes nothing when there is no slot", () => {
    expect(pick(agent("ann"), ready, 0, view())).toEqual([]);
  });
});

describe("announcements", () => {
  const stored = entry(item("t", { attempt: 2 }));
  const held = (agent_id: string, reserved_at: number): Entry => ({
    ...stored,
    reservation: { ...reservationOf(stored.item, agent_id, "{}", NOW), reserved_at },
  });
  const table: [string, Entry | null, Partial<PoolItem>, string][] = [
    ["a task that is new", null, {}, "replace"],
    ["a newer attempt", held("ann", NOW), { attempt: 3 }, "replace"],
    ["an older attempt", stored, { attempt: 1 }, "ignore"],
    ["the same again", stored, {}, "keep"],
    ["a changed priority", stored, { priority: "high" }, "replace"],
    ["the same while it is handed out", held("ann", NOW), {}, "ignore"],
    ["the same at the end of the grace", held("ann", NOW - RESERVATION_GRACE_MS), {}, "ignore"],
    ["the same after the grace", held("ann", NOW - RESERVATION_GRACE_MS - 1), {}, "replace"],
    ["a decline of who holds it", held("ann", NOW), { declined_by: ["ann"] }, "replace"],
    ["a decline of another one", held("ann", NOW), { declined_by: ["bob"] }, "ignore"],
  ];

  it.each(table)("judges %s", (_what, known, more, effect) => {
    expect(announced(known, item("t", { attempt: 2, ...more }), NOW)).toBe(effect);
  });
});

describe("releases", () => {
  const held: Entry = entry(item("t", { attempt: 2 }), {
    reservation: reservationOf(item("t"), "ann", "{}", NOW),
  });

  it.each([
    [held, 2, null, true],
    [held, 3, null, true],
    [held, 1, null, false],
    [held, 2, "ann", true],
    [held, 2, "bob", false],
    [{ ...held, reservation: null }, 2, null, true],
    [{ ...held, reservation: null }, 2, "ann", false],
  ])("of %j at attempt %d by %s: %s", (stored, attempt, agent_id, isMeant) => {
    expect(isReleased(stored, attempt, agent_id)).toBe(isMeant);
  });
});

describe("reservations and names", () => {
  it("lets a slot expire after the seconds that the task gives it", () => {
    expect(reservationOf(item("t"), "ann", "{}", NOW)).toEqual({
      agent_id: "ann",
      reserved_at: NOW,
      expires_at: NOW + 60_000,
      decision: "{}",
    });
  });

  it("reads tenant and pool from an object's name", () => {
    expect(poolOf("acme/eu/west")).toEqual({ tenant: "acme", pool: "eu/west" });
    expect(() => poolOf("acme")).toThrow("not the name of a pool");
    expect(() => poolOf(undefined)).toThrow("not the name of a pool");
  });
});
