import { describe, expect, it } from "vitest";

import { AddressLimit } from "../../src/access/address-limit.ts";

const MINUTE = 60_000;

/** The platform's limiter as it is documented: so many permits of a key in a window, and only yes or no. */
function platform(clock: { now: number }, permits = 600) {
  const taken = new Map<string, number>();
  let asked = 0;
  return {
    limiter: {
      async limit({ key }: { key: string }) {
        asked += 1;
        const name = `${Math.floor(clock.now / MINUTE)}/${key}`;
        const count = (taken.get(name) ?? 0) + 1;
        if (count <= permits) taken.set(name, count);
        return { success: count <= permits };
      },
    },
    get asked() {
      return asked;
    },
  };
}

function newLimit(factor: number) {
  const clock = { now: MINUTE };
  const counted = platform(clock);
  const lines: string[] = [];
  const limit = new AddressLimit({
    limiter: counted.limiter,
    factor,
    now: () => clock.now,
    log: (_level, event) => lines.push(event),
  });
  /** How many of so many requests of an address pass, one after another. */
  const passed = async (requests: number, address = "203.0.113.9") => {
    let count = 0;
    for (let turn = 0; turn < requests; turn += 1) count += Number(await limit.take(address));
    return count;
  };
  return { limit, clock, counted, passed, lines };
}

describe("the limit by address", () => {
  it.each([
    [1, 600],
    [2, 1_200],
    [1.5, 900],
    [2.75, 1_650],
    [0.5, 300],
    [0.1, 60],
    [0.3, 180],
    [10, 6_000],
    [0.000_001, 1],
  ])("times %d is %i requests a minute, to the request", async (factor, quota) => {
    const { limit, clock, passed } = newLimit(factor);

    expect(limit.quota).toBe(quota);
    expect(await passed(quota + 50)).toBe(quota);
    expect(await passed(5, "198.51.100.1")).toBe(Math.min(5, quota));
    clock.now += MINUTE;
    expect(await passed(quota + 50)).toBe(quota);
  });

  it("asks the platform once per request in production, and seldom where it is lifted", async () => {
    const strict = newLimit(1);
    const lifted = newLimit(1_000);

    await strict.passed(100);
    await lifted.passed(100);

    expect([strict.counted.asked, lifted.counted.asked]).toEqual([100, 1]);
  });

  it("never lets more pass when they come at once", async () => {
    const { limit } = newLimit(2);

    const taken = await Promise.all(Array.from({ length: 3_000 }, () => limit.take("a")));
    const rest = await Promise.all(Array.from({ length: 3_000 }, () => limit.take("a")));

    expect([...taken, ...rest].filter(Boolean)).toHaveLength(1_200);
  });

  it.each([
    ["fails", { limit: async () => Promise.reject(new Error("the platform is ill")) }],
    ["is missing", undefined],
  ])(
    "lets everyone pass when the binding %s, and says so once a minute",
    async (_what, limiter) => {
      const clock = { now: MINUTE };
      const lines: string[] = [];
      const log = (_level: string, event: string) => lines.push(event);
      const limit = new AddressLimit({ limiter, factor: 1, now: () => clock.now, log });

      for (let turn = 0; turn < 700; turn += 1) expect(await limit.take("a")).toBe(true);
      clock.now += MINUTE;
      await limit.take("a");

      expect(lines).toEqual(["address_limit_unavailable", "address_limit_unavailable"]);
    },
  );
});
