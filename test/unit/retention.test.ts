import { describe, expect, it } from "vitest";

import { DAY_MS, dayOf, isTooOld, nextSweepAt } from "../../src/delivery/endpoint/retention.ts";
import { deliveryRow } from "../delivery-row.ts";

const NOW = 100 * DAY_MS + 5;
const RETENTION = { settledDays: 7, undeliveredDays: 30 };
const created = (days: number) => ({ position: (100 - days) * DAY_MS * 1_000 });

describe("a delivery", () => {
  it.each([
    ["delivered", 7, "active", false],
    ["delivered", 8, "active", true],
    ["cancelled", 8, "deleted", true],
    ["exhausted", 30, "active", false],
    ["exhausted", 31, "active", true],
    ["open", 500, "active", false],
    ["open", 30, "paused", false],
    ["open", 31, "disabled", true],
  ] as const)(
    "%s %i days ago at an endpoint that is %s: forgotten %j",
    (state, days, of, isOld) => {
      const row = deliveryRow({ state, ...created(days) });

      expect(isTooOld(row, { state: of }, RETENTION, NOW)).toBe(isOld);
    },
  );

  it("is kept while somebody wants it sent again", () => {
    const row = deliveryRow({ state: "delivered", replay_at: NOW, ...created(50) });

    expect(isTooOld(row, { state: "active" }, RETENTION, NOW)).toBe(false);
  });
});

describe("the next sweep", () => {
  it("is at the start of the day on which what is stored now is too old", () => {
    const at = nextSweepAt(RETENTION, NOW);

    expect(at).toBe(108 * DAY_MS);
    expect(
      isTooOld(
        deliveryRow({ state: "delivered", ...created(0) }),
        { state: "active" },
        RETENTION,
        at,
      ),
    ).toBe(true);
    expect(dayOf(at)).toBe(108);
  });
});
