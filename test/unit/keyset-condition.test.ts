import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";

import { isAfter, isBefore } from "../../src/db/keyset.ts";
import { escalationTable } from "../../src/db/tables.ts";
import { at } from "../task-news.ts";

const columns = { at: escalationTable.created_at, id: escalationTable.escalation_id };

describe("the condition behind a cursor", () => {
  it.each([
    ["newest first", isBefore, "<"],
    ["oldest first", isAfter, ">"],
  ] as const)("compares both columns at once, %s, with bound values", (_order, isBehind, sign) => {
    const condition = isBehind(columns, { at: at(1), id: "esc_1" });

    expect(condition && new SQLiteSyncDialect().sqlToQuery(condition)).toMatchObject({
      sql: `("escalation"."created_at", "escalation"."escalation_id") ${sign} (?, ?)`,
      params: [at(1), "esc_1"],
    });
  });

  it("is none at the start of a list", () => {
    expect([isBefore(columns, null), isAfter(columns, null)]).toEqual([undefined, undefined]);
  });
});
