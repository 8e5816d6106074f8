import { describe, expect, it } from "vitest";

import { Agenda } from "../../src/delivery/endpoint/agenda.ts";
import type { DeliveryRow } from "../../src/delivery/endpoint/delivery-row.ts";

const OPEN = { isActive: true, pausedUntil: 0 };

function row(source: string, seq: number, changes: Partial<DeliveryRow> = {}): DeliveryRow {
  return {
    source,
    seq,
    position: seq * 1_000,
    type: "task_started",
    priority: 1,
    state: "open",
    attempts: 0,
    tries: 0,
    due: null,
    replay_at: null,
    prev_seq: null,
    correlation_id: "",
    delivered_at: null,
    last_attempt: null,
    ...changes,
  };
}

function agendaWith(rows: DeliveryRow[]): Agenda {
  const agenda = new Agenda("task");
  for (const added of rows) agenda.add(added);
  return agenda;
}

describe("the agenda of an endpoint", () => {
  it("sends replays first, and beside a lane that is busy", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.take(10, OPEN);

    agenda.addReplay(row("a", 1));
    const replay = agenda.take(10, OPEN);

    expect(replay).toMatchObject({ isManual: true, item: { source: "a", seq: 1 } });
  });

  it("sends only replays while the endpoint is not active", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.addReplay(row("b", 1));
    const closed = { isActive: false, pausedUntil: 0 };

    const taken = [agenda.take(10, closed), agenda.take(10, closed)];

    expect(taken).toMatchObject([{ item: { source: "b" } }, null]);
    expect(agenda.nextDue(closed)).toBeNull();
  });

  it("sends nothing during a pause, and knows when it ends", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.addReplay(row("b", 1));
    const paused = { isActive: true, pausedUntil: 5_000 };

    expect(agenda.take(4_999, paused)).toBeNull();
    expect(agenda.nextDue(paused)).toBe(5_000);
    expect(agenda.take(5_000, paused)).not.toBeNull();
  });

  it("knows what is in flight until all of it is settled", () => {
    const agenda = agendaWith([row("a", 1)]);
    agenda.addReplay(row("a", 1));
    const turns = [agenda.take(10, OPEN), agenda.take(10, OPEN)];

    const seen = turns.map((turn) => {
      const isInFlight = agenda.isInFlight(row("a", 1));
      if (turn !== null) agenda.settle(turn, null);
      return isInFlight;
    });

    expect(seen).toEqual([true, true]);
    expect(agenda.isInFlight(row("a", 1))).toBe(false);
  });

  it("tells when a settled head frees one that was not tried yet", () => {
    const agenda = agendaWith([row("a", 1), row("a", 2)]);

    const freed = [1, 2].map(() => {
      const turn = agenda.take(10, OPEN);
      return turn !== null && agenda.settle(turn, null);
    });

    expect(freed).toEqual([true, false]);
  });

  it("is all retries only when every lane waits for one", () => {
    const agenda = agendaWith([row("a", 1, { attempts: 1, due: 50 }), row("a", 2)]);

    expect(agenda.isAllRetrying()).toBe(true);
    agenda.add(row("b", 1));
    expect(agenda.isAllRetrying()).toBe(false);
  });
});
