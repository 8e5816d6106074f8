import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Heap } from "../../src/delivery/endpoint/heap.ts";

describe("the heap", () => {
  it("gives entries in order, whatever order they came in and went out between", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer(), { nil: null })), (steps) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        const given: (number | undefined)[] = [];
        const expected: (number | undefined)[] = [];
        const takeOne = () => {
          given.push(heap.peek(), heap.pop());
          expected.push(model[0], model.shift());
        };
        for (const step of steps) {
          if (step === null) {
            takeOne();
            continue;
          }
          heap.push(step);
          model.push(step);
          model.sort((a, b) => a - b);
        }
        while (model.length > 0) takeOne();
        takeOne();

        expect(given).toEqual(expected);
      }),
    );
  });
});
