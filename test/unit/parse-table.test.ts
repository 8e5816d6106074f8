import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { MAX_CSV_CHARACTERS, parseTable } from "../../src/executor/skills/table/parse-table.ts";

function parse(input: JsonObject, configuration: JsonObject = {}) {
  const parsed = parseTable(input, configuration);
  if (!parsed.ok) throw new Error(parsed.refusal.error_message);
  return parsed.value;
}

function refusalClass(input: JsonObject): string {
  const parsed = parseTable(input, {});
  return parsed.ok ? "none" : parsed.refusal.root_cause.class;
}

describe("reading a table", () => {
  it.each([
    [",", "a,b\n1,x\n2,y"],
    [";", "a;b\n1,5;x\n2,5;y"],
    ["\t", "a\tb\n1\tx\n2\ty"],
    ["|", "a|b\n1|x\n2|y"],
  ])("detects the delimiter %j", (delimiter, csv) => {
    const table = parse({ csv });

    expect(table.source.delimiter).toBe(delimiter);
    expect(table.columns.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(table.row_count).toBe(2);
  });

  it("keeps quoted delimiters, quotes and line breaks inside a cell", () => {
    const table = parse({ csv: 'name,note\nAnn,"a, ""b""\nc"\nBob,d' });

    expect(table.columns[1]?.cells).toEqual(['a, "b"\nc', "d"]);
  });

  it.each([
    ["typed columns under words", "name,age\nAnn,31\nBob,45", true],
    ["numbers from the first row on", "1,2\n3,4\n5,6", false],
    ["words that come again below", "red,up\nblue,down\nred,down", false],
    ["different words over other words", "city,state\nOslo,ok\nRome,ok", true],
  ])("decides about the header from %s", (_, csv, expected) => {
    expect(parse({ csv }).source.has_header).toBe(expected);
  });

  it("lets the configuration decide about header and delimiter", () => {
    const table = parse({ csv: "a,b;c\n1,2;3" }, { has_header: false, delimiter: ";" });

    expect(table.source).toMatchObject({ has_header: false, delimiter: ";" });
    expect(table.columns.map(({ name, is_named }) => [name, is_named])).toEqual([
      ["column_1", false],
      ["column_2", false],
    ]);
  });
});

describe("mending a table", () => {
  it("mends ragged rows and says which they were", () => {
    const table = parse({ csv: "a,b\n1,2\n3\n4,5,6\n7,8" });

    expect(table.source).toMatchObject({ ragged_rows: 2, ragged_examples: [2, 3] });
    expect(table.columns[1]?.cells).toEqual(["2", "", "5", "8"]);
  });

  it("skips a title above the table", () => {
    const table = parse({ csv: "Sales report\n\nmonth,sold\n2024-01,5\n2024-02,6\n2024-03,7" });

    expect(table.source.skipped_lines).toBe(1);
    expect(table.columns.map(({ name }) => name)).toEqual(["month", "sold"]);
  });

  it("tells repeated and empty names apart", () => {
    const table = parse({ csv: "a,a,\n1,2,3\n4,5,6" }, { has_header: true });

    expect(table.columns.map(({ name }) => name)).toEqual(["a", "a_2", "column_3"]);
  });

  it("reads rows of objects with differing keys, and rows of arrays", () => {
    const objects = parse({ rows: [{ a: 1 }, { b: null, a: { deep: true } }] });
    const arrays = parse({
      rows: [
        ["a", "b"],
        [1, true],
      ],
    });

    expect(objects.columns).toMatchObject([
      { name: "a", cells: ["1", '{"deep":true}'] },
      { name: "b", cells: ["", ""] },
    ]);
    expect(arrays.columns).toMatchObject([
      { name: "a", cells: ["1"] },
      { name: "b", cells: ["true"] },
    ]);
  });
});

describe("refusing a table", () => {
  it.each([
    ["missing_input", {}],
    ["missing_input", { text: "hello" }],
    ["missing_input", { url: "https://example.com/a.csv" }],
    ["empty_input", { csv: " \n " }],
    ["empty_input", { csv: "a,b,c" }],
    ["empty_input", { rows: [] }],
    ["empty_input", { rows: [{}] }],
    ["invalid_input", { csv: 5 }],
    ["invalid_input", { rows: { a: 1 } }],
    ["invalid_input", { rows: [{ a: 1 }, 3] }],
    ["invalid_input", { rows: [[1], { a: 1 }] }],
    ["input_too_large", { csv: "a".repeat(MAX_CSV_CHARACTERS + 1) }],
    ["input_too_large", { csv: `${"a,".repeat(600)}b\n${"1,".repeat(600)}2` }],
  ])("refuses with %s: %j", (expected, input) => {
    expect(refusalClass(input)).toBe(expected);
  });

  it("refuses a table of too many cells", () => {
    const rows = Array.from({ length: 50_001 }, () => [1, 2, 3, 4]);

    expect(refusalClass({ rows })).toBe("input_too_large");
  });
});
