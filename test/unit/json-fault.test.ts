import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findJsonFault } from "../../src/rest/edge/json-fault.ts";

describe("findJsonFault", () => {
  it.each<[text: string, position: number, line: number, column: number]>([
    ["", 0, 1, 1],
    ["{", 1, 1, 2],
    ['{"a": tru}', 6, 1, 7],
    ['{"a": 01}', 6, 1, 7],
    ['{"a": 1,}', 8, 1, 9],
    ["[1,]", 3, 1, 4],
    ["{a: 1}", 1, 1, 2],
    ["{'a': 1}", 1, 1, 2],
    ['{"a" 1}', 5, 1, 6],
    ['{"a":\n  "x\ty"}', 8, 2, 3],
    ['{"a":\r\n "\\x"}', 8, 2, 2],
    ['{"a": [1}', 8, 1, 9],
    ['{"a": 1} x', 9, 1, 10],
    ["nul", 0, 1, 1],
    ["NaN", 0, 1, 1],
    ['{"a": "open', 6, 1, 7],
  ])("points at the first fault of %j", (text, position, line, column) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(findJsonFault(text)).toEqual({ position, line, column });
  });

  it("finds no fault in what JSON.parse accepts", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("", " ", "\n\t"), (text, space) => {
        expect(findJsonFault(space + text + space).position).toBe(space.length * 2 + text.length);
      }),
    );
  });

  it("points before the end when a text is broken in its middle", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, place) => {
        const cut = place % (text.length + 1);
        const broken = `${text.slice(0, cut)}\u0000${text.slice(cut)}`;

        expect(findJsonFault(broken).position).toBeLessThanOrEqual(cut);
      }),
    );
  });

  it("reads a mebibyte of one string", () => {
    const text = `["${"\\n".repeat(500_000)}"`;

    expect(findJsonFault(text).position).toBe(text.length);
  });
});
