import { describe, expect, it } from "vitest";

import { Backlog } from "../../src/delivery/endpoint/backlog.ts";
import type { DeliveryRow } from "../../src/delivery/endpoint/delivery-row.ts";
import { deliveryRow } from "../delivery-row.ts";

const MOST = 4;

/** An endpoint's table of open deliveries, and what of it is in memory. */
function world(count: number) {
  let table: DeliveryRow[] = [];
  const store = (source: string, priority = 1, seq = table.length + 1): DeliveryRow => {
    const row = deliveryRow({
      source,
      seq,
      position: table.length + 1,
      priority,
    });
    table = [...table, row];
    return row;
  };
  for (let index = 0; index < count; index += 1) store(`t${index % 3}`);
  const backlog = new Backlog(
    {
      openRows: (_isIndexComplete, behind, limit) =>
        table.filter(({ position }) => position > behind).slice(0, limit),
      openRowsOf: (source, behind) =>
        table.filter((row) => row.source === source && row.position > behind),
    },
    MOST,
  );
  const settle = (row: DeliveryRow) => {
    table = table.filter(({ position }) => position !== row.position);
  };
  return { backlog, store, settle };
}

const positionsOf = (rows: readonly DeliveryRow[]) => rows.map(({ position }) => position);

describe("a backlog", () => {
  it("is all in memory while there is room", () => {
    const { backlog, store } = world(2);

    const first = backlog.first(false);
    const added = backlog.admit([store("new")], first.length);

    expect([positionsOf(first), positionsOf(added)]).toEqual([[1, 2], [3]]);
    expect(backlog.isPartial).toBe(false);
  });

  it("comes page by page, the oldest first, when there is more", () => {
    const { backlog, settle } = world(10);

    const pages = [backlog.first(false)];
    expect(backlog.next(3)).toEqual([]);
    for (;;) {
      for (const row of pages.at(-1) ?? []) settle(row);
      const next = backlog.next(0);
      if (next.length === 0) break;
      pages.push(next);
    }

    expect(pages.map(positionsOf)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10],
    ]);
    expect(backlog.isPartial).toBe(false);
  });

  it("leaves what comes meanwhile to its page, and loses none of it", () => {
    const { backlog, store, settle } = world(4);
    const first = backlog.first(false);

    const admitted = backlog.admit([store("new")], first.length);
    for (const row of first) settle(row);

    expect(admitted).toEqual([]);
    expect(positionsOf(backlog.next(0))).toEqual([5]);
  });

  it("brings a critical one in with all that its task has before it, once", () => {
    const { backlog, store, settle } = world(7);
    const first = backlog.first(false);

    const urgent = store("t1", 3);
    const admitted = backlog.admit([urgent], first.length);
    for (const row of first) settle(row);

    expect(positionsOf(admitted)).toEqual([5, 8]);
    expect(positionsOf(backlog.next(0))).toEqual([6, 7]);
  });

  it("brings the critical end of an alert in with its beginning", () => {
    const { backlog, store } = world(7);
    const first = backlog.first(false);
    const beginning = store("al_1_fired", 1, 0);

    const left = backlog.admit([beginning], first.length);
    const admitted = backlog.admit([store("al_1_resolved", 3, 0)], first.length);

    expect(positionsOf(left)).toEqual([]);
    expect(new Set(positionsOf(admitted))).toEqual(new Set([8, 9]));
  });

  it("becomes partial when more comes than there is room for", () => {
    const { backlog, store } = world(3);
    const first = backlog.first(false);

    const admitted = backlog.admit([store("a"), store("b")], first.length);

    expect(admitted).toEqual([]);
    expect(backlog.isPartial).toBe(true);
    expect(positionsOf(backlog.next(2))).toEqual([4, 5]);
  });

  it("forgets its pages when nothing is open", () => {
    const { backlog } = world(10);
    backlog.first(false);

    backlog.empty();

    expect(backlog.isPartial).toBe(false);
  });
});
