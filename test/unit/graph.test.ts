import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { circleIn, longestWay, wavesOf } from "../../src/dispatch/batch/graph.ts";

describe("a graph of who waits for whom", () => {
  it.each([
    { name: "nobody", graph: [], circle: null },
    { name: "a chain", graph: [[], [0], [1]], circle: null },
    { name: "a diamond", graph: [[], [0], [0], [1, 2]], circle: null },
    { name: "two that wait for each other", graph: [[1], [0]], circle: [0, 1] },
    { name: "a circle behind a chain", graph: [[1], [2], [3], [2]], circle: [2, 3] },
    { name: "one that waits for itself", graph: [[], [1]], circle: [1] },
  ])("finds the circle: $name", ({ graph, circle }) => {
    expect(circleIn(graph)).toEqual(circle);
  });

  it("finds a circle of a hundred and walks a chain of a thousand", () => {
    const circle = Array.from({ length: 100 }, (_, index) => [(index + 1) % 100]);
    const chain = Array.from({ length: 1_000 }, (_, index) => (index === 0 ? [] : [index - 1]));

    expect(circleIn(circle)).toHaveLength(100);
    expect(circleIn(chain)).toBeNull();
    expect(longestWay(chain, () => 2)).toBe(2_000);
  });

  it("is put in waves, each item behind all that it waits for", () => {
    expect(wavesOf([[], [0], [0], [1, 2], []])).toEqual([[0, 4], [1, 2], [3]]);
    expect(() => wavesOf([[0]])).toThrow("circle");
  });

  it("has an order exactly when it has no circle", () => {
    const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
      fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 4 }), {
        minLength: size,
        maxLength: size,
      }),
    );
    fc.assert(
      fc.property(graphs, (graph) => {
        const circle = circleIn(graph);
        const order = circle === null ? wavesOf(graph).flat() : [];
        const isBefore = (other: number, item: number) =>
          order.indexOf(other) < order.indexOf(item);
        const isOrdered = graph.every((others, item) =>
          others.every((other) => isBefore(other, item)),
        );
        const isClosed = circle?.every((item, place) =>
          graph[item]?.includes(circle[(place + 1) % circle.length] ?? -1),
        );
        expect(isClosed ?? isOrdered).toBe(true);
      }),
    );
  });

  it("has a longest way, along what takes longest", () => {
    const seconds = [10, 1, 20, 5];

    expect(longestWay([[], [0], [0], [1, 2]], (item) => seconds[item] ?? 0)).toBe(35);
    expect(longestWay([], () => 1)).toBe(0);
  });
});
