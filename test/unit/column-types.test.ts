import { describe, expect, it } from "vitest";

import { typeColumns, type Column } from "../../src/executor/skills/table/column-types.ts";
import { tableFrom } from "../../src/executor/skills/table/raw-table.ts";

function typed(name: string, cells: readonly string[], delimiter = ","): Column {
  const source = { format: "csv", delimiter, skipped_lines: 0, malformed_quotes: 0 } as const;
  const table = tableFrom(
    [name],
    cells.map((cell) => [cell]),
    source,
  );
  const [column] = typeColumns(table);
  if (column === undefined) throw new Error("no column");
  return column;
}

const many = (count: number, cell: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => cell(index));

describe("inferring column types", () => {
  it.each([
    ["integer", "age", ["31", "45", "", "45"]],
    ["number", "height", ["1.75", "1.8", "NA"]],
    ["boolean", "active", ["yes", "no", "yes"]],
    ["boolean", "survived", ["0", "1", "1", "0"]],
    ["date", "day", ["2024-01-01", "2024-01-02"]],
    ["date", "year", ["1999", "2000", "2001"]],
    ["datetime", "at", ["2024-01-01T10:00:00Z", "2024-01-02T11:00:00Z"]],
    ["category", "colour", ["red", "blue", "red", "blue"]],
    ["text", "remark", ["good value", "too late", "never again"]],
    ["identifier", "customer_id", ["17", "4", "99"]],
    ["identifier", "postcode", ["08001", "08002", "08001"]],
    ["identifier", "n", many(12, (index) => String(index + 1))],
    ["identifier", "code", ["AB-1", "CD-2", "EF-3"]],
    ["category", "cluster", ["1", "2", "1", "2", "3", "3"]],
    ["empty", "nothing", ["", "NA", "null"]],
  ] as const)("sees %s in %s", (type, name, cells) => {
    expect(typed(name, cells).type).toBe(type);
  });

  it("keeps a number column in spite of a few misfits and names them", () => {
    const column = typed("price", [...many(19, (index) => `${index * 3}.5`), "on request"]);

    expect(column).toMatchObject({ type: "number", unreadable: ["on request"], missing: 0 });
    expect(column.values.at(-1)).toBeNull();
  });

  it("reads decimal commas where the cells or the delimiter call for them", () => {
    expect(typed("price", ["3,5", "1.234,75"]).values).toEqual([3.5, 1234.75]);
    expect(typed("price", ["1,234", "2,500"], ";").values).toEqual([1.234, 2.5]);
    expect(typed("price", ["1,234", "2,500"]).values).toEqual([1234, 2500]);
  });

  it("keeps the unit that all numbers carry", () => {
    expect(typed("share", ["5%", "7.5%"])).toMatchObject({ unit: "%", values: [5, 7.5] });
    expect(typed("share", ["5%", "7.5"]).unit).toBeNull();
  });

  it("takes the order of day and month from whichever cell decides, else says it cannot", () => {
    const decided = typed("day", ["03/04/2024", "12/25/2024"]);
    const open = typed("day", ["03/04/2024", "05/06/2024"]);

    expect(decided.values[0]).toBe(Date.UTC(2024, 2, 4));
    expect(decided.has_ambiguous_dates).toBe(false);
    expect(open.values[0]).toBe(Date.UTC(2024, 3, 3));
    expect(open.has_ambiguous_dates).toBe(true);
  });
});
