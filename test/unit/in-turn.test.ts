import { describe, expect, it } from "vitest";

import { inTurn } from "../../src/lib/in-turn.ts";

/** Work that ends when it is told to. */
function openWork() {
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  const work = (item: number): Promise<string> => {
    begun.push(item);
    return new Promise((resolve) => ends.set(item, () => resolve(`done ${item}`)));
  };
  const end = async (item: number): Promise<void> => {
    ends.get(item)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, work, end };
}

describe("work in turn", () => {
  it("begins the next item when one is done, and answers in the order of the items", async () => {
    const { begun, work, end } = openWork();
    const all = inTurn([1, 2, 3], 2, work);

    await end(2);
    expect(begun).toEqual([1, 2, 3]);
    await end(3);
    await end(1);

    expect(await all).toEqual(["done 1", "done 2", "done 3"]);
  });

  it("never has more than so many under way", async () => {
    const { begun, work } = openWork();

    void inTurn([1, 2, 3, 4], 3, work);

    expect(begun).toEqual([1, 2, 3]);
  });

  it("has nothing to do for no items", async () => {
    expect(await inTurn([], 5, async () => "never")).toEqual([]);
  });

  it("throws what the work threw", async () => {
    const work = async (item: number): Promise<number> => {
      if (item === 2) throw new Error("broken");
      return item;
    };

    await expect(inTurn([1, 2, 3], 1, work)).rejects.toThrow("broken");
  });
});
