import { describe, expect, it } from "vitest";

import { batchRules } from "../../src/delivery/batching.ts";
import { Agenda, type AgendaRules, type Unit } from "../../src/delivery/endpoint/agenda.ts";
import type { DeliveryRow } from "../../src/delivery/endpoint/delivery-row.ts";
import { releaseAtOf, type Gate } from "../../src/delivery/endpoint/gate.ts";
import { deliveryRow } from "../delivery-row.ts";

const OPEN: Gate = {
  isActive: true,
  pausedUntil: 0,
  rateAt: 0,
  slots: 6,
  leastPriority: 0,
  trickleAt: 0,
  probeAt: null,
  latencyMs: 0,
};
const NOW = 10;

function row(source: string, seq: number, changes: Partial<DeliveryRow> = {}): DeliveryRow {
  return deliveryRow({ source, seq, position: seq * 1_000, ...changes });
}

function agendaWith(rows: DeliveryRow[], rules: Partial<AgendaRules> = {}): Agenda {
  const agenda = new Agenda({ ordering: "task", lanePolicy: "block", batching: null, ...rules });
  for (const added of rows) agenda.add(added, NOW);
  return agenda;
}

const placesOf = (unit: Unit | null) =>
  unit?.items.map(({ source, seq }) => `${source}${seq}`).join(" ") ?? null;

/** Everything that may go now, with each request done at once. */
function drain(agenda: Agenda, now = NOW, gate: Gate = OPEN): (string | null)[] {
  const sent = [];
  for (let unit = agenda.take(now, gate); unit !== null; unit = agenda.take(now, gate)) {
    sent.push(placesOf(unit));
    agenda.settle(unit, [], null, now);
  }
  return sent;
}

describe("the agenda of an endpoint", () => {
  it("sends replays first, and beside a lane that is busy", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.take(NOW, OPEN);

    agenda.addReplay(row("a", 1), NOW);
    const replay = agenda.take(NOW, OPEN);

    expect(replay).toMatchObject({ isManual: true, items: [{ source: "a", seq: 1 }] });
  });

  it("sends only replays while the endpoint is not active", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.addReplay(row("b", 1), NOW);
    const closed = { ...OPEN, isActive: false };

    const taken = [agenda.take(NOW, closed), agenda.take(NOW, closed)].map(placesOf);

    expect(taken).toEqual(["b1", null]);
    expect(agenda.next(NOW, closed)).toBeNull();
  });

  it.each(["pausedUntil", "rateAt"] as const)("sends nothing before %s, and knows it", (name) => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.addReplay(row("b", 1), NOW);
    const gate = { ...OPEN, [name]: 5_000 };

    expect(agenda.take(4_999, gate)).toBeNull();
    expect(agenda.next(NOW, gate)).toMatchObject({ at: 5_000, isRetry: name === "pausedUntil" });
    expect(agenda.take(5_000, gate)).not.toBeNull();
  });

  it("has no more in flight than there are slots", () => {
    const agenda = agendaWith([row("a", 1), row("b", 1), row("c", 1)]);
    const gate = { ...OPEN, slots: 2 };

    const taken = [1, 2, 3].map(() => agenda.take(NOW, gate) !== null);

    expect(taken).toEqual([true, true, false]);
    expect(agenda.next(NOW, gate)).toBeNull();
  });

  it("knows what is in flight until it is settled, and never sends it twice at a time", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.addReplay(row("a", 1), NOW);
    const replay = agenda.take(NOW, OPEN);

    const beside = agenda.take(NOW, OPEN);
    const isInFlight = agenda.isInFlight(row("a", 1));
    if (replay !== null) agenda.settle(replay, [row("a", 1, { attempts: 1 })], null, NOW);

    expect([beside, isInFlight]).toEqual([null, true]);
    expect(agenda.isInFlight(row("a", 1))).toBe(false);
    expect(placesOf(agenda.take(NOW, OPEN))).toBe("a1");
  });

  it("goes on behind a delivery that a replay has settled, wherever in its lane it stood", () => {
    const agenda = agendaWith([
      row("a", 1, { attempts: 1, due: 90_000 }),
      row("a", 2),
      row("a", 3),
    ]);
    for (const seq of [2, 1]) {
      agenda.addReplay(row("a", seq), NOW);
      const replay = agenda.take(NOW, OPEN);
      if (replay !== null)
        agenda.settle(replay, [row("a", seq, { state: "delivered" })], null, NOW);
    }

    expect(drain(agenda)).toEqual(["a3"]);
  });

  it("tells when a settled head frees one that was not tried yet", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2)]);

    const freed = [1, 2].map(() => {
      const turn = agenda.take(NOW, OPEN);
      return turn !== null && agenda.settle(turn, [], null, NOW);
    });

    expect(freed).toEqual([true, false]);
  });

  it("is all retries only when every lane waits for one", () => {
    const agenda = agendaWith([row("a", 1, { attempts: 1, due: 50 }), row("a", 2)]);

    expect(agenda.isAllRetrying()).toBe(true);
    agenda.add(row("b", 1), NOW);
    expect(agenda.isAllRetrying()).toBe(false);
  });
});

