import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";

import { escalationTable } from "../../src/db/tables.ts";
import { isBefore } from "../../src/history/keyset-store.ts";
import { at } from "../task-news.ts";

const columns = { at: escalationTable.created_at, id: escalationTable.escalation_id };

describe("the condition behind a cursor", () => {
  it("compares both columns at once, with bound values", () => {
    const condition = isBefore(columns, { at: at(1), id: "esc_1" });

    expect(condition && new SQLiteSyncDialect().sqlToQuery(condition)).toMatchObject({
      sql: '("escalation"."created_at", "escalation"."escalation_id") < (?, ?)',
      params: [at(1), "esc_1"],
    });
  });

  it("is none at the start of a list", () => {
    expect(isBefore(columns, null)).toBeUndefined();
  });
});
