import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { Report } from "../../src/access/offender-door.ts";
import type { OffenderObject } from "../../src/access/offender-object.ts";

// Far ahead: the platform takes an alarm in the past for one that is due now.
const T0 = Date.UTC(2096, 10, 26);
const MINUTE = 60_000;
const DAY = 86_400_000;

function newObject() {
  const stub = env.OFFENDER.getByName(`address/${crypto.randomUUID()}`);
  const at = (now: number) =>
    runInDurableObject(stub, (instance: OffenderObject) => {
      instance.now = () => now;
    });
  const report = async (name: string, points: number, isEnough = false) => {
    const told: Report = { name, points, offence: "wrong_key", isEnough };
    return (await stub.report([told], 1))[0] ?? 0;
  };
  /** Everything it has stored: rows, and whether it will wake. */
  const stored = () =>
    runInDurableObject(stub, async (_instance, { storage }) => ({
      tables: storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'block'").toArray()
        .length,
      alarm: await storage.getAlarm(),
    }));
  return { stub, at, report, stored };
}

describe("the object of offenders", () => {
  it("adds up what isolates have seen within a minute", async () => {
    const { at, report } = newObject();

    await at(T0);
    const first = await report("a", 2_399);
    await at(T0 + MINUTE);
    const later = await report("a", 2_399);
    const enough = await report("a", 1);
    const other = await report("b", 1);

    expect([first, later, other]).toEqual([0, 0, 0]);
    expect(enough).toBe(T0 + 2 * MINUTE);
  });

  it("writes nothing until there is a block, and forgets all a day after the last one", async () => {
    const { stub, at, report, stored } = newObject();
    await at(T0);
    await report("a", 100);
    expect(await stored()).toEqual({ tables: 0, alarm: null });

    await report("a", 0, true);
    await at(T0 + 2 * MINUTE);
    await report("b", 0, true);
    expect(await stored()).toEqual({ tables: 1, alarm: T0 + DAY });

    await at(T0 + DAY + MINUTE);
    await runDurableObjectAlarm(stub);
    expect(await stored()).toEqual({ tables: 1, alarm: T0 + 3 * MINUTE + DAY });
    await at(T0 + DAY + 3 * MINUTE);
    await runDurableObjectAlarm(stub);
    expect(await stored()).toEqual({ tables: 0, alarm: null });
  });

  it("holds a block through an eviction, and counts it when the next one is due", async () => {
    const { stub, at, report } = newObject();
    await at(T0);
    await report("a", 0, true);

    await evictDurableObject(stub);
    await at(T0 + MINUTE - 1);
    expect(await stub.blockedUntil("a")).toBe(T0 + MINUTE);
    await at(T0 + MINUTE);
    expect(await stub.blockedUntil("a")).toBe(0);

    expect(await report("a", 0, true)).toBe(T0 + 3 * MINUTE);
  });

  it("makes one block of what two isolates find enough at once", async () => {
    const { stub, at, report } = newObject();
    await at(T0);

    const untils = [await report("a", 2_400, true), await report("a", 2_400, true)];

    expect(untils).toEqual([T0 + MINUTE, T0 + MINUTE]);
    expect(await stub.blocks("", 10)).toMatchObject([{ name: "a", times: 1 }]);
  });

  it("lifts what is in force, and with it what it remembers", async () => {
    const { stub, at, report } = newObject();
    await at(T0);
    await report("a", 0, true);

    expect([await stub.lift("a"), await stub.lift("a"), await stub.lift("b")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await report("a", 0, true)).toBe(T0 + MINUTE);
  });
});