describe("an agenda while the breaker is open", () => {
  it("sends one at a time, not before the probe is due, and nothing early", () => {
    const rows = [row("a", 1), row("b", 1), row("c", 1, { tries: 1, due: 90_000 })];
    const agenda = agendaWith(rows);
    const gate = { ...OPEN, slots: 1, probeAt: 5_000 };

    const early = agenda.take(4_999, gate);
    const probe = agenda.take(5_000, gate);
    const beside = agenda.take(5_000, gate);

    expect([early, placesOf(probe), beside]).toEqual([null, "a1", null]);
    expect(agendaWith([rows[2] ?? row("c", 1)]).next(5_000, gate)).toMatchObject({ at: 90_000 });
  });

  it("leaves the probe where it was when it fails", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2)]);
    const gate = { ...OPEN, slots: 1, probeAt: 0 };
    const probe = agenda.take(NOW, gate);

    if (probe !== null) agenda.settle(probe, [row("a", 1, { attempts: 1 })], null, NOW);

    expect(placesOf(agenda.take(NOW, gate))).toBe("a1");
  });

  it("lets low priorities wait for their turn at level 2", () => {
    const agenda = agendaWith([row("low", 1, { priority: 0 }), row("high", 1, { priority: 2 })]);
    const gate = { ...OPEN, slots: 1, leastPriority: 2, trickleAt: 2_000 };

    expect(drain(agenda, NOW, gate)).toEqual(["high1"]);
    expect(agenda.next(NOW, gate)).toMatchObject({ at: 2_000 });
    expect(drain(agenda, 2_000, gate)).toEqual(["low1"]);
  });
});

describe("a lane whose head has failed", () => {
  const failed = row("a", 1, { attempts: 1, tries: 1, due: 60_000, first_failed_at: NOW });

  function afterFailure(lanePolicy: AgendaRules["lanePolicy"]): Agenda {
    const agenda = agendaWith([row("a", 1), row("a", 2)], { lanePolicy });
    const head = agenda.take(NOW, OPEN);
    if (head !== null) agenda.settle(head, [failed], null, NOW);
    return agenda;
  }

  it("waits for it under block", () => {
    const agenda = afterFailure("block");

    expect(drain(agenda, 59_999)).toEqual([]);
    expect(drain(agenda, 60_000)).toEqual(["a1", "a2"]);
  });

  it("goes on at once under skip, and the head comes late by itself", () => {
    const agenda = afterFailure("skip");

    expect(drain(agenda)).toEqual(["a2"]);
    expect(drain(agenda, 60_000)).toEqual(["a1"]);
  });

  it("goes on after block_for, counted from the first failure", () => {
    const agenda = afterFailure({ block_for: 20 });

    expect(drain(agenda, NOW + 19_999)).toEqual([]);
    expect(agenda.next(NOW, OPEN)).toMatchObject({ at: NOW + 20_000 });
    expect(drain(agenda, NOW + 20_000)).toEqual(["a2"]);
    expect(drain(agenda, 60_000)).toEqual(["a1"]);
  });

  it("stands where it stood when it is loaded again", () => {
    const rows = [failed, row("a", 2)];

    expect(drain(agendaWith(rows, { lanePolicy: "block" }))).toEqual([]);
    expect(drain(agendaWith(rows, { lanePolicy: "skip" }))).toEqual(["a2"]);
  });

  it("has a time to go on from its first failure only", () => {
    expect(releaseAtOf("skip", null)).toBeNull();
    expect(releaseAtOf("block", 5)).toBeNull();
    expect(releaseAtOf({ block_for: 2 }, 5)).toBe(2_005);
  });
});

