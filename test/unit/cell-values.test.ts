import { describe, expect, it } from "vitest";

import { isMissing, readBoolean, readNumber } from "../../src/executor/skills/table/cell-values.ts";
import { readDate, readYear } from "../../src/executor/skills/table/date-values.ts";

describe("numbers in cells", () => {
  it.each([
    ["12", "dot", 12, ""],
    ["-0.5", "dot", -0.5, ""],
    [".5", "dot", 0.5, ""],
    ["1,234,567.8", "dot", 1_234_567.8, ""],
    ["1.234,5", "comma", 1234.5, ""],
    ["3,14", "comma", 3.14, ""],
    ["1 234", "dot", 1234, ""],
    ["2.5e3", "dot", 2500, ""],
    ["$1,200", "dot", 1200, "$"],
    ["-€5", "dot", -5, "€"],
    ["12 %", "dot", 12, "%"],
  ] as const)("reads %s (%s) as %d with unit %s", (cell, mark, value, unit) => {
    expect(readNumber(cell, mark)).toEqual({ value, unit });
  });

  it.each(["", "abc", "1,23,4", "12 apples", "0x10", "1e999", "1-2", "$5%", "Infinity", "--3"])(
    "does not read %j as a number",
    (cell) => {
      expect(readNumber(cell, "dot")).toBeNull();
    },
  );

  it("knows the usual words for missing, yes and no", () => {
    expect(["", "NA", "n/a", "NULL", "NaN", "-", "s/d"].every(isMissing)).toBe(true);
    expect(["0", "no", "nada"].some(isMissing)).toBe(false);
    expect([readBoolean("Sí"), readBoolean("FALSE"), readBoolean("maybe")]).toEqual([1, 0, null]);
  });
});

describe("dates in cells", () => {
  const instant = (text: string) => Date.parse(text);

  it.each([
    ["2024-02-29", "2024-02-29T00:00:00Z"],
    ["2024/3/5", "2024-03-05T00:00:00Z"],
    ["2024-03", "2024-03-01T00:00:00Z"],
    ["2024-03-05T14:30:10Z", "2024-03-05T14:30:10Z"],
    ["2024-03-05 14:30:00+02:00", "2024-03-05T12:30:00Z"],
    ["31/12/2023", "2023-12-31T00:00:00Z"],
    ["5.3.2024", "2024-03-05T00:00:00Z"],
    ["05/03/24 2:15 pm", "2024-03-05T14:15:00Z"],
    ["Jan 1 2000", "2000-01-01T00:00:00Z"],
    ["January 15, 2021", "2021-01-15T00:00:00Z"],
    ["3 de enero de 2020", "2020-01-03T00:00:00Z"],
    ["2024-Q3", "2024-07-01T00:00:00Z"],
  ])("reads %s", (cell, expected) => {
    expect(readDate(cell, "day_first")?.epoch_ms).toBe(instant(expected));
  });

  it("takes the month first where the column says so", () => {
    const date = readDate("03/04/2024", "month_first");

    expect(date).toEqual({
      epoch_ms: instant("2024-03-04T00:00:00Z"),
      has_time: false,
      order_matters: true,
    });
  });

  it.each(["2023-02-29", "2024-13-01", "31/04/2024", "2024", "12:30", "10-20", "2024-01-01T25:00"])(
    "does not read %s as a date",
    (cell) => {
      expect(readDate(cell, "day_first")).toBeNull();
    },
  );

  it("reads bare years only through the reader for years", () => {
    expect(readYear("1999")?.epoch_ms).toBe(instant("1999-01-01T00:00:00Z"));
    expect(readYear("999")).toBeNull();
  });
});
