import { describe, expect, it } from "vitest";

import type { OffenderDoor, Report } from "../../src/access/offender-door.ts";
import { Offenders } from "../../src/access/offenders.ts";
import { addressParty, blockIdOf, keyParty, nameOfBlock, partOf } from "../../src/access/party.ts";

const T0 = 1_000_000;
const SOMEBODY = addressParty("203.0.113.9");
const OTHER = addressParty("198.51.100.1");

/** One isolate, and an object that is told of nothing but what it is asked to answer. */
function newOffenders() {
  const clock = { now: T0 };
  const told: Report[][] = [];
  const answer = { until: 0, isDown: false };
  const lines: string[] = [];
  let rechecks = 0;
  const say = <Value>(value: Value): Promise<Value> =>
    answer.isDown ? Promise.reject(new Error("unreachable")) : Promise.resolve(value);
  const door: OffenderDoor = {
    report: (reports) => {
      told.push([...reports]);
      return say(reports.map(() => answer.until));
    },
    blockedUntil: () => {
      rechecks += 1;
      return say(answer.until);
    },
    blocks: () => say([]),
    lift: () => say(false),
  };
  const offenders = new Offenders({
    door: (name) => ({ id: partOf(name).kind, door }),
    factor: 1,
    now: () => clock.now,
    log: (_level, event) => lines.push(event),
  });
  const guess = async (times: number, name = SOMEBODY) => {
    for (let turn = 0; turn < times; turn += 1) await offenders.commit(name, "wrong_key");
  };
  return { offenders, clock, told, answer, guess, lines, rechecks: () => rechecks };
}

describe("an isolate", () => {
  it("blocks whom it has seen offend enough, at once and for that one alone", async () => {
    const { offenders, guess } = newOffenders();

    await guess(19);
    expect(offenders.blockedFor(SOMEBODY)).toBe(0);
    await guess(1);

    expect(offenders.blockedFor(SOMEBODY)).toBe(60_000);
    expect(offenders.blockedFor(OTHER)).toBe(0);
  });

  it("lets go when the time is over", async () => {
    const { offenders, clock, guess } = newOffenders();
    await guess(20);

    clock.now += 59_999;
    expect(offenders.blockedFor(SOMEBODY)).toBe(1);
    clock.now += 1;
    expect(offenders.blockedFor(SOMEBODY)).toBe(0);
  });

  it("tells the object of the first offence, then no more often than every two seconds", async () => {
    const { clock, told, guess } = newOffenders();

    await guess(5);
    await guess(3, OTHER);
    expect(told).toHaveLength(1);
    clock.now += 2_000;
    await guess(1);

    expect(told[1]).toEqual([
      { name: SOMEBODY, points: 600, offence: "wrong_key", isEnough: false },
      { name: OTHER, points: 360, offence: "wrong_key", isEnough: false },
    ]);
  });

  it("tells of a block without waiting", async () => {
    const { told, guess } = newOffenders();

    await guess(20);

    expect(told.at(-1)).toMatchObject([{ name: SOMEBODY, isEnough: true }]);
  });

  it("learns of a block that others have caused, and how long it is", async () => {
    const { offenders, answer, guess } = newOffenders();
    answer.until = T0 + 240_000;

    await guess(1);

    expect(offenders.blockedFor(SOMEBODY)).toBe(240_000);
  });

  it("asks about somebody it refuses every five seconds, and lets go when the block was lifted", async () => {
    const { offenders, clock, answer, guess, rechecks } = newOffenders();
    answer.until = T0 + 240_000;
    await guess(1);

    expect(offenders.recheck(SOMEBODY)).toBeNull();
    clock.now += 5_000;
    answer.until = 0;
    await offenders.recheck(SOMEBODY);

    expect(rechecks()).toBe(1);
    expect(offenders.blockedFor(SOMEBODY)).toBe(0);
  });

  it("blocks by itself when the object can't be reached, and says so", async () => {
    const { offenders, answer, guess, lines } = newOffenders();
    answer.isDown = true;

    await guess(20);

    expect(offenders.blockedFor(SOMEBODY)).toBe(60_000);
    expect(new Set(lines)).toEqual(new Set(["offenders_unreachable"]));
  });

  it("does not hold against somebody what he does while blocked", async () => {
    const { offenders, clock, told, guess } = newOffenders();
    await guess(20);
    const before = told.length;

    await guess(100);
    clock.now += 60_000;

    expect(told).toHaveLength(before);
    expect(offenders.blockedFor(SOMEBODY)).toBe(0);
  });

  it("lets a proof a second be looked up from a blocked address, and one that is repeated takes no other's turn", () => {
    const { offenders, clock } = newOffenders();

    const first = [offenders.mayProve(SOMEBODY, "a"), offenders.mayProve(SOMEBODY, "a")];
    const other = offenders.mayProve(SOMEBODY, "b");
    clock.now += 1_000;

    expect([...first, offenders.mayProve(SOMEBODY, "a")]).toEqual([true, false, true]);
    expect(other).toBe(true);
  });

  it("tells anew what an object did not hear, and lets nobody go meanwhile", async () => {
    const { offenders, clock, answer, guess, told } = newOffenders();
    answer.isDown = true;
    await guess(20);
    answer.isDown = false;
    const heard = told.length;
    clock.now += 6_000;
    answer.until = clock.now + 60_000;

    await offenders.recheck(SOMEBODY);

    expect(told.slice(heard).flat()).toMatchObject([{ isEnough: true }]);
    expect(offenders.blockedFor(SOMEBODY)).toBe(60_000);
  });
});

describe("the name of a party", () => {
  const key = { tenant: "acme", key_id: "key_1", scopes: [], isBootstrap: false };

  it.each([
    [SOMEBODY, "address~203.0.113.9", { kind: "address", tenant: null, subject: "203.0.113.9" }],
    [
      addressParty("2001:db8:1:2::/64"),
      "address~2001:db8:1:2::~64",
      { kind: "address", tenant: null, subject: "2001:db8:1:2::/64" },
    ],
    [
      keyParty({ ...key, agent_id: "w1" }),
      "key~acme~agent:w1",
      { kind: "key", tenant: "acme", subject: "agent:w1" },
    ],
    [keyParty(key), "key~acme~key_1", { kind: "key", tenant: "acme", subject: "key_1" }],
    [
      keyParty({ ...key, key_id: "", agent_id: "robot" }),
      "key~acme~agent:robot",
      { kind: "key", tenant: "acme", subject: "agent:robot" },
    ],
  ])("%s is a block's id and back", (name, block_id, part) => {
    expect(blockIdOf(name)).toBe(block_id);
    expect(nameOfBlock(block_id)).toBe(name);
    expect(partOf(name)).toEqual(part);
  });
});
