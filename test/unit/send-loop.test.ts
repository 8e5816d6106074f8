import { describe, expect, it } from "vitest";

import { SendLoop, type Finished } from "../../src/delivery/endpoint/send-loop.ts";

/** Requests that end when the test says so. */
function stage(items: string[]) {
  const loop = new SendLoop<string, string>();
  const flights = new Map<string, PromiseWithResolvers<string>>();
  const commits: string[][] = [];
  const ports = {
    take: () => (flights.size < 6 ? (items.shift() ?? null) : null),
    send: (item: string) => {
      const flight = Promise.withResolvers<string>();
      flights.set(item, flight);
      return flight.promise;
    },
    gap: () => null,
    wait: async () => {},
    commit: (finished: readonly Finished<string, string>[]) => {
      commits.push(finished.map(({ item, report }) => `${item}:${report}`));
      for (const { item } of finished) flights.delete(item);
    },
  };
  const land = (item: string) => flights.get(item)?.resolve("ok");
  return { loop, ports, commits, inFlight: () => [...flights.keys()], land };
}

/** Lets everything run that is ready to run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the send loop", () => {
  it("keeps six in flight and no more", async () => {
    const { loop, ports, inFlight, land } = stage(["a", "b", "c", "d", "e", "f", "g", "h"]);

    const run = loop.run(ports);
    expect(inFlight()).toEqual(["a", "b", "c", "d", "e", "f"]);
    land("c");
    await settled();

    expect(inFlight()).toEqual(["a", "b", "d", "e", "f", "g"]);
    for (const item of ["a", "b", "d", "e", "f", "g"]) land(item);
    await settled();
    land("h");
    await run;
  });

  it("goes on with the others while one hangs", async () => {
    const { loop, ports, commits, land } = stage(["hangs", "b"]);

    const run = loop.run(ports);
    land("b");
    await settled();

    expect(commits).toEqual([["b:ok"]]);
    land("hangs");
    await run;
  });

  it("commits together what finished together", async () => {
    const { loop, ports, commits, land } = stage(["a", "b", "c"]);

    const run = loop.run(ports);
    for (const item of ["a", "b", "c"]) land(item);
    await run;

    expect(commits).toEqual([["a:ok", "b:ok", "c:ok"]]);
  });

  it("looks again when it is poked", async () => {
    const items = ["hangs"];
    const { loop, ports, inFlight, land } = stage(items);
    const run = loop.run(ports);

    items.push("late");
    loop.poke();
    await settled();

    expect(inFlight()).toEqual(["hangs", "late"]);
    land("hangs");
    land("late");
    await run;
    expect(loop.isRunning).toBe(false);
  });

  it("ends at once when there is nothing to send", async () => {
    const { loop, ports, commits } = stage([]);

    await loop.run(ports);

    expect(commits).toEqual([]);
  });

  it("looks again when a gap is over, also with nothing in flight", async () => {
    const items: string[] = [];
    const { loop, ports, commits, land } = stage(items);
    const waits: number[] = [];
    let gaps = 1;
    const run = loop.run({
      ...ports,
      gap: () => (gaps-- > 0 ? 100 : null),
      wait: async (ms: number) => {
        waits.push(ms);
        items.push("later");
      },
    });
    await settled();
    land("later");
    await run;

    expect(waits).toEqual([100]);
    expect(commits).toEqual([["later:ok"]]);
  });

  it("ends with the error of a request that breaks, instead of waiting for it for ever", async () => {
    const { loop, ports } = stage(["breaks"]);
    const broken = { ...ports, send: () => Promise.reject(new Error("no such key")) };

    await expect(loop.run(broken)).rejects.toThrow("no such key");

    expect(loop.isRunning).toBe(false);
  });

  it("waits for what is in flight when one breaks, books it, and takes nothing more", async () => {
    const { loop, ports, commits, inFlight, land } = stage(["breaks", "b", "c"]);
    const items: string[] = [];
    const broken = {
      ...ports,
      send: (item: string) =>
        item === "breaks" ? Promise.reject(new Error("no such key")) : ports.send(item),
    };
    const run = loop.run({ ...broken, take: () => ports.take() ?? items.shift() ?? null });
    const outcome = run.then(
      () => "over",
      (cause: unknown) => String(cause),
    );
    await settled();
    items.push("d");
    land("b");
    await settled();
    const isStillRunning = loop.isRunning;
    land("c");

    expect(await outcome).toContain("no such key");
    expect([isStillRunning, loop.isRunning]).toEqual([true, false]);
    expect(commits).toEqual([["b:ok"], ["c:ok"]]);
    expect([inFlight(), items]).toEqual([[], ["d"]]);
  });

  it("ends with the error of a commit when everything has come back", async () => {
    const { loop, ports, land } = stage(["a", "b"]);
    const run = loop.run({
      ...ports,
      commit: () => {
        throw new Error("no room");
      },
    });
    const outcome = run.catch(String);
    land("a");
    await settled();
    const isStillRunning = loop.isRunning;
    land("b");

    expect(await outcome).toContain("no room");
    expect(isStillRunning).toBe(true);
  });
});
