import { describe, expect, it } from "vitest";

import { withoutClearSecrets } from "../../src/backup/rows/clear-secrets.ts";
import { insertions } from "../../src/backup/rows/insertion.ts";
import { literal, pageQuery, quoted } from "../../src/backup/rows/sql.ts";
import { backupIdAt, beginOf, isDue, overdue } from "../../src/backup/schedule.ts";

const DAY_MS = 86_400_000;
const T0 = Date.parse("2026-11-26T18:36:44.500Z");

describe("when a backup is made and removed", () => {
  it("is named by the second of its begin, which the name gives back", () => {
    expect(backupIdAt(T0)).toBe("20261126T183644Z");
    expect(beginOf("20261126T183644Z")).toBe(T0 - 500);
  });

  it.each(["mine", "20261126", "20261326T183644Z", "20261126T183644Z/x"])("is never %s", (name) => {
    expect(beginOf(name)).toBeNull();
  });

  it.each([
    [null, DAY_MS, true],
    [T0, DAY_MS, true],
    [T0 + 1, DAY_MS, false],
    [null, 0, false],
  ])("that began at %s is followed by another every %s ms: %s", (last, every, expected) => {
    expect(isDue(last, T0 + DAY_MS, every)).toBe(expected);
  });

  it("goes when it is too old, but for the newest and for what is none", () => {
    const at = (day: number) => backupIdAt(T0 + day * DAY_MS);
    const of = { now: T0 + 20 * DAY_MS, kept: 14 * DAY_MS };

    expect(overdue([at(7), at(5), "mine", at(0)], at(7), of)).toEqual([at(0), at(5)]);
    expect(overdue([at(1), at(0)], at(1), of)).toEqual([at(0)]);
  });
});

describe("SQL as text", () => {
  it.each([
    [null, "NULL"],
    [1e-7, "1e-7"],
    ["it's", "'it''s'"],
    ["a\nb", "CAST(x'610a62' AS TEXT)"],
    ["\u0000", "CAST(x'00' AS TEXT)"],
  ])("says %j as %s", (value, text) => {
    expect(literal(value)).toBe(text);
  });

  it("knows no number that is none, and no name that is none", () => {
    expect(() => literal(Number.NaN)).toThrow(RangeError);
    expect(() => quoted('a"; DROP TABLE b')).toThrow(RangeError);
  });

  it("asks behind the last key", () => {
    const form = { name: "a", columns: ["k", "l", "v"], key: ["k", "l"] };
    expect(pageQuery(form, { after: ["x'", 1], rows: 5, bytes: 9 })).toContain(
      `WHERE ("k", "l") > ('x''', 1) ORDER BY "k", "l" LIMIT 5`,
    );
  });

  it("writes rows in statements that D1 takes, however large a row is", () => {
    const form = { name: "a", columns: ["k", "v", "w"], key: ["k"] };
    const rows = Array.from({ length: 50 }, (_, index) => ({
      k: `k${index}`,
      v: "🙂".repeat(index * 3_000),
      w: "'\u0000".repeat(index * 2_000),
    }));

    const sizes = insertions(form, rows).map((sql) => new TextEncoder().encode(sql).byteLength);

    expect(Math.max(...sizes)).toBeLessThan(100_000);
  });
});

describe("a secret in a backup", () => {
  const sealed = `sealed.v1.0123456789ab.${"A".repeat(16)}.AAAA`;

  it("is there sealed, and not at all in clear", () => {
    const table = { name: "agent", secrets: ["secret", "former"], secretTexts: ["list"] };
    const list = JSON.stringify([{ secret: sealed, until: 1 }, { secret: "whsec_x" }]);

    const safe = withoutClearSecrets(table, { secret: "whsec_y", former: sealed, list, name: "n" });

    expect(safe.withheld).toBe(2);
    expect(safe.row).toEqual({
      secret: "sealed.withheld",
      former: sealed,
      list: JSON.stringify([{ secret: sealed, until: 1 }, { secret: "sealed.withheld" }]),
      name: "n",
    });
  });

  it.each(["whsec_x", '"whsec_x"', '[{"other":"whsec_x"}]', `${sealed} whsec_x`])(
    "is not there where %s stands in place of a list",
    (list) => {
      const { row } = withoutClearSecrets({ name: "a", secretTexts: ["list"] }, { list });

      expect(JSON.stringify(row)).not.toContain("whsec_");
    },
  );
});