describe("batches", () => {
  const batching = batchRules({ max_items: 3, max_wait_ms: 1_000, max_bytes: 1_024 });
  const rules = { batching };
  const HELD = { batch_id: "b", at: "", releaseAt: null, isReleased: false };

  it("carry those behind each other in a lane, and those of other lanes, in order", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2), row("b", 1), row("b", 2)], rules);

    expect(drain(agenda, 2_000)).toEqual(["a1 a2 b1", "b2"]);
  });

  it("wait for others, but not longer than they may", () => {
    const agenda = agendaWith([row("a", 1)], rules);

    expect(agenda.take(1_000, OPEN)).toBeNull();
    expect(agenda.next(NOW, OPEN)).toMatchObject({ at: 1_001, isRetry: false });
    expect(drain(agenda, 1_001)).toEqual(["a1"]);
  });

  it("go at once when they are full, by number or by bytes", () => {
    const small = agendaWith([row("a", 1), row("a", 2), row("a", 3)], rules);
    const large = agendaWith([row("a", 1, { bytes: 600 }), row("a", 2, { bytes: 600 })], rules);

    expect(drain(small)).toEqual(["a1 a2 a3"]);
    expect(placesOf(large.take(NOW, OPEN))).toBe("a1");
  });

  it("are no place for a critical one, nor for what goes before it in its lane", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2, { priority: 3 }), row("b", 1)], rules);

    expect([agenda.take(NOW, OPEN)].map(placesOf)).toEqual(["a1"]);
  });

  it("are no place for what a replay has sent alone before, and keep its lane in order", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2), row("b", 1)], rules);
    agenda.addReplay(row("a", 1), NOW);
    const replay = agenda.take(NOW, OPEN);
    if (replay === null) throw new Error("nothing to take");

    agenda.settle(replay, [row("a", 1, { attempts: 1 })], null, NOW);

    expect(drain(agenda, 2_000)).toEqual(["a1", "b1 a2"]);
  });

  it("are sent again whole, and their lanes wait for them", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2), row("a", 3)], {
      batching: batchRules({ max_items: 2 }),
    });
    const first = agenda.take(NOW, OPEN);
    if (first !== null) agenda.settle(first, [], { ...HELD, due: 5_000 }, NOW);

    expect(agenda.take(4_999, OPEN)).toBeNull();
    const again = agenda.take(5_000, OPEN);
    expect(placesOf(again)).toBe("a1 a2");
    if (again !== null) agenda.settle(again, [], null, 5_000);
    expect(drain(agenda, 6_000)).toEqual(["a3"]);
  });

  it("let their lanes go on under skip", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2), row("a", 3)], {
      batching: batchRules({ max_items: 2, max_wait_ms: 0 }),
      lanePolicy: "skip",
    });
    const first = agenda.take(NOW, OPEN);
    if (first !== null) agenda.settle(first, [], { ...HELD, due: 5_000, releaseAt: NOW }, NOW);

    expect(drain(agenda, NOW)).toEqual(["a3"]);
    agenda.add(row("a", 4), NOW);
    expect(drain(agenda, 5_000)).toEqual(["a1 a2", "a4"]);
  });

  it("come back with their members after an eviction", () => {
    const agenda = agendaWith([row("a", 3)], rules);
    const members = [row("a", 1), row("a", 2)];

    agenda.addHeld({ ...HELD, due: 5_000 }, members, NOW);

    expect(drain(agenda, 4_999)).toEqual([]);
    expect(drain(agenda, 5_000)).toEqual(["a1 a2", "a3"]);
  });
});
