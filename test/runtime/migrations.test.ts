import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { is } from "drizzle-orm";
import {
  getTableConfig,
  SQLiteColumn,
  SQLiteSyncDialect,
  SQLiteTable,
} from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";

import * as alertTables from "../../src/db/alert-table.ts";
import { auditTable } from "../../src/db/audit-table.ts";
import { alertChannelTable } from "../../src/db/channel-table.ts";
import { meterMinuteTable } from "../../src/db/meter-table.ts";
import { modelTable } from "../../src/db/model-table.ts";
import { taskRatingTable, taskRollupTable } from "../../src/db/rollup-table.ts";
import * as routingTables from "../../src/db/routing-table.ts";
import { tenantShardTable } from "../../src/db/shard-table.ts";
import * as tables from "../../src/db/tables.ts";
import * as validationTable from "../../src/db/validation-table.ts";

const dialect = new SQLiteSyncDialect();
const configs = Object.values({
  ...tables,
  ...alertTables,
  alertChannelTable,
  auditTable,
  meterMinuteTable,
  modelTable,
  taskRatingTable,
  taskRollupTable,
  tenantShardTable,
  ...routingTables,
  ...validationTable,
})
  .filter((table) => is(table, SQLiteTable))
  .map((table) => getTableConfig(table));

interface IndexRow {
  name: string;
  sql: string;
}

/** What src/db/tables.ts says of a table. */
function declared(config: (typeof configs)[number]) {
  const key = config.primaryKeys.flatMap(({ columns }) => columns.map(({ name }) => name));
  const ownKey = config.columns.filter(({ primary }) => primary).map(({ name }) => name);
  return {
    columns: config.columns.map((column) => ({
      name: column.name,
      type: column.getSQLType().toUpperCase(),
      notNull: column.notNull,
    })),
    key: key.length > 0 ? key : ownKey,
    indexes: config.indexes
      .map(({ config: index }) => {
        const columns = index.columns.map((column) =>
          is(column, SQLiteColumn) ? column.name : "?",
        );
        const where = index.where ? ` WHERE ${dialect.sqlToQuery(index.where).sql}` : "";
        const unique = index.unique ? "UNIQUE " : "";
        return `CREATE ${unique}INDEX ${index.name} ON ${config.name} (${columns.join(", ")})${where}`;
      })
      .sort(),
  };
}

/** What the migrations made of it. */
async function stored(name: string) {
  const { results } = await env.DB.prepare(
    `SELECT name, upper(type) AS type, "notnull" AS not_null, pk FROM pragma_table_info(?)`,
  )
    .bind(name)
    .all<{ name: string; type: string; not_null: number; pk: number }>();
  const indexes = await env.DB.prepare(
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
  )
    .bind(name)
    .all<IndexRow>();
  return {
    columns: results.map((row) => ({
      name: row.name,
      type: row.type,
      // A key column of a table without rowid is never null.
      notNull: row.not_null === 1 || row.pk > 0,
    })),
    key: results
      .filter(({ pk }) => pk > 0)
      .sort((a, b) => a.pk - b.pk)
      .map((row) => row.name),
    indexes: indexes.results.map(({ sql }) => sql).sort(),
  };
}

describe("the migrations", () => {
  it("make every table of src/db/tables.ts from an empty database, and no other", async () => {
    const { results } = await env.DB.prepare(
      `SELECT name FROM sqlite_master WHERE type = 'table'
       AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name <> 'd1_migrations'`,
    ).all<{ name: string }>();

    expect(results.map(({ name }) => name).sort()).toEqual(configs.map(({ name }) => name).sort());
  });

  it.each(configs.map((config) => [config.name, config] as const))(
    "give %s the columns, key and indexes that src/db/tables.ts declares",
    async (name, config) => {
      expect(await stored(name)).toEqual(declared(config));
    },
  );

  it("keep what is stored when they are applied again", async () => {
    await env.DB.prepare("INSERT INTO callback_secret VALUES ('acme', '[]')").run();

    await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

    const row = await env.DB.prepare("SELECT * FROM callback_secret").first();
    expect(row).toEqual({ tenant: "acme", secrets: "[]" });
  });
});
